import { type Command, Option } from "commander";
import { sure } from "./ask.ts";
import type { Client } from "./client.ts";
import { confirmed } from "./confirmation.ts";
import { listCommand } from "./list.ts";
import { age, show, type Column } from "./output.ts";
import { find, many, signedIn } from "./run.ts";
import type { Named } from "./shape.ts";

const teams: Column<Named>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["Title", "title"],
  ["Members", (row) => ((row["members"] ?? []) as string[]).length],
  ["Claims", "claims"],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];
const whole: Column<Named>[] = [...teams.slice(0, 3), ["Members", "members"], ...teams.slice(4)];

const at = (id: string): string => `/v1/teams/${encodeURIComponent(id)}`;
/** The ids of members who are said by name or id. */
const idsOf = (client: Client, names: string[]): Promise<string[]> =>
  Promise.all(names.map(async (name) => (await find(client, "member", name)).id));

interface Said {
  title?: string;
  member?: string[];
  claim?: string[];
}
const claim = (): Option =>
  new Option("--claim <text>", "who signs in with this in its groups claim is in it (repeat)").argParser(many);

/** Teams: sets of members that rights are granted to as one. */
export function teamCommands(root: Command): void {
  const team = root.command("team").description("teams: members that rights are granted to as one");
  listCommand(team, "the teams", "/v1/teams", teams, [new Option("--member <id>", "only those that it is in")]);
  team
    .command("show <name>")
    .alias("get")
    .description("one team with its members, by its name or id")
    .action(
      signedIn(async ({ client, format }, name: string) => {
        const { id } = await find(client, "team", name);
        await show(format, await client.get<Named>(at(id)), whole);
      }),
    );
  team
    .command("create <name>")
    .description("make a team (owners)")
    .option("--title <title>", "what people call it")
    .option("--member <name>", "who is in it, by name or id (repeat)", many)
    .addOption(claim())
    .action(
      signedIn(async ({ client, format }, name: string, { title, member, claim: claims }: Said) => {
        const members = await idsOf(client, member ?? []);
        const body = { name, ...(title !== undefined && { title }), members, ...(claims && { claims }) };
        await show(format, (await client.call<Named>("POST", "/v1/teams", { body })).value, whole);
      }),
    );
  team
    .command("update <name>")
    .description("change a team's title or claims, by its name or id (owners)")
    .option("--title <title>", "what people call it")
    .addOption(claim())
    .option("--no-claims", "nobody is in it by signing in any more")
    .action(
      signedIn(async ({ client, format }, name: string, said: Said & { claims?: boolean }) => {
        const { id } = await find(client, "team", name);
        const claims = said.claims === false ? [] : said.claim;
        const body = { ...(said.title !== undefined && { title: said.title }), ...(claims && { claims }) };
        await show(format, (await client.call<Named>("PATCH", at(id), { body })).value, whole);
      }),
    );
  seatCommands(team);
  team
    .command("delete <name>")
    .description("remove a team and all that it is granted, by its name or id (owners)")
    .option("--yes", "do not ask")
    .action(
      signedIn(async ({ client, format }, name: string, options: { yes?: boolean }) => {
        const found = await find(client, "team", name);
        await sure(found.name, `Removing the team ${found.name} ends all that it is granted`, options);
        const { value } = await client.call<Named>("DELETE", at(found.id));
        confirmed(value);
        await show(format, { id: found.id, name: found.name, removed: true }, [
          ["Removed", "name"],
          ["ID", "id"],
        ]);
      }),
    );
}

/** Who is in a team. */
function seatCommands(team: Command): void {
  const seats = [
    ["add", "POST", "put members into a team (owners)"],
    ["drop", "DELETE", "take members out of a team (owners)"],
  ] as const;
  for (const [verb, method, said] of seats) {
    team
      .command(`${verb} <name> <members...>`)
      .description(`${said}; by names or ids`)
      .action(
        signedIn(async ({ client, format }, name: string, names: string[]) => {
          const { id } = await find(client, "team", name);
          let last: Named | undefined;
          // One after the other: each says what the team is after it.
          for (const member of await idsOf(client, names)) {
            last = (await client.call<Named>(method, `${at(id)}/members/${encodeURIComponent(member)}`)).value;
            confirmed(last);
          }
          if (last !== undefined) await show(format, last, whole);
        }),
      );
  }
}
