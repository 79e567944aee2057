// What is done inside of a cluster, one step of a plan at a time.
import type * as Cluster from "../cluster/index.ts";
import { secondsBetween } from "../condition.ts";
import { type Found, type Kube, KubeFault, type Manifest, type Work } from "../context.ts";
import type { ID } from "../id.ts";
import { keyOf, type Objects, refOf } from "../kube/index.ts";
import { limits } from "../lease.ts";
import * as Project from "../project/index.ts";
import type { Lesson } from "../settle.ts";
import type { Lane } from "./lane.ts";
import { left } from "./left.ts";
import { labelsOf } from "./owed.ts";
import type { Access } from "./schema.ts";
import type { Seen, Step } from "./step.ts";

/** What was seen so long ago is not acted on: a right may have been taken since, and another may have seen to it. */
const freshSeconds = limits.leaseSeconds - limits.beatSeconds;

/** The way in, and the lane that all requests of a pass take, in the plan's order: what is taken away goes first. */
export interface Ways {
  cluster: Cluster.Inward;
  lane: Lane;
}

/**
 * Does one step inside of a cluster.
 * @returns what it made or took away, or nothing when only a look can tell.
 * @throws KubeFault `conflict` for what was seen too long ago, also of what waited for its turn so long.
 */
export async function act(
  ctx: Work,
  access: Access,
  { cluster, lane }: Ways,
  step: Step,
  seen: Seen,
): Promise<Lesson<Seen> | undefined> {
  const inTurn = <T>(work: () => Promise<T>): Promise<T> =>
    lane(async () => {
      if (secondsBetween(seen.at, ctx.now()) > freshSeconds)
        throw new KubeFault("conflict", "What was seen is too old.");
      return await work();
    });
  switch (step.do) {
    case "put": {
      const kube = await cluster.open();
      const made: Found[] = [];
      const refused: string[] = [];
      for (const wave of step.waves) {
        const done = await Promise.allSettled(
          wave.map(({ manifest, found }) => inTurn(() => put(kube, labelsOf(access), manifest, found))),
        );
        for (const result of done) {
          if (result.status === "fulfilled") made.push(result.value);
          else if (step.project !== undefined && isRefusal(result.reason)) refused.push(result.reason.message);
          else throw passing(result.reason, step.project);
        }
        if (refused.length > 0) break;
      }
      const { project } = step;
      return (known) => ({
        ...known,
        objects: withObjects(known.objects, made),
        ...(project !== undefined &&
          refused[0] !== undefined && {
            refused: { ...known.refused, [project]: `The cluster refuses it: ${refused[0]}` },
          }),
      });
    }
    case "remove": {
      const { found } = step;
      const kube = await cluster.open();
      await inTurn(async () => {
        if (found.kind === "Namespace") await stillLeaving(ctx, access, found, seen);
        // However it stands by now, it is to go; what has taken its place since is not.
        await kube.remove(refOf(found), { uid: found.metadata.uid });
      });
      if (found.kind === "Namespace") return undefined;
      return (known) => ({ ...known, ...without(known, found) });
    }
    case "adopted": {
      await Project.adopted(ctx, step.project, access.cluster);
      return undefined;
    }
    case "left": {
      const project = seen.rows.projects.find(({ id }) => id === step.project);
      if (project !== undefined) await left(ctx, project, access.cluster);
      return undefined;
    }
    default:
      return step satisfies never;
  }
}

/**
 * What is in a namespace can't be made anew. Its project is read once more, after the namespace was seen: rows that were
 * read before it may be of a place that has ended, and this the namespace of the place that came after.
 */
async function stillLeaving(ctx: Work, access: Access, { metadata }: Found, { rows }: Seen): Promise<void> {
  const id = rows.projects.find(({ name }) => name === metadata.name)?.id;
  const project = id && (await ctx.table.get(Project.projectKind, id));
  const place = project?.places.find(({ cluster }) => cluster === access.cluster);
  if (place?.leavingAt === undefined) throw new KubeFault("conflict", `The namespace ${metadata.name} is to stay.`);
}

/** A missing object is made only while it is missing; one that differs is applied on the very version we saw. */
async function put(
  kube: Kube,
  labels: Record<string, string>,
  manifest: Manifest,
  found: Found | undefined,
): Promise<Found> {
  const over = ({ metadata: { uid, resourceVersion } }: Found): Promise<Found> =>
    kube.apply({ ...manifest, metadata: { ...manifest.metadata, uid } }, resourceVersion);
  if (found !== undefined) return await over(found);
  try {
    return await kube.create(manifest);
  } catch (error) {
    if (!(error instanceof KubeFault) || error.kind !== "conflict" || manifest.kind === "Namespace") throw error;
    const there = await kube.get(refOf(manifest));
    const labelled = Object.entries(labels).every(([key, value]) => there?.metadata.labels?.[key] === value);
    // With our labels, somebody was quicker: we look again. Without them we would never see it: it is taken back.
    if (there === undefined || labelled) throw error;
    if ("roleRef" in manifest && JSON.stringify(there["roleRef"]) !== JSON.stringify(manifest["roleRef"])) {
      await kube.remove(refOf(there), { uid: there.metadata.uid });
      throw error;
    }
    return await over(there);
  }
}

/** What a cluster says of one object, and will say of it again. */
const isRefusal = (error: unknown): error is KubeFault =>
  error instanceof KubeFault && (error.kind === "invalid" || error.kind === "forbidden");

/**
 * A project's namespace that went from under its contents is looked at again; that our own is not there yet, in a
 * cluster that was just born, passes by itself, and what a cluster's owners forbid us is no bug.
 */
function passing(error: unknown, project: ID<"project"> | undefined): unknown {
  if (!(error instanceof KubeFault)) return error;
  const { kind, status, message } = error;
  if (kind === "missing" && project !== undefined) return new KubeFault("conflict", message, { status, cause: error });
  const passes = kind === "missing" || isRefusal(error);
  return passes ? new KubeFault("unavailable", message, { status, cause: error }) : error;
}

/** Maps that lessons made and nobody else has: a pass of thousands of steps copies what it saw once. */
const owned = new WeakMap<Objects, Map<string, Found>>();

function ownCopy(objects: Objects): Map<string, Found> {
  const known = owned.get(objects);
  if (known !== undefined) return known;
  const copy = new Map(objects);
  owned.set(copy, copy);
  return copy;
}

function withObjects(objects: Objects, made: Found[]): Objects {
  const known = ownCopy(objects);
  for (const found of made) known.set(keyOf(found, "inside"), found);
  return known;
}

function without(seen: Seen, found: Found): Pick<Seen, "objects" | "sessions"> {
  const { uid } = found.metadata;
  if (found.kind === "Secret") {
    return { objects: seen.objects, sessions: seen.sessions.filter((one) => one.found.metadata.uid !== uid) };
  }
  const objects = ownCopy(seen.objects);
  const key = keyOf(found, "inside");
  if (objects.get(key)?.metadata.uid === uid) objects.delete(key);
  return { objects, sessions: seen.sessions };
}
