import { InvalidArgumentError, type Command, Option } from "commander";
import { sure } from "./ask.ts";
import { newClient } from "./client.ts";
import { checkServer, configPath, knownServer, saveSession } from "./config.ts";
import { Stop } from "./fault.ts";
import { listCommand } from "./list.ts";
import { age, note, show, type Column } from "./output.ts";
import { find, type Flags, many, signedIn, whole } from "./run.ts";
import type { Named } from "./shape.ts";

const invites: Column<Named>[] = [
  ["For", "name"],
  ["ID", "id"],
  ["State", "state"],
  ["Role", "role"],
  ["Teams", "teams"],
  ["Expires", "expiresAt"],
  ["Accepted by", "acceptedBy"],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];
const fresh: Column<Named>[] = [["Link", "link"], ...invites.slice(0, 6)];

interface Accepted {
  tenant: Named;
  member: Named & { role: string };
  token: string;
  expiresAt: string;
}
const accepted: Column<Accepted & { server: string }>[] = [
  ["Server", "server"],
  ["Tenant", (row) => `${row.tenant.name} (${row.tenant.id})`],
  ["Member", (row) => `${row.member.name} (${row.member.id})`],
  ["Role", "member.role"],
  ["Until", "expiresAt"],
];

const at = (id: string): string => `/v1/invites/${encodeURIComponent(id)}`;

/** `group@scope`: a built-in group or the id of one, and tenant, or the id of a cluster or a project. */
function gift(text: string, before: [string, string][] = []): [string, string][] {
  const [group = "", scope = "", ...rest] = text.split("@");
  if (group === "" || scope === "" || rest.length > 0) throw new InvalidArgumentError("Write it like view@tenant.");
  return [...before, [group, scope]];
}

interface Said {
  role: string;
  team?: string[];
  grant?: [string, string][];
  expiresInDays?: number;
}

/** Links by which people become members. */
export function inviteCommands(root: Command): void {
  const invite = root.command("invite").description("invites: links by which people become members, once each");
  listCommand(invite, "the invites (owners)", "/v1/invites", invites, [
    new Option("--state <state>", "only those that are so").choices(["open", "accepted", "revoked", "expired"]),
  ]);
  invite
    .command("create [name]")
    .description("invite a person; the link is printed once and never again (owners)")
    .addOption(
      new Option("--role <role>", "its role").choices(["owner", "editor", "viewer", "staff"]).default("viewer"),
    )
    .option("--team <name>", "a team that it comes into, by its name or id (repeat)", many)
    .option("--grant <group@scope>", "a right that it gets, such as view@tenant or edit@prj_… (repeat)", gift)
    .addOption(new Option("--expires-in-days <days>", "how long the link works, 1 to 30").argParser(whole))
    .action(
      signedIn(async ({ client, format }, name: string | undefined, said: Said) => {
        const teams = await Promise.all((said.team ?? []).map(async (each) => (await find(client, "team", each)).id));
        const grants = (said.grant ?? []).map(([group, scope]) => ({ group, scope }));
        const days = said.expiresInDays === undefined ? {} : { expiresInDays: said.expiresInDays };
        const body = { role: said.role, teams, grants, ...(name !== undefined && { name }), ...days };
        const { value } = await client.call<Named>("POST", "/v1/invites", { body });
        note("Hand the link over now, to nobody else: it is not shown again.");
        await show(format, value, fresh);
      }),
    );
  invite
    .command("revoke <name>")
    .description("end an invite that nobody has accepted, by its name or id (owners)")
    .option("--yes", "do not ask")
    .action(
      signedIn(async ({ client, format }, name: string, options: { yes?: boolean }) => {
        const { id } = name.startsWith("inv_") ? { id: name } : await find(client, "invite", name);
        await sure(name, `Revoking the invite ${name} ends its link`, options);
        await show(format, (await client.call<Named>("DELETE", at(id))).value, invites);
      }),
    );
  invite
    .command("accept <link>")
    .description("become a member by an invite's link, and be signed in")
    .option("--name <name>", "what you are to be called; without, as the invite says")
    .action(async function (this: Command, link: string) {
      const { server: named, output, name } = this.optsWithGlobals<Flags & { name?: string }>();
      const server = checkServer(named ?? origin(link) ?? knownServer() ?? missing());
      const body = { invite: link, ...(name !== undefined && { name }) };
      const { value } = await newClient(server, undefined).call<Accepted>("POST", "/v1/invites/accept", { body });
      saveSession({ server, token: value.token });
      note(`Signed in; kept in ${configPath()}.`);
      const { token: _, ...told } = value;
      await show(output ?? "table", { server, ...told } as Accepted & { server: string }, accepted);
    });
}

/** A link leads to its own server; the text alone says none. */
const origin = (link: string): string | undefined =>
  link.includes("/#/") ? link.slice(0, link.indexOf("/#/")) : undefined;

function missing(): never {
  throw new Stop("usage", "Which server? Give the whole link, or add --server URL.");
}
