import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import type { Client } from "./client.ts";
import { age, note, show, showPage, type Column } from "./output.ts";
import { idOfCluster, many, pairs, seconds, signedIn, whole } from "./run.ts";
import type { Cluster, Condition } from "./shape.ts";
import { waitReady } from "./wait.ts";

/** What is told of one cluster. */
export const details: Column<Cluster>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["Phase", "status.phase"],
  ["Version", "spec.version"],
  ["Region", "spec.region"],
  ["Endpoint", "status.endpoint"],
  ["Service ranges", "spec.serviceCIDRs"],
  ["Pod ranges", "spec.podCIDRs"],
  ["Reached from", (row) => (row.spec.sourceRanges?.length ? row.spec.sourceRanges : "anywhere")],
  ["Labels", "spec.labels"],
  ["Protected", (row) => (row.spec.deletionProtection ? "yes" : "no")],
  ["Created", "createdAt"],
  ["Removal asked", "deletedAt"],
  ["Steps", (row) => row.status.conditions.filter(({ type }) => !troubles.has(type)).map(step)],
  ["Trouble", (row) => row.status.conditions.filter(isTrouble).map(({ type, message }) => `${type}: ${message}`)],
];

/** What is no step, and says why nothing goes on. */
const troubles = new Set(["Retrying", "Parked"]);
const isTrouble = ({ type, status }: Condition): boolean => troubles.has(type) && status === "True";

const step = ({ type, status, reason, tookSeconds }: Condition): string =>
  status === "True"
    ? `${type}${tookSeconds === undefined ? "" : ` ${tookSeconds.toFixed(1)}s`}`
    : `${type}: ${reason || status}`;

const row: Column<Cluster>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["Phase", "status.phase"],
  ["Version", "spec.version"],
  ["Region", "spec.region"],
  ["Age", (each) => age(each.createdAt)],
];

export interface Waiting {
  wait?: boolean;
  for: string;
  timeout: number;
}

/** The options of a command that can wait for a condition. */
export const waiting = (command: Command): Command =>
  command
    .option("--wait", "wait, and show the steps as they happen")
    .option("--for <condition>", "the condition to wait for", "Ready")
    .option("--timeout <time>", "how long to wait, such as 90s or 5m", seconds, 300);

interface Created extends Waiting {
  version?: string;
  region?: string;
  serviceCidr?: string[];
  podCidr?: string[];
  label?: string[];
  sourceRange?: string[];
  deletionProtection?: boolean;
}

async function create(client: Client, name: string, options: Created): Promise<Cluster> {
  const body = {
    name,
    ...(options.version === undefined ? {} : { version: options.version }),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.serviceCidr === undefined ? {} : { serviceCIDRs: options.serviceCidr }),
    ...(options.podCidr === undefined ? {} : { podCIDRs: options.podCidr }),
    ...(options.sourceRange === undefined ? {} : { sourceRanges: options.sourceRange }),
    ...(options.label === undefined ? {} : { labels: pairs(options.label) }),
    ...(options.deletionProtection ? { deletionProtection: true } : {}),
  };
  const headers = { "idempotency-key": randomUUID() };
  const { value } = await client.call<Cluster>("POST", "/v1/clusters", { body, headers });
  if (!options.wait) return value;
  note(`${value.name} is ${value.id}.`);
  return waitReady(client, value.id, options.for, options.timeout);
}

interface Listed {
  name?: string;
  phase?: string;
  region?: string;
  version?: string;
  label?: string[];
  sort?: string;
  limit?: number;
  after?: string;
  all?: boolean;
}

/** Making and looking. */
export function clusterCommands(cluster: Command): void {
  waiting(cluster.command("create <name>").description("make a cluster"))
    .option("--version <version>", "Kubernetes version, such as 1.34 or 1.34.4")
    .option("--region <region>", "where it stands")
    .option("--service-cidr <range>", "addresses of Services (repeat for a second family)", many)
    .option("--pod-cidr <range>", "addresses of Pods (repeat for a second family)", many)
    .option("--source-range <range>", "from where its API server may be reached (repeat); anywhere unless said", many)
    .option("--label <key=value>", "a label (repeat)", many)
    .option("--deletion-protection", "refuse its removal until `cluster unprotect`")
    .action(
      signedIn(async ({ client, format }, name: string, options: Created) => {
        await show(format, await create(client, name, options), details);
      }),
    );
  waiting(cluster.command("get <name>").description("one cluster, by its name or id")).action(
    signedIn(async ({ client, format }, name: string, options: Waiting) => {
      const id = await idOfCluster(client, name);
      const found = options.wait
        ? await waitReady(client, id, options.for, options.timeout)
        : await client.get<Cluster>(`/v1/clusters/${id}`);
      await show(format, found, details);
    }),
  );
  cluster
    .command("list")
    .description("list clusters")
    .option("--name <name>", "only the one of this name")
    .option("--phase <phase>", "only those in this phase, such as Ready")
    .option("--region <region>", "only those in this region")
    .option("--version <version>", "only those of this version, such as 1.34 or 1.34.4")
    .option("--label <key=value>", "only those with this label (repeat)", many)
    .option("--sort <field>", "createdAt or name, with a - before it the other way round")
    .option("--limit <n>", "how many at most", whole)
    .option("--after <cursor>", "go on after an earlier page")
    .option("--all", "every page")
    .action(
      signedIn(async ({ client, format }, { limit, all, ...asked }: Listed) => {
        const query = { ...asked, limit: limit ?? (all ? 100 : undefined) };
        await showPage(format, await client.list<Cluster>("/v1/clusters", query, all), row);
      }),
    );
}
