import type { Command } from "commander";
import { age, note, show, showPage, type Column } from "./output.ts";
import { find, many, seconds, signedIn, whole } from "./run.ts";
import type { Named } from "./shape.ts";

interface Paging {
  limit?: number;
  after?: string;
  all?: boolean;
}

/** A command that prints a list of the API, page by page or whole. */
export function listCommand(parent: Command, what: string, path: string, columns: Column<Named>[]): void {
  parent
    .command("list")
    .description(`list ${what}`)
    .option("--limit <n>", "how many at most", whole)
    .option("--after <cursor>", "go on after an earlier page")
    .option("--all", "every page")
    .action(
      signedIn(async ({ client, format }, { limit, after, all }: Paging) => {
        await showPage(
          format,
          await client.list<Named>(path, { limit: limit ?? (all ? 100 : undefined), after }, all),
          columns,
        );
      }),
    );
}

const tokens: Column<Named>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["Scopes", "scopes"],
  ["Expires", "expiresAt"],
  ["Last used", "lastUsedAt"],
  ["Revoked", "revokedAt"],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];

interface TokenOptions {
  scope?: string[];
  expires?: number;
}

function tokenCommands(root: Command): void {
  const token = root.command("token").description("API tokens of yours");
  listCommand(token, "your tokens", "/v1/tokens", tokens);
  token
    .command("create <name>")
    .description("make a token; it is printed once and never again")
    .option("--scope <noun:verb>", "what it may do (repeat); without, all that you may", many)
    .option("--expires <time>", "how long it works, in whole days, such as 30d", seconds)
    .action(
      signedIn(async ({ client, format }, name: string, { scope, expires }: TokenOptions) => {
        const body = {
          name,
          ...(scope === undefined ? {} : { scopes: scope }),
          ...(expires === undefined ? {} : { expiresInDays: Math.ceil(expires / 86_400) }),
        };
        const { value } = await client.call<Named>("POST", "/v1/tokens", { body });
        note("Keep the token now: it is not shown again.");
        await show(format, value, [["Token", "token"], ...tokens.slice(0, 4)]);
      }),
    );
  token
    .command("revoke <name>")
    .description("end a token, by its name or id")
    .action(
      signedIn(async ({ client, format }, name: string) => {
        const found = await find(client, "token", name);
        await client.call("DELETE", `/v1/tokens/${encodeURIComponent(found.id)}`);
        await show(format, { id: found.id, name: found.name, revoked: true }, [
          ["Revoked", "name"],
          ["ID", "id"],
        ]);
      }),
    );
}

/** What concerns the caller's own tenant, clusters apart. */
export function tenantCommands(root: Command): void {
  tokenCommands(root);
  listCommand(root.command("member").description("members of your tenant"), "the members", "/v1/members", [
    ["Name", "name"],
    ["ID", "id"],
    ["Role", "role"],
    ["Kind", "kind"],
  ]);
  listCommand(root.command("version").description("Kubernetes versions"), "the versions on offer", "/v1/versions", [
    ["Version", "version"],
    ["State", "state"],
    ["etcd", "etcd"],
    ["Released", "releasedOn"],
    ["Upstream ends", "upstreamEndsOn"],
    ["Regions", "regions"],
  ]);
  listCommand(root.command("audit").description("who did what"), "the audit entries, newest first", "/v1/audit", [
    ["At", "at"],
    ["Member", "actor.member"],
    ["Verb", "verb"],
    ["Target", "target"],
    ["Fields", "changes"],
    ["Request", "requestID"],
  ]);
}
