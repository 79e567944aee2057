import type { Command } from "commander";
import { hostCommands } from "./host.ts";
import { tenantStateCommands } from "./limit.ts";
import { listCommand } from "./list.ts";
import { age, show, type Column } from "./output.ts";
import { signedIn } from "./run.ts";
import type { Named } from "./shape.ts";
import { waitingCommands } from "./waiting.ts";

const tenants: Column<Named>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["State", "state"],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];

/** What only the platform's staff may do; to others these routes are not there. */
export function homeCommands(root: Command): void {
  hostCommands(root);
  waitingCommands(root);
  const tenant = root.command("tenant").description("tenants (staff)");
  listCommand(tenant, "the tenants", "/v1/home/tenants", tenants);
  tenantStateCommands(tenant);
  tenant
    .command("create <name>")
    .description("make a tenant with its first owner")
    .option("--title <text>", "its name for people")
    .option("--with-token", "print a token of its first owner, once")
    .action(
      signedIn(
        async ({ client, format }, name: string, { title, withToken }: { title?: string; withToken?: boolean }) => {
          const body = { name, ...(title === undefined ? {} : { title }), ...(withToken ? { withToken } : {}) };
          const { value } = await client.call<Named>("POST", "/v1/home/tenants", { body });
          await show(format, value, [["Token", "token"], ...tenants]);
        },
      ),
    );
}
