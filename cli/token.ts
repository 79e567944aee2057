import { type Command, Option } from "commander";
import { sure } from "./ask.ts";
import { confirmed } from "./confirmation.ts";
import { listCommand } from "./list.ts";
import { age, note, show, type Column } from "./output.ts";
import { find, idOfCluster, many, seconds, signedIn, whole } from "./run.ts";
import type { Named } from "./shape.ts";

const tokens: Column<Named>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["State", "state"],
  ["Member", "member"],
  ["Scopes", "scopes"],
  ["Clusters", "clusters"],
  ["Projects", "projects"],
  ["Expires", "expiresAt"],
  ["Last used", "lastUsedAt"],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];
const details: Column<Named>[] = [...tokens, ["Revoked", "revokedAt"], ["Replaced by", "replacedBy"]];
const fresh: Column<Named>[] = [["Token", "token"], ...tokens.slice(0, 8)];

interface Making {
  scope?: string[];
  cluster?: string[];
  project?: string[];
  expires?: number;
  expiresInDays?: number;
  member?: string;
}

const at = (id: string): string => `/v1/tokens/${encodeURIComponent(id)}`;
const once = (): void => note("Keep the token now: it is not shown again.");

/** Tokens: the caller's own, and, for owners, everyone's. */
export function tokenCommands(root: Command): void {
  const token = root.command("token").description("API tokens");
  listCommand(token, "your tokens; an owner's list has everyone's", "/v1/tokens", tokens, [
    new Option("--member <id>", "only this member's"),
    new Option("--kind <kind>", "only these").choices(["key", "session"]),
    new Option("--state <state>", "only those that are so").choices(["active", "expired", "revoked"]),
  ]);
  token
    .command("get <name>")
    .description("one token, by its name or id; never its secret")
    .action(
      signedIn(async ({ client, format }, name: string) => {
        const id = name.startsWith("tok_") ? name : (await find(client, "token", name)).id;
        await show(format, await client.get<Named>(at(id)), details);
      }),
    );
  token
    .command("create <name>")
    .description("make a token; it is printed once and never again")
    .option("--scope <noun:verb>", "what it may do (repeat); without, all that you may", many)
    .option("--cluster <name>", "only with this cluster (repeat)", many)
    .option("--project <name>", "only in this project (repeat)", many)
    .addOption(new Option("--expires-in-days <days>", "how long it works").argParser(whole))
    .addOption(
      new Option("--expires <time>", "the same, such as 30d, in whole days")
        .argParser(seconds)
        .conflicts("expiresInDays"),
    )
    .option("--member <name>", "the robot that it is for, by its name or id; without, yourself")
    .action(
      signedIn(async ({ client, format }, name: string, making: Making) => {
        const { scope, cluster, project, expires, expiresInDays, member } = making;
        const clusters = cluster && (await Promise.all(cluster.map((each) => idOfCluster(client, each))));
        const projects = project && (await Promise.all(project.map((each) => find(client, "project", each))));
        const days = expiresInDays ?? (expires === undefined ? undefined : Math.ceil(expires / 86_400));
        const body = {
          name,
          ...(scope === undefined ? {} : { scopes: scope }),
          ...(clusters === undefined ? {} : { clusters }),
          ...(projects === undefined ? {} : { projects: projects.map(({ id }) => id) }),
          ...(days === undefined ? {} : { expiresInDays: days }),
          ...(member === undefined ? {} : { member: (await find(client, "member", member)).id }),
        };
        const { value } = await client.call<Named>("POST", "/v1/tokens", { body });
        once();
        await show(format, value, fresh);
      }),
    );
  token
    .command("rotate <name>")
    .description("make a new secret, by the token's name or id; it is printed once, and the old one ends later")
    .option("--overlap <time>", "how long the old one goes on, 0 to 24h; without, an hour", seconds)
    .action(
      signedIn(async ({ client, format }, name: string, { overlap }: { overlap?: number }) => {
        const { id } = await find(client, "token", name);
        const body = overlap === undefined ? {} : { overlapSeconds: overlap };
        const { value } = await client.call<Named>("POST", `${at(id)}/rotate`, { body });
        once();
        await show(format, value, fresh);
      }),
    );
  token
    .command("revoke <name>")
    .description("end a token, by its name or id")
    .option("--yes", "do not ask")
    .action(
      signedIn(async ({ client, format }, name: string, options: { yes?: boolean }) => {
        const found = await find(client, "token", name);
        await sure(found.name, `Revoking ${found.name} ends whatever uses it`, options);
        // Who ends a token by its name means all that still works under it.
        const { items } = await client.list<Named>("/v1/tokens", { state: "active", limit: 100 }, true);
        const before = items.find(({ replacedBy }) => replacedBy === found.id);
        confirmed((await client.call<Named>("DELETE", at(found.id))).value ?? {});
        if (before !== undefined) {
          note(
            `What it replaced works until ${String(before["expiresAt"])}; berth token revoke ${before.id} ends it now.`,
          );
        }
        await show(format, { id: found.id, name: found.name, revoked: true }, [
          ["Revoked", "name"],
          ["ID", "id"],
        ]);
      }),
    );
}
