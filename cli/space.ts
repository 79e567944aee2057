// What a project looks like to this command, and how one is found, waited for and confirmed.
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "./ask.ts";
import type { Client } from "./client.ts";
import { Stop } from "./fault.ts";
import { age, note, type Column } from "./output.ts";
import { newProgress } from "./wait.ts";

/** A team's space, as far as this command reads it. */
export interface Project {
  id: string;
  name: string;
  createdAt: string;
  generation: number;
  deletedAt?: string;
  spec: {
    title: string;
    labels: Record<string, string>;
    limits: Record<string, string | number>;
    reservePercent: number;
    defaults: Record<string, string>;
    podSecurity: string;
    network: { mode: string; openings: { name: string; [field: string]: unknown }[] };
    pullSecret?: string;
    deletionProtection: boolean;
    expiresAt?: string;
  };
  places: { cluster: string; weight: number; leavingAt?: string }[];
  status: { phase: string; expiry?: string; places: Place[]; reserve: Record<string, string>; warnings: string[] };
}
export interface Place {
  cluster: string;
  clusterName?: string;
  state: string;
  message: string;
  share: Record<string, string>;
}
export interface Split {
  places: { cluster: string; clusterName: string; share: Record<string, string> }[];
  reserve: Record<string, string>;
}
export interface Receipt {
  id: string;
  name: string;
  deletedAt: string;
  goneAt: string;
  clusters: string[];
}

const share = (list: Record<string, string | number>): string =>
  Object.entries(list)
    .map(([limit, text]) => `${limit} ${text}`)
    .join(", ");
const nameOf = ({ clusterName, cluster }: Pick<Place, "clusterName" | "cluster">): string => clusterName ?? cluster;

/** What is told of one project. */
export const details: Column<Project>[] = [
  ["Name", "name"],
  ["Title", "spec.title"],
  ["ID", "id"],
  ["Phase", "status.phase"],
  ["Clusters", ({ status }) => status.places.map((one) => `${nameOf(one)}: ${one.state}`)],
  [
    "Not ready",
    ({ status }) =>
      status.places.filter(({ state }) => state !== "Ready").map((one) => `${nameOf(one)}: ${one.message}`),
  ],
  ["Limits", ({ spec }) => share(spec.limits)],
  [
    "Shares",
    ({ status }) =>
      status.places.map((one) => (share(one.share) === "" ? "" : `${nameOf(one)} ${share(one.share)}`)).filter(Boolean),
  ],
  ["Kept back", ({ status, spec }) => (spec.reservePercent === 0 ? "" : share(status.reserve))],
  ["Pod Security", "spec.podSecurity"],
  ["Network", "spec.network.mode"],
  ["Openings", ({ spec }) => spec.network.openings.map(({ name }) => name)],
  ["Pull secret", "spec.pullSecret"],
  ["Labels", "spec.labels"],
  ["Protected", ({ spec }) => (spec.deletionProtection ? "yes" : "no")],
  ["Ends", "spec.expiresAt"],
  ["Created", "createdAt"],
  ["Removal asked", "deletedAt"],
  ["Warnings", "status.warnings"],
];
export const row: Column<Project>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["Phase", "status.phase"],
  ["Clusters", ({ status }) => status.places.map(nameOf)],
  ["Limits", ({ spec }) => share(spec.limits)],
  ["Ends", "spec.expiresAt"],
  ["Age", (each) => age(each.createdAt)],
];
export const splits: Column<Split>[] = [
  ["Shares", ({ places }) => places.map((one) => `${nameOf(one)} ${share(one.share) || "nothing"}`)],
  ["Kept back", ({ reserve }) => share(reserve)],
];
export const receipts: Column<Receipt>[] = [
  ["Removed", "name"],
  ["ID", "id"],
  ["Asked for", "deletedAt"],
  ["Gone", "goneAt"],
  ["Was on", "clusters"],
];

export const at = (id: string): string => `/v1/projects/${encodeURIComponent(id)}`;
const projectID = /^prj_[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** The project that a name or an id means. @throws Stop `missing`. */
export async function findProject(client: Client, name: string): Promise<Project> {
  if (projectID.test(name)) return await client.get<Project>(at(name));
  const { items } = await client.list<Project>("/v1/projects", { name });
  if (items[0] === undefined) throw new Stop("missing", `There is no project named ${name}.`);
  return items[0];
}

/**
 * What would go is shown and the name said once more: typed where somebody sits; a script says --yes NAME.
 * @throws Stop `usage` when it is another.
 */
export async function confirmed(project: Project, what: string, yes: string | undefined): Promise<string> {
  if (yes === undefined && !process.stdin.isTTY) throw new Stop("usage", `${what}: add --yes ${project.name}.`);
  const said = yes ?? (await ask(`${what}. Type its name to go on: `));
  if (said !== project.name) throw new Stop("usage", "That is another name; nothing was done.");
  return said;
}

interface Contents {
  places: {
    cluster: string;
    clusterName: string;
    why?: string;
    kinds: { kind: string; count: number | null; names: string[] }[];
  }[];
}

/** On stderr, as it is no result: what is in the namespaces, cluster by cluster. */
export async function showContents(client: Client, { id }: Project, clusters?: string[]): Promise<void> {
  const places = await contentsOf(client, id);
  for (const { cluster, clusterName, why, kinds } of places) {
    if (clusters !== undefined && !clusters.includes(cluster)) continue;
    if (why !== undefined) {
      note(`${clusterName}: what is there can't be told: ${why}`);
      continue;
    }
    const there = kinds.filter(({ count }) => count !== 0);
    if (there.length === 0) note(`${clusterName}: nothing.`);
    for (const { kind, count, names } of there) {
      const more = count !== null && count > names.length ? ", …" : "";
      note(
        `${clusterName}: ${kind} ${count === null ? "(you may not see them)" : `${count}: ${names.join(", ")}${more}`}`,
      );
    }
  }
}

/** Whoever may remove a project need not be one who may look into it: that is said, and is no reason to stop. */
async function contentsOf(client: Client, id: string): Promise<Contents["places"]> {
  try {
    return (await client.get<Contents>(`/v1/kube/projects/${id}/contents`)).places;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    note(`What is in it can't be told: ${error.message}`);
    return [];
  }
}

/** Waits until it is Ready on all of its clusters, and shows how they come. @throws Stop `timeout`. */
export async function waitProject(client: Client, id: string, limitSeconds: number): Promise<Project> {
  const until = performance.now() + limitSeconds * 1000;
  const progress = newProgress();
  try {
    for (;;) {
      const began = performance.now();
      const project = await client.get<Project>(at(id), { wait: 1 });
      progress.update(
        project.status.places.map((one) => ({
          type: nameOf(one),
          status: one.state === "Ready" ? ("True" as const) : ("False" as const),
          reason: one.state,
          message: one.message,
          at: project.createdAt,
        })),
      );
      if (project.status.phase === "Ready") return project;
      const left = until - performance.now();
      if (left <= 0) throw new Stop("timeout", `${project.name} is not Ready after ${limitSeconds} s.`);
      // A server that answers at once is not asked more often for that.
      await sleep(Math.max(0, Math.min(left, began + 1000 - performance.now())));
    }
  } finally {
    progress.end();
  }
}
