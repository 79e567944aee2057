import { randomUUID } from "node:crypto";
import { type Command, Option } from "commander";
import type { Client } from "./client.ts";
import { show, showPage } from "./output.ts";
import { openingCommands } from "./opening.ts";
import { placeCommands } from "./place.ts";
import { idOfCluster, many, seconds, signedIn, whole } from "./run.ts";
import { at, details, findProject, type Project, row, type Split, splits, waitProject } from "./space.ts";
import { bodyOf, type Said } from "./wish.ts";

interface Waiting {
  wait?: boolean;
  timeout: number;
  dryRun?: boolean;
}
interface Listed {
  name?: string;
  cluster?: string;
  label?: string[];
  expiring?: boolean;
  limit?: number;
  after?: string;
  all?: boolean;
}

/** What a project may be told, when it is made and later. */
const settings = (command: Command): Command =>
  command
    .option("--title <title>", "what people call it")
    .option("--limit <name=amount,…>", "cpu, memory, storage, pods, services, loadBalancers, volumes (repeat)", many)
    .option("--reserve <percent>", "how much of each limit no cluster gets, for a failover", whole)
    .option(
      "--default <name=amount,…>",
      "of containers that say nothing: cpuRequest, cpuLimit, memoryRequest, memoryLimit",
      many,
    )
    .option("--label <key=value>", "a label of its namespaces (repeat)", many)
    .addOption(
      new Option("--pod-security <level>", "what Pods may be").choices(["privileged", "baseline", "restricted"]),
    )
    .addOption(new Option("--network <mode>", "isolated but for its openings, or open").choices(["isolated", "open"]))
    .option("--pull-secret <name>", "the Secret in each namespace with which images are pulled")
    .option("--expires <time>", "when it ends: ISO 8601, or such as 30d from now")
    .option("--file <file>", "what else is wanted, as YAML or JSON of the API's own form")
    .option("--dry-run", "only show how the limits would be split")
    .option("--wait", "wait until it is ready on all of its clusters")
    .option("--timeout <time>", "how long to wait, such as 90s or 5m", seconds, 300);

async function shownSplit(client: Client, body: Record<string, unknown>): Promise<Split> {
  const { limits = {}, reservePercent = 0, places = [] } = body;
  return (await client.call<Split>("POST", "/v1/projects/split", { body: { limits, reservePercent, places } })).value;
}

/** Making, looking, changing and removing. */
export function projectCommands(root: Command): void {
  const project = root
    .command("project")
    .description("projects: a namespace on each of several clusters, with one limit");
  settings(project.command("create <name>").description("make a project"))
    .option("--cluster <name[:weight]>", "a cluster that it is to be on (repeat)", many)
    .option("--deletion-protection", "refuse its removal until it is unprotected")
    .action(
      signedIn(async ({ client, format }, name: string, options: Said & Waiting) => {
        const body: Record<string, unknown> = { ...(await bodyOf(client, options)), name };
        if (options.dryRun) return await show(format, await shownSplit(client, body), splits);
        const headers = { "idempotency-key": randomUUID() };
        const { value } = await client.call<Project>("POST", "/v1/projects", { body, headers });
        const made = options.wait ? await waitProject(client, value.id, options.timeout) : value;
        await show(format, made, details);
      }),
    );
  project
    .command("list")
    .description("list projects")
    .option("--name <name>", "only the one of this name")
    .option("--cluster <name>", "only those on this cluster")
    .option("--label <key=value>", "only those with this label (repeat)", many)
    .option("--expiring", "only those that end within a week, or have ended")
    .option("--limit <n>", "how many at most", whole)
    .option("--after <cursor>", "go on after an earlier page")
    .option("--all", "every page")
    .action(
      signedIn(async ({ client, format }, { limit, all, cluster, expiring, ...asked }: Listed) => {
        const on = cluster === undefined ? undefined : await idOfCluster(client, cluster);
        const size = limit ?? (all ? 100 : undefined);
        const query = { ...asked, cluster: on, expiring: expiring ? "true" : undefined, limit: size };
        await showPage(format, await client.list<Project>("/v1/projects", query, all), row);
      }),
    );
  project
    .command("get <name>")
    .alias("show")
    .description("one project, by its name or id")
    .option("--wait", "wait until it is ready on all of its clusters")
    .option("--timeout <time>", "how long to wait, such as 90s or 5m", seconds, 300)
    .action(
      signedIn(async ({ client, format }, name: string, options: Waiting) => {
        const found = await findProject(client, name);
        await show(format, options.wait ? await waitProject(client, found.id, options.timeout) : found, details);
      }),
    );
  settings(
    project.command("update <name>").description("change a project; what is left out stays, name- takes away"),
  ).action(
    signedIn(async ({ client, format }, name: string, options: Said & Waiting) => {
      const found = await findProject(client, name);
      const body: Record<string, unknown> = await bodyOf(client, options, found);
      if (options.dryRun) {
        const places = found.places.flatMap(({ cluster, weight, leavingAt }) =>
          leavingAt ? [] : [{ cluster, weight }],
        );
        return await show(format, await shownSplit(client, { ...found.spec, places, ...body }), splits);
      }
      const headers = { "if-match": `"${found.generation}"` };
      const { value } = await client.call<Project>("PATCH", at(found.id), { body, headers });
      await show(format, options.wait ? await waitProject(client, value.id, options.timeout) : value, details);
    }),
  );
  openingCommands(project);
  placeCommands(project);
}
