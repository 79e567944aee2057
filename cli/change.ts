import type { Command } from "commander";
import { ask } from "./ask.ts";
import type { Answer, Client } from "./client.ts";
import { details } from "./cluster.ts";
import { Stop } from "./fault.ts";
import { note, show, type Column } from "./output.ts";
import { idOfCluster, pairs, seconds, signedIn } from "./run.ts";
import type { Cluster, Receipt } from "./shape.ts";
import { waitGone } from "./wait.ts";

const receipts: Column<Receipt>[] = [
  ["Removed", "name"],
  ["ID", "id"],
  ["Created", "createdAt"],
  ["Asked for", "deletedAt"],
  ["Gone", "goneAt"],
  ["Host", "host"],
  ["Had been made", (row) => `${row.removed.length} objects`],
  ["Still there", (row) => (row.remaining.length === 0 ? "nothing" : row.remaining)],
];

/** Labels are set as a whole, so they are read, changed and written on condition that nobody was faster. */
async function relabel(client: Client, id: string, edits: Record<string, string | undefined>): Promise<Cluster> {
  for (let round = 1; ; round++) {
    const { value, etag } = await client.call<Cluster>("GET", `/v1/clusters/${id}`);
    const merged = Object.entries({ ...value.spec.labels, ...edits }).filter(([, text]) => text !== undefined);
    const headers: Record<string, string> = etag === null ? {} : { "if-match": etag };
    try {
      return await patch(client, id, { labels: Object.fromEntries(merged) }, headers);
    } catch (error) {
      if (!(error instanceof Stop && error.exit === "conflict") || round === 4) throw error;
    }
  }
}

const patch = async (
  client: Client,
  id: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Cluster> => (await client.call<Cluster>("PATCH", `/v1/clusters/${id}`, { body, headers })).value;

interface Removing {
  yes?: boolean;
  wait?: boolean;
  timeout: number;
}

/** A cluster's name is typed once more where somebody sits; a script has to say --yes. */
async function confirm(name: string, { yes }: Removing): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new Stop("usage", `Removing ${name} ends all that runs in it: add --yes.`);
  const answer = await ask(`This ends all that runs in ${name}. Type its name to go on: `);
  if (answer !== name) throw new Stop("usage", "That is another name; nothing was removed.");
}

async function remove(client: Client, id: string, options: Removing): Promise<Answer<Cluster | undefined> | Receipt> {
  const answer = await client.call<Cluster | undefined>("DELETE", `/v1/clusters/${id}`);
  return options.wait ? waitGone(client, id, options.timeout) : answer;
}

/** What alters a cluster that is there. */
export function changeCommands(cluster: Command): void {
  cluster
    .command("label <name> <labels...>")
    .description("set labels with key=value, remove them with key-")
    // `key-` is no option, but commander would take `-key` for one; it stays an error.
    .action(
      signedIn(async ({ client, format }, name: string, labels: string[]) => {
        const edits = pairs(labels, true);
        await show(format, await relabel(client, await idOfCluster(client, name), edits), details);
      }),
    );
  for (const [verb, deletionProtection] of [
    ["protect", true],
    ["unprotect", false],
  ] as const) {
    cluster
      .command(`${verb} <name>`)
      .description(deletionProtection ? "refuse its removal" : "allow its removal again")
      .action(
        signedIn(async ({ client, format }, name: string) => {
          await show(format, await patch(client, await idOfCluster(client, name), { deletionProtection }), details);
        }),
      );
  }
  cluster
    .command("source-ranges <name> [ranges...]")
    .description("from where its API server may be reached, in place of what was said before")
    .option("--any", "from anywhere")
    .action(
      signedIn(async ({ client, format }, name: string, ranges: string[], { any }: { any?: boolean }) => {
        if ((any === true) !== (ranges.length === 0)) throw new Stop("usage", "Say ranges, or --any.");
        const id = await idOfCluster(client, name);
        await show(format, await patch(client, id, { sourceRanges: ranges }), details);
      }),
    );
  cluster
    .command("delete <name>")
    .description("remove a cluster and all that is in it")
    .option("--yes", "do not ask")
    .option("--wait", "wait until it is gone, and print the receipt")
    .option("--timeout <time>", "how long to wait, such as 90s or 5m", seconds, 300)
    .action(
      signedIn(async ({ client, format }, name: string, options: Removing) => {
        const id = await idOfCluster(client, name);
        await confirm(name, options);
        const left = await remove(client, id, options);
        if ("goneAt" in left) return show(format, left, receipts);
        if (left.value !== undefined) return show(format, left.value, details);
        note("Its removal has begun.");
        await show(format, { id }, [["ID", "id"]]);
      }),
    );
  cluster
    .command("receipt <id>")
    .description("what a removed cluster had, and the proof that it is gone")
    .action(
      signedIn(async ({ client, format }, id: string) => {
        await show(format, await client.get<Receipt>(`/v1/clusters/${encodeURIComponent(id)}/receipt`), receipts);
      }),
    );
}
