import { type Command, Option } from "commander";
import type { Client } from "./client.ts";
import { confirmed } from "./confirmation.ts";
import { type Grant, grantColumns, namesOf, scopeOf, subjectOf } from "./given.ts";
import { type Format, show, showPage } from "./output.ts";
import { find, seconds, signedIn, whole } from "./run.ts";

interface Giving {
  on: string[];
  expires?: number;
  reason?: string;
}
interface Listed {
  subject?: string;
  group?: string;
  on?: string[];
  state?: string;
  limit?: number;
  after?: string;
  all?: boolean;
}

const on = (): Option => new Option("--on <scope...>", "tenant, cluster NAME or project NAME");
const expires = (): Option =>
  new Option("--expires <time>", "how long it holds, such as 7d, in whole days; for good unless said").argParser(
    seconds,
  );

const at = (id: string): string => `/v1/grants/${encodeURIComponent(id)}`;
const groupOf = async (client: Client, name: string): Promise<string> => (await find(client, "group", name)).id;

async function wanted(client: Client, group: string, { on: words, expires: life, reason }: Giving): Promise<object> {
  return {
    group: await groupOf(client, group),
    scope: await scopeOf(client, words),
    ...(life !== undefined && { expiresInDays: Math.ceil(life / 86_400) }),
    ...(reason !== undefined && { reason }),
  };
}

/** One grant with names for ids, and what clusters have not heard yet. */
async function told(client: Client, format: Format, grant: Grant): Promise<void> {
  confirmed(grant);
  await show(format, grant, format === "table" ? grantColumns(await namesOf(client)) : []);
}

/** Who is given which permission group, where. */
export function grantCommands(root: Command): void {
  const grant = root.command("grant").description("grants: who is given which permission group, where");
  grant
    .command("list")
    .description("list grants and requests")
    .option("--subject <name>", "only what this member (its teams too) or team is given")
    .option("--group <name>", "only of this group")
    .addOption(on())
    .addOption(new Option("--state <state>", "only those that are so").choices(["active", "requested"]))
    .option("--limit <n>", "how many at most", whole)
    .option("--after <cursor>", "go on after an earlier page")
    .option("--all", "every page")
    .action(
      signedIn(async ({ client, format }, { subject, group, on: words, limit, all, ...asked }: Listed) => {
        const query = {
          ...asked,
          subject: subject === undefined ? undefined : await subjectOf(client, subject),
          group: group === undefined ? undefined : await groupOf(client, group),
          scope: words === undefined ? undefined : await scopeOf(client, words),
          limit: limit ?? (all ? 100 : undefined),
        };
        const page = await client.list<Grant>("/v1/grants", query, all);
        await showPage(format, page, format === "table" ? grantColumns(await namesOf(client)) : []);
      }),
    );
  grant
    .command("show <id>")
    .alias("get")
    .description("one grant or request")
    .action(signedIn(async ({ client, format }, id: string) => told(client, format, await client.get<Grant>(at(id)))));
  grant
    .command("create <subject> <group>")
    .description("give a group to a member or a team, by name or id")
    .addOption(on().makeOptionMandatory())
    .addOption(expires())
    .option("--reason <text>", "why")
    .action(
      signedIn(async ({ client, format }, subject: string, group: string, options: Giving) => {
        const body = { subject: await subjectOf(client, subject), ...(await wanted(client, group, options)) };
        await told(client, format, (await client.call<Grant>("POST", "/v1/grants", { body })).value);
      }),
    );
  grant
    .command("request <group>")
    .description("ask for a group for yourself")
    .addOption(on().makeOptionMandatory())
    .addOption(expires())
    .requiredOption("--reason <text>", "why, for who is to approve it")
    .action(
      signedIn(async ({ client, format }, group: string, options: Giving) => {
        const body = await wanted(client, group, options);
        await told(client, format, (await client.call<Grant>("POST", "/v1/grants/requests", { body })).value);
      }),
    );
  for (const [verb, what] of [
    ["approve", "give what was asked for"],
    ["deny", "say no to what was asked for"],
  ] as const) {
    grant
      .command(`${verb} <id>`)
      .description(what)
      .action(
        signedIn(async ({ client, format }, id: string) => {
          await told(client, format, (await client.call<Grant>("POST", `${at(id)}/${verb}`)).value);
        }),
      );
  }
  grant
    .command("delete <id>")
    .alias("remove")
    .description("take a group back; tells which clusters have not taken it away yet")
    .action(
      signedIn(async ({ client, format }, id: string) => {
        await told(client, format, (await client.call<Grant>("DELETE", at(id))).value);
      }),
    );
}
