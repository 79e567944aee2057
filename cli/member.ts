import { type Command, Option } from "commander";
import { sure } from "./ask.ts";
import { confirmed } from "./confirmation.ts";
import { listCommand } from "./list.ts";
import { age, show, type Column } from "./output.ts";
import { find, type Run, signedIn } from "./run.ts";
import type { Named } from "./shape.ts";

const members: Column<Named>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["Role", "role"],
  ["Kind", "kind"],
  ["State", "state"],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];
const removed: Column<Named>[] = [
  ["Removed", "name"],
  ["ID", "id"],
];
const role = (): Option => new Option("--role <role>", "its role").choices(["owner", "editor", "viewer", "staff"]);
const kind = (): Option => new Option("--kind <kind>", "what it is").choices(["person", "robot"]);
const state = (): Option => new Option("--state <state>", "whether it may come in").choices(["active", "suspended"]);

const at = (id: string): string => `/v1/members/${encodeURIComponent(id)}`;

async function change({ client, format }: Run, name: string, body: object): Promise<void> {
  const { id } = await find(client, "member", name);
  const { value } = await client.call<Named>("PATCH", at(id), { body });
  confirmed(value);
  await show(format, value, members);
}

/** People and robots of the caller's tenant. */
export function memberCommands(root: Command): void {
  const member = root.command("member").description("members of your tenant, people and robots");
  listCommand(member, "the members", "/v1/members", members, [role(), kind(), state()]);
  member
    .command("show <name>")
    .alias("get")
    .description("one member, by its name or id")
    .action(
      signedIn(async ({ client, format }, name: string) => {
        const { id } = await find(client, "member", name);
        await show(format, await client.get<Named>(at(id)), members);
      }),
    );
  member
    .command("create <name>")
    .description("make a member (owners)")
    .addOption(role().makeOptionMandatory())
    .addOption(kind().default("robot"))
    .action(
      signedIn(async ({ client, format }, name: string, options: { role: string; kind: string }) => {
        const body = { name, role: options.role, kind: options.kind };
        await show(format, (await client.call<Named>("POST", "/v1/members", { body })).value, members);
      }),
    );
  member
    .command("update <name>")
    .description("change a member, by its name or id (owners)")
    .option("--name <name>", "its new name")
    .addOption(role())
    .addOption(state())
    .action(
      signedIn((run, name: string, body: { name?: string; role?: string; state?: string }) => change(run, name, body)),
    );
  member
    .command("suspend <name>")
    .description("shut a member out, by its name or id: its tokens stop, its accounts go from the clusters (owners)")
    .action(signedIn((run, name: string) => change(run, name, { state: "suspended" })));
  member
    .command("resume <name>")
    .description("let a suspended member back in, with what it was granted (owners)")
    .action(signedIn((run, name: string) => change(run, name, { state: "active" })));
  goingCommands(member);
}

/** What can't be undone by the one who does it. */
function goingCommands(member: Command): void {
  member
    .command("remove <name>")
    .description("remove a member and all that it holds, by its name or id (owners)")
    .option("--yes", "do not ask")
    .action(
      signedIn(async ({ client, format }, name: string, options: { yes?: boolean }) => {
        const found = await find(client, "member", name);
        await sure(
          found.name,
          `Removing ${found.name} ends its tokens, its grants and its accounts in clusters`,
          options,
        );
        const { value } = await client.call<Named>("DELETE", at(found.id));
        confirmed(value);
        await show(format, { id: found.id, name: found.name, removed: true }, removed);
      }),
    );
  member
    .command("transfer <name>")
    .description("hand your ownership over to a member, by its name or id")
    .addOption(
      new Option("--role <role>", "what you are to be then").choices(["owner", "editor", "viewer"]).default("editor"),
    )
    .option("--yes", "do not ask")
    .action(
      signedIn(async ({ client, format }, name: string, options: { role: string; yes?: boolean }) => {
        const found = await find(client, "member", name);
        await sure(found.name, `${found.name} becomes an owner, and you ${options.role}`, options);
        const body = { role: options.role };
        const { value } = await client.call<Named>("POST", `${at(found.id)}/transfer`, { body });
        confirmed(value);
        await show(format, value, members);
      }),
    );
  member
    .command("leave")
    .description("leave your tenant, with all that you hold there")
    .option("--yes", "do not ask")
    .action(
      signedIn(async ({ client, format }, options: { yes?: boolean }) => {
        const { tenant } = await client.get<{ tenant: Named }>("/v1/me");
        await sure(tenant.name, `Leaving ${tenant.name} ends all that you hold there`, options);
        const { value } = await client.call<Named>("DELETE", "/v1/me");
        confirmed(value);
        await show(format, value, removed);
      }),
    );
}
