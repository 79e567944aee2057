import type { Command } from "commander";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import { Stop } from "./fault.ts";
import { note, show, type Column } from "./output.ts";
import { idOfCluster, seconds, signedIn, whole } from "./run.ts";
import {
  at,
  confirmed,
  details,
  findProject,
  type Project,
  type Receipt,
  receipts,
  showContents,
  waitProject,
} from "./space.ts";

interface Usage {
  total: Limits;
  complete: boolean;
  places: { clusterName: string; why?: string; limits: Limits }[];
}
type Limits = Record<string, { used: string; limit: string; over: boolean }>;

const said = (limits: Limits): string[] =>
  Object.entries(limits).map(([name, { used, limit, over }]) => `${name} ${used}/${limit}${over ? " (over)" : ""}`);
const usages: Column<Usage>[] = [
  ["Used", ({ total }) => said(total)],
  [
    "Of which",
    ({ places }) =>
      places.map(
        ({ clusterName, why, limits }) => `${clusterName}: ${why ?? (said(limits).join(", ") || "nothing is limited")}`,
      ),
  ],
  ["Complete", ({ complete }) => (complete ? "yes" : "no: not all clusters answered")],
];

interface Waiting {
  wait?: boolean;
  timeout: number;
}
interface Sure {
  /** The project's name, said once more. */
  yes?: string;
}

const waiting = (command: Command): Command =>
  command
    .option("--wait", "wait until it is done")
    .option("--timeout <time>", "how long to wait, such as 90s or 5m", seconds, 300);
const sure = (command: Command): Command =>
  command.option("--yes <name>", "the project's name once more, in place of being asked");

/** What is wanted of places is said as a whole, so it is changed on the generation that was read. */
async function patch(client: Client, found: Project, body: object): Promise<Project> {
  const headers = { "if-match": `"${found.generation}"` };
  return (await client.call<Project>("PATCH", at(found.id), { body, headers })).value;
}
const staying = ({ places }: Project) =>
  places.flatMap(({ cluster, weight, leavingAt }) => (leavingAt === undefined ? [{ cluster, weight }] : []));

/** Waits until a project is gone. @throws Stop `timeout`. */
async function waitGone(client: Client, id: string, limitSeconds: number): Promise<Receipt> {
  const until = performance.now() + limitSeconds * 1000;
  const told = new Set<string>();
  for (;;) {
    try {
      const { status } = await client.get<Project>(at(id));
      for (const { clusterName = "", message } of status.places) {
        const line = `${clusterName}: ${message}`;
        if (!told.has(line)) note(line);
        told.add(line);
      }
    } catch (error) {
      if (error instanceof Stop && error.exit === "missing") return await client.get<Receipt>(`${at(id)}/receipt`);
      throw error;
    }
    if (performance.now() >= until)
      throw new Stop("timeout", `It is not gone after ${limitSeconds} s; its removal goes on.`);
    await sleep(500);
  }
}

/** Where a project is, and its end. */
export function placeCommands(project: Command): void {
  waiting(project.command("add-cluster <name> <cluster>").description("give a project a namespace on one more cluster"))
    .option("--weight <n>", "its part of the limits, by weight", whole, 1)
    .action(
      signedIn(async ({ client, format }, name: string, cluster: string, options: Waiting & { weight: number }) => {
        const found = await findProject(client, name);
        const id = await idOfCluster(client, cluster);
        const others = staying(found).filter((one) => one.cluster !== id);
        const value = await patch(client, found, { places: [...others, { cluster: id, weight: options.weight }] });
        await show(format, options.wait ? await waitProject(client, value.id, options.timeout) : value, details);
      }),
    );
  sure(
    project
      .command("drop-cluster <name> <cluster>")
      .description("take a project's namespace from a cluster, with all in it"),
  ).action(
    signedIn(async ({ client, format }, name: string, cluster: string, { yes }: Sure) => {
      const found = await findProject(client, name);
      const id = await idOfCluster(client, cluster);
      const stay = staying(found).filter((one) => one.cluster !== id);
      if (stay.length === staying(found).length) throw new Stop("missing", `${found.name} is not on ${cluster}.`);
      await showContents(client, found, [id]);
      const confirm = await confirmed(found, `This ends all that ${found.name} has on ${cluster}`, yes);
      await show(format, await patch(client, found, { places: stay, confirm }), details);
    }),
  );
  sure(waiting(project.command("move <name>").description("move a project's namespace; nothing in it is carried over")))
    .requiredOption("--from <cluster>", "where it is")
    .requiredOption("--to <cluster>", "where it is to be")
    .action(
      signedIn(async ({ client, format }, name: string, options: Sure & Waiting & { from: string; to: string }) => {
        const found = await findProject(client, name);
        const [from, to] = await Promise.all([idOfCluster(client, options.from), idOfCluster(client, options.to)]);
        await showContents(client, found, [from]);
        const what = `Once ${found.name} is ready on ${options.to}, all that it has on ${options.from} ends`;
        const confirm = await confirmed(found, what, options.yes);
        const headers = { "if-match": `"${found.generation}"` };
        const asked = { body: { from, to, confirm }, headers };
        const { value } = await client.call<Project>("POST", `${at(found.id)}/move`, asked);
        await show(format, options.wait ? await waitProject(client, value.id, options.timeout) : value, details);
      }),
    );
  sure(
    project.command("adopt <name> <cluster>").description("take over a namespace that is there already (owners)"),
  ).action(
    signedIn(async ({ client, format }, name: string, cluster: string, { yes }: Sure) => {
      const found = await findProject(client, name);
      const id = await idOfCluster(client, cluster);
      const what = `The namespace ${found.name} on ${cluster} becomes the project's, and goes when the project does`;
      const confirm = await confirmed(found, what, yes);
      const headers = { "if-match": `"${found.generation}"` };
      const asked = { body: { cluster: id, confirm }, headers };
      await show(format, (await client.call<Project>("POST", `${at(found.id)}/adopt`, asked)).value, details);
    }),
  );
  project
    .command("usage <name>")
    .description("how much of its limits a project uses, by your own rights")
    .action(
      signedIn(async ({ client, format }, name: string) => {
        const { id } = await findProject(client, name);
        await show(format, await client.get<Usage>(`/v1/kube/projects/${id}/usage`), usages);
      }),
    );
  for (const [verb, deletionProtection] of [
    ["protect", true],
    ["unprotect", false],
  ] as const) {
    project
      .command(`${verb} <name>`)
      .description(deletionProtection ? "refuse that a namespace of it goes" : "allow its removal again")
      .action(
        signedIn(async ({ client, format }, name: string) => {
          const found = await findProject(client, name);
          const asked = { body: { deletionProtection } };
          await show(format, (await client.call<Project>("PATCH", at(found.id), asked)).value, details);
        }),
      );
  }
  sure(
    waiting(project.command("delete <name>").description("remove a project and all that is in its namespaces")),
  ).action(
    signedIn(async ({ client, format }, name: string, options: Sure & Waiting) => {
      const found = await findProject(client, name);
      await showContents(client, found);
      const confirm = await confirmed(
        found,
        `This ends all that is in ${found.name}, on each of its clusters`,
        options.yes,
      );
      const { value } = await client.call<Project>("DELETE", at(found.id), { query: { confirm } });
      if (options.wait) return await show(format, await waitGone(client, found.id, options.timeout), receipts);
      await show(format, value, details);
    }),
  );
  project
    .command("receipt <id>")
    .description("what is left of a removed project")
    .action(
      signedIn(async ({ client, format }, id: string) => {
        await show(format, await client.get<Receipt>(`${at(id)}/receipt`), receipts);
      }),
    );
}
