import type { Command } from "commander";
import { hostCommands } from "./host.ts";
import { tenantStateCommands } from "./limit.ts";
import { listCommand } from "./list.ts";
import { age, note, show, type Column } from "./output.ts";
import { signedIn } from "./run.ts";
import type { Named } from "./shape.ts";
import { waitingCommands } from "./waiting.ts";

const tenants: Column<Named>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["State", "state"],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];

interface Health {
  tableMilliseconds: number;
  hosts: { all: number; healthy: number };
  overdue: number;
  parked: number;
  unsealedSeconds: number;
}
const health: Column<Health>[] = [
  ["Table answers in", (row) => `${row.tableMilliseconds} ms`],
  ["Hosts healthy", (row) => `${row.hosts.healthy} of ${row.hosts.all}`],
  ["Rows late", "overdue"],
  ["Rows parked", "parked"],
  ["Audit unsealed for", (row) => `${row.unsealedSeconds} s`],
];

/** What only the platform's staff may do; to others these routes are not there. */
export function homeCommands(root: Command): void {
  hostCommands(root);
  waitingCommands(root);
  root
    .command("health")
    .description("how home is: its table, hosts, and what is late or waits (staff)")
    .action(
      signedIn(async ({ client, format }) => {
        await show(format, await client.get<Health>("/v1/home/health"), health);
      }),
    );
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
          if (withToken) note("Keep the token now: it is not shown again.");
          await show(format, value, [["Token", "token"], ...tenants]);
        },
      ),
    );
}
