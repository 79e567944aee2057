import { type Command, Option } from "commander";
import { sure } from "./ask.ts";
import { confirmed } from "./confirmation.ts";
import { listCommand } from "./list.ts";
import { age, note, show, type Column } from "./output.ts";
import { find, many, signedIn, whole } from "./run.ts";
import type { Named } from "./shape.ts";

const rows: Column<Named>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["Issuer", "issuer"],
  ["Client", "clientID"],
  ["New members", (row) => (row["jit"] === true ? `become ${String(row["defaultRole"])}` : "are invited")],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];
const details: Column<Named>[] = [
  ...rows,
  ["Title", "title"],
  ["Audience", "audience"],
  ["Scopes", "scopes"],
  ["Claims", "claims"],
  ["Domains", "allowedDomains"],
  ["Session hours", "sessionHours"],
  ["Endpoints", "endpoints"],
];

interface Said {
  title?: string;
  clientId?: string;
  audience?: string;
  scope?: string[];
  nameClaim?: string;
  emailClaim?: string;
  groupsClaim?: string;
  jit?: boolean;
  role?: string;
  domain?: string[];
  sessionHours?: number;
}

/** What both making and changing take. */
const saying = (command: Command): Command =>
  command
    .option("--title <title>", "what people are shown")
    .option("--client-id <id>", "the client that Berth is to the issuer: a public one, with PKCE")
    .option("--audience <text>", "whom ID tokens must be for; without, the client")
    .option("--scope <scope>", "what is asked for (repeat); without, openid profile email", many)
    .option("--name-claim <claim>", "the claim that holds a member's name")
    .option("--email-claim <claim>", "the claim that holds its e-mail")
    .option("--groups-claim <claim>", "the claim that holds its groups")
    .option("--jit", "who signs in for the first time becomes a member by that")
    .option("--no-jit", "only who was invited signs in")
    .addOption(new Option("--role <role>", "what such a member is").choices(["viewer", "editor"]))
    .option("--domain <domain>", "only verified e-mails of this domain sign in (repeat)", many)
    .option("--session-hours <hours>", "how long a session lives, 1 to 168", whole);

function bodyOf(said: Said): Record<string, unknown> {
  const claims = { name: said.nameClaim, email: said.emailClaim, groups: said.groupsClaim };
  const given = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  const all = {
    title: said.title,
    clientID: said.clientId,
    audience: said.audience,
    scopes: said.scope,
    claims: Object.keys(given).length === 0 ? undefined : given,
    jit: said.jit,
    defaultRole: said.role,
    allowedDomains: said.domain,
    sessionHours: said.sessionHours,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

const at = (id: string): string => `/v1/providers/${encodeURIComponent(id)}`;

/** Where a tenant's members prove who they are. */
export function providerCommands(root: Command): void {
  const provider = root
    .command("provider")
    .description("identity providers: where members prove who they are (owners)");
  listCommand(provider, "the tenant's identity providers", "/v1/providers", rows);
  provider
    .command("show <name>")
    .description("one provider, by its name or id")
    .action(
      signedIn(async ({ client, format }, name: string) => {
        const { id } = await find(client, "provider", name);
        await show(format, await client.get<Named>(at(id)), details);
      }),
    );
  saying(provider.command("create <name>"))
    .description("add a provider; its discovery document is read at once")
    .requiredOption("--issuer <url>", "its issuer, letter for letter")
    .option("--dry-run", "look at it, and make nothing")
    .action(
      signedIn(async ({ client, format }, name: string, said: Said & { issuer: string; dryRun?: boolean }) => {
        const body = { name, issuer: said.issuer, ...bodyOf(said) };
        const query = said.dryRun ? { dryRun: "true" } : {};
        const { value } = await client.call<Named>("POST", "/v1/providers", { body, query });
        if (said.dryRun) note("Nothing was made.");
        await show(format, value, details);
      }),
    );
  saying(provider.command("update <name>"))
    .description("change a provider, by its name or id; its issuer stays")
    .action(
      signedIn(async ({ client, format }, name: string, said: Said) => {
        const { id } = await find(client, "provider", name);
        const body = bodyOf(said);
        // Claims are said as a whole; those that are not named stay.
        const { value: before } = await client.call<Named>("GET", at(id));
        if (body["claims"] !== undefined)
          body["claims"] = { ...(before["claims"] as object), ...(body["claims"] as object) };
        await show(format, (await client.call<Named>("PATCH", at(id), { body })).value, details);
      }),
    );
  provider
    .command("delete <name>")
    .description("remove a provider: nobody signs in by it any more, and its sessions end")
    .option("--yes", "do not ask")
    .action(
      signedIn(async ({ client, format }, name: string, options: { yes?: boolean }) => {
        const found = await find(client, "provider", name);
        await sure(found.name, `Removing ${found.name} signs out everyone who came in by it`, options);
        confirmed((await client.call<Named>("DELETE", at(found.id))).value);
        await show(format, { id: found.id, name: found.name }, [
          ["Removed", "name"],
          ["ID", "id"],
        ]);
      }),
    );
}
