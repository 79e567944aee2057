// What becomes of each project that is to be in a cluster, or to leave it. Pure.
import type { Found, Manifest } from "../context.ts";
import { type ID, idNamed, kubeName } from "../id.ts";
import { altered, drift, ending, keyOf, type Objects, type Put, waves } from "../kube/index.ts";
import { secondsBetween } from "../condition.ts";
import * as Project from "../project/index.ts";
import { labelsOf } from "./owed.ts";
import type { Access } from "./schema.ts";
import type { Seen, Step } from "./step.ts";

type Row = Seen["rows"]["projects"][number];
/** What a cluster says in its own words, and names there, anybody inside of it may write: a row holds 400 KB of all. */
const messageMax = 500;
const strangersMax = 100;
/** What a cluster would not have is tried again after so long. */
const refusedSeconds = 60;

/** What is to be done for one project here, and what is to be told of it. */
export interface Placed {
  project: ID<"project">;
  steps: Step[];
  seen: Pick<Project.Seen, "generation" | "state" | "message">;
  /** The uid of its namespace, when that is its own. */
  uid?: string;
  awaits?: string;
  refused?: Access["status"]["refused"][string];
}

/** How a namespace of a project's name stands to the project. */
function spaceOf(access: Access, { id, name }: Row, { objects, others }: Seen): { found?: Found; own: boolean } {
  const found = objects.get(`Namespace ${name}`) ?? others.get(name);
  if (found === undefined) return { own: false };
  const wanted = { ...labelsOf(access), [Project.projectLabel]: kubeName(id) };
  const labelled = Object.entries(wanted).every(([key, value]) => found.metadata.labels?.[key] === value);
  // Whoever takes our labels off does not take the namespace.
  return { found, own: labelled || access.status.spaces[id] === found.metadata.uid };
}

/**
 * One project in one cluster.
 * @param bindings who may do what in its namespace: made with it, and only where it is ours.
 */
export function placed(
  access: Access,
  project: Row,
  seen: Seen,
  bindings: Manifest[],
  now: string,
): Placed | undefined {
  const place = project.places.find(({ cluster }) => cluster === access.cluster);
  if (place === undefined) return undefined;
  const { id, name, generation } = project;
  const { found, own } = spaceOf(access, project, seen);
  const tell = (state: Project.Seen["state"], message: string) => ({ generation, state, message: brief(message) });
  const uid = own && found !== undefined ? { uid: found.metadata.uid } : {};
  const ends = found?.metadata.deletionTimestamp !== undefined;
  if (place.leavingAt !== undefined) {
    const leaving = tell("Leaving", found === undefined || !own ? "Its namespace is gone." : endOf(found));
    // What was never ours, or is another's by now, is left as it is.
    if (found === undefined || !own) return { project: id, steps: [{ do: "left", project: id }], seen: leaving };
    const steps: Step[] = ends ? [] : [{ do: "remove", found }];
    return { project: id, steps, seen: leaving, awaits: `the namespace ${name} to end`, ...uid };
  }
  if (found !== undefined && !own && place.adopt !== true) {
    return { project: id, steps: [], seen: tell("Taken", takenBy(found)) };
  }
  if (ends) {
    const steps: Step[] = [];
    return { project: id, steps, seen: tell("Pending", endOf(found)), awaits: `the namespace ${name} to end`, ...uid };
  }
  const labels = { ...labelsOf(access), [Project.projectLabel]: kubeName(id) };
  const wanted = [...Project.objects(project, place, labels), ...bindings];
  const key = `Namespace ${name}`;
  const known =
    found === seen.objects.get(key) || found === undefined ? seen.objects : new Map([...seen.objects, [key, found]]);
  const here = seen.refused[id];
  const before = access.status.refused[id];
  const again = before !== undefined && before.generation === generation;
  const refused =
    here !== undefined
      ? { generation, message: brief(here), at: now }
      : again && secondsBetween(before.at, now) < refusedSeconds
        ? before
        : undefined;
  if (refused !== undefined) {
    return { project: id, steps: [], seen: tell("Pending", refused.message), refused, ...uid };
  }
  const rebound = altered(wanted, known, "inside");
  const puts = drift(wanted, known, "inside").filter((put) => !rebound.some((one) => one === put.found));
  const spent: Step[] = own && place.adopt === true ? [{ do: "adopted", project: id }] : [];
  const steps = [...spent, ...write(id, puts), ...[...rebound, ...extra(project, wanted, seen.objects)].map(remove)];
  const late = ending(puts);
  const state = steps.length === 0 && late.length === 0 ? "Ready" : "Pending";
  const message = state === "Ready" ? "Its namespace is as wanted." : "Its namespace is being made as wanted.";
  const awaits = late[0] === undefined ? {} : { awaits: `${keyOf(late[0].manifest, "inside")} to end` };
  return { project: id, steps, seen: tell(state, message), ...uid, ...awaits };
}

const remove = (found: Found): Step => ({ do: "remove", found });

/** A namespace first; what stands in it is refused before it is there. */
function write(project: ID<"project">, puts: Put[]): Step[] {
  const spaces = puts.filter(({ manifest }) => manifest.kind === "Namespace");
  const full = waves(
    spaces,
    puts.filter((put) => !spaces.includes(put)),
  );
  return full.length === 0 ? [] : [{ do: "put", waves: full, project }];
}

/** What limits the project by a wish that is no more. Bindings are seen to with all other rights. */
function extra({ name }: Row, wanted: Manifest[], objects: Objects): Found[] {
  const kept = new Set(wanted.map((manifest) => keyOf(manifest, "inside")));
  const kinds = ["ResourceQuota", "LimitRange", "NetworkPolicy"];
  return [...objects].flatMap(([key, found]) => {
    const { namespace, deletionTimestamp } = found.metadata;
    const ours = kinds.includes(found.kind) && namespace === name && deletionTimestamp === undefined;
    return ours && !kept.has(key) ? [found] : [];
  });
}

/** Namespaces that say they are a project's of ours, of which no project says so. */
export function strangers(access: Access, { rows, objects }: Seen): string[] {
  const known = new Set(
    rows.projects
      .filter(({ places }) => places.some(({ cluster }) => cluster === access.cluster))
      .map(({ id, name }) => `${id} ${name}`),
  );
  const spaces = [...objects.values()].filter(({ kind }) => kind === "Namespace");
  return spaces
    .filter(({ metadata: { name, labels = {} } }) => {
      const project = idNamed("project", labels[Project.projectLabel]);
      return project === undefined || !known.has(`${project} ${name}`);
    })
    .map(({ metadata }) => metadata.name)
    .sort()
    .slice(0, strangersMax);
}

const brief = (message: string): string => (message.length > messageMax ? `${message.slice(0, messageMax)}…` : message);

/** Who has the namespace, as far as the cluster itself tells. */
function takenBy({ metadata }: Found): string {
  const entries = Array.isArray(metadata["managedFields"])
    ? (metadata["managedFields"] as { manager?: unknown }[])
    : [];
  const manager = entries.map((one) => one.manager).find((one) => typeof one === "string" && one !== "berth");
  const by = typeof manager === "string" ? ` by ${manager.slice(0, 100)}` : "";
  const project = idNamed("project", metadata.labels?.[Project.projectLabel]);
  const whose = project === undefined ? "" : ` for the project ${project}`;
  const when = `at ${metadata.creationTimestamp}`;
  return `The namespace ${metadata.name} was there before: it was made ${when}${by}${whose}, and is left as it is.`;
}

/** What keeps a namespace from ending, in the words of its cluster. */
function endOf({ metadata: { name, deletionTimestamp }, status }: Found): string {
  if (deletionTimestamp === undefined) return `The namespace ${name} is being deleted.`;
  const held = ["NamespaceContentRemaining", "NamespaceFinalizersRemaining", "NamespaceDeletionContentFailure"];
  const conditions = (status as { conditions?: { type: string; status: string; message?: string }[] } | undefined)
    ?.conditions;
  const told = (conditions ?? []).filter((one) => held.includes(one.type) && one.status === "True" && one.message);
  const why = told.map(({ message }) => message).join("; ");
  return `The namespace ${name} is ending since ${deletionTimestamp}${why === "" ? "." : `: ${why}`}`;
}
