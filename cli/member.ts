import { type Command, Option } from "commander";
import { sure } from "./ask.ts";
import { listCommand } from "./list.ts";
import { age, show, type Column } from "./output.ts";
import { find, signedIn } from "./run.ts";
import type { Named } from "./shape.ts";

const members: Column<Named>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["Role", "role"],
  ["Kind", "kind"],
  ["State", "state"],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];
const role = (): Option => new Option("--role <role>", "its role").choices(["owner", "editor", "viewer", "staff"]);
const kind = (): Option => new Option("--kind <kind>", "what it is").choices(["person", "robot"]);
const state = (): Option => new Option("--state <state>", "whether it may come in").choices(["active", "suspended"]);

const at = (id: string): string => `/v1/members/${encodeURIComponent(id)}`;

/** People and robots of the caller's tenant. */
export function memberCommands(root: Command): void {
  const member = root.command("member").description("members of your tenant, people and robots");
  listCommand(member, "the members", "/v1/members", members, [role(), kind(), state()]);
  member
    .command("get <name>")
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
      signedIn(async ({ client, format }, name: string, body: { name?: string; role?: string; state?: string }) => {
        const { id } = await find(client, "member", name);
        await show(format, (await client.call<Named>("PATCH", at(id), { body })).value, members);
      }),
    );
  member
    .command("remove <name>")
    .description("remove a member and end its tokens, by its name or id (owners)")
    .option("--yes", "do not ask")
    .action(
      signedIn(async ({ client, format }, name: string, options: { yes?: boolean }) => {
        const found = await find(client, "member", name);
        await sure(found.name, `Removing ${found.name} ends its tokens and its accounts in clusters`, options);
        await client.call("DELETE", at(found.id));
        await show(format, { id: found.id, name: found.name, removed: true }, [
          ["Removed", "name"],
          ["ID", "id"],
        ]);
      }),
    );
}
