import { allow } from "../allow.ts";
import type { Context } from "../context.ts";
import { Fault, unmoved } from "../error.ts";
import type { ID } from "../id.ts";
import { checkClusters, confirmed, guarded, unprotected } from "./places.ts";
import type { AdoptInput, MoveInput, Place, Project } from "./schema.ts";
import * as store from "./store.ts";

/** Which generation may be changed; left out, any. */
export interface Only {
  generation?: number | undefined;
}

const weightMax = 1_000;

/**
 * Moves the project's namespace: `to` is added with the weight of `from`, and `from` leaves, with all that is in it,
 * once the project is ready on `to`. Nothing that runs or is stored is carried over. A change of places that names
 * `from` ends a move that has not come so far.
 * @throws Fault `missing`; `stale`; `conflict`, also while the project is protected; `invalid` when `confirm` is not its
 * name.
 */
export async function move(ctx: Context, id: ID<"project">, input: MoveInput, only: Only = {}): Promise<Project> {
  allow(ctx, "project:write", { project: id });
  const { from, to, confirm } = input;
  return await store.change(ctx, id, async (project) => {
    unmoved("project", project.generation, only.generation);
    if (project.deletedAt !== undefined) throw new Fault("conflict", "The project is being removed.");
    confirmed(project, confirm, "its namespace goes from the cluster that it moves away from");
    unprotected(project.spec);
    if (from === to) throw fault("invalid", "to", "must be another cluster");
    await checkClusters(ctx, [from, to], (index) => (index === 0 ? "from" : "to"), id);
    if (placeIn(project, to) === undefined) guarded(ctx, project.spec.podSecurity);
    const [source, target] = [placeIn(project, from), placeIn(project, to)];
    if (source === undefined || source.leavingAt !== undefined)
      throw fault("conflict", "from", "does not carry the project");
    if (target?.leavingAt !== undefined)
      throw fault("conflict", "to", "is being left; move when its namespace is gone");
    if (target?.movingTo !== undefined) throw fault("conflict", "to", "is being moved away from");
    if (source.movingTo === to) return undefined;
    if (source.movingTo !== undefined) throw fault("conflict", "from", "is being moved to another cluster");
    const grown = { ...target, cluster: to, weight: Math.min(weightMax, (target?.weight ?? 0) + source.weight) };
    const rest = project.places.filter(({ cluster }) => cluster !== from && cluster !== to);
    const places: Place[] = [...rest, { ...source, movingTo: to }, grown];
    return {
      project: { ...project, places, generation: project.generation + 1 },
      verb: "project:move",
      changes: ["places"],
    };
  });
}

/**
 * Takes over a namespace of the project's name that somebody made on a cluster of its places: it becomes the project's,
 * and what is in it comes under the project's limits, policies and people, and goes when the project does.
 * @throws Fault `forbidden` to all but owners, who have rights on both; else as `move` does.
 */
export async function adopt(ctx: Context, id: ID<"project">, input: AdoptInput, only: Only = {}): Promise<Project> {
  allow(ctx, "project:write", { project: id });
  if (ctx.actor.role !== "owner" && ctx.actor.role !== "staff") {
    throw new Fault("forbidden", "Only an owner can take over a namespace, having rights on both.");
  }
  const { cluster, confirm } = input;
  return await store.change(ctx, id, async (project) => {
    unmoved("project", project.generation, only.generation);
    if (project.deletedAt !== undefined) throw new Fault("conflict", "The project is being removed.");
    confirmed(project, confirm, "the namespace that is there becomes the project's");
    // What is there is not the project's yet, so the token must reach the cluster itself.
    await checkClusters(ctx, [cluster], () => "cluster");
    const place = placeIn(project, cluster);
    if (place === undefined || place.leavingAt !== undefined) {
      throw fault("conflict", "cluster", "is not a cluster that the project is to be on");
    }
    if (place.adopt === true) return undefined;
    const places = project.places.map((each) => (each.cluster === cluster ? { ...each, adopt: true } : each));
    return {
      project: { ...project, places, generation: project.generation + 1 },
      verb: "project:adopt",
      changes: ["places"],
    };
  });
}

const placeIn = ({ places }: Project, id: ID<"cluster">): Place | undefined =>
  places.find(({ cluster }) => cluster === id);

const fault = (kind: "invalid" | "conflict", field: string, message: string): Fault =>
  new Fault(kind, `The cluster of "${field}" can't be used so.`, { errors: [{ field, message }] });
