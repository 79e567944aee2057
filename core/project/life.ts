import type { Context } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import { known } from "./clusters.ts";
import { allow } from "../allow.ts";
import type { Place, Project, View } from "./schema.ts";
import * as store from "./store.ts";

/** What a look at a project came to. */
export type Looked = "gone" | "leaving" | "unchanged" | "expired" | "moved" | "settled";

/**
 * Its namespace on this cluster is gone, or the cluster itself is: the place goes, and with the last place of a project
 * that was removed the project, leaving a receipt. A place that is to stay is left alone, and so is a repeat.
 */
export async function left(ctx: Context, id: ID<"project">, cluster: ID<"cluster">): Promise<void> {
  await unlessGone(
    store.change(ctx, id, async (project) => {
      const place = project.places.find((each) => each.cluster === cluster);
      if (place === undefined || !(await isOver(ctx, place))) return undefined;
      return without(project, [cluster]);
    }),
  );
}

/**
 * The namespace that was there is the project's: whatever comes in its place one day is another's again, until somebody
 * says so. A repeat changes nothing.
 */
export async function adopted(ctx: Context, id: ID<"project">, cluster: ID<"cluster">): Promise<void> {
  await unlessGone(
    store.change(ctx, id, (project) => {
      if (!project.places.some((place) => place.cluster === cluster && place.adopt === true)) return undefined;
      const places = project.places.map(({ adopt, ...place }): Place => {
        return place.cluster === cluster || adopt === undefined ? place : { ...place, adopt };
      });
      return { project: { ...project, places }, verb: "project:adopted" };
    }),
  );
}

/**
 * What comes with time: its expiry, moves whose new place is ready, and places on clusters that are gone.
 * @param ready whether a project was seen ready there, at its generation.
 */
export async function look(
  ctx: Context,
  id: ID<"project">,
  ready: (project: Project, cluster: ID<"cluster">) => Promise<boolean>,
): Promise<Looked> {
  let looked: Looked = "unchanged";
  const found = await unlessGone(
    store.change(ctx, id, async (project) => {
      looked = "unchanged";
      const there = await known(
        ctx,
        project.places.map(({ cluster }) => cluster),
      );
      const ended = project.places.filter(({ cluster }) => !there.has(cluster)).map(({ cluster }) => cluster);
      if (ended.length > 0) {
        const next = without(project, ended);
        looked = next.verb === "project:removed" ? "gone" : "settled";
        return next;
      }
      if (project.deletedAt !== undefined) {
        looked = "leaving";
        await postpone(ctx, project);
        return undefined;
      }
      if (project.expiredAt === undefined && store.expiryOf(project, ctx.now()) === "Expired") {
        looked = "expired";
        const expired = { ...project, expiredAt: ctx.now(), generation: project.generation + 1 };
        return { project: expired, verb: "project:expired" };
      }
      const places = await moved(ctx, project, ready);
      if (places !== undefined) {
        looked = "moved";
        return { project: { ...project, places, generation: project.generation + 1 }, verb: "project:moved" };
      }
      await postpone(ctx, project);
      return undefined;
    }),
  );
  return found === undefined ? "gone" : looked;
}

/**
 * Waits until it is ready everywhere, and answers it as it then is, or as it is when `seconds` are over.
 * @param options.show what a caller sees of it, with what is known of its clusters by then.
 * @throws Fault `missing`, also when it ends meanwhile.
 */
export async function wait(
  ctx: Context,
  id: ID<"project">,
  options: { seconds: number; sleep: (ms: number) => Promise<void>; show: (project: Project) => Promise<View> },
): Promise<View> {
  allow(ctx, "project:read", { project: id });
  const until = Date.parse(ctx.now()) + options.seconds * 1000;
  for (;;) {
    const view = await options.show(await store.get(ctx, id));
    if (view.status.phase === "Ready" || Date.parse(ctx.now()) >= until) return view;
    await options.sleep(250);
  }
}

/** Places of a move end here, one after the other: those whose new place is ready leave. */
async function moved(
  ctx: Context,
  project: Project,
  ready: (project: Project, cluster: ID<"cluster">) => Promise<boolean>,
): Promise<Place[] | undefined> {
  let any = false;
  const places: Place[] = [];
  for (const place of project.places) {
    const { movingTo, ...rest } = place;
    const stays = project.places.some((each) => each.cluster === movingTo && each.leavingAt === undefined);
    const over = movingTo !== undefined && (!stays || (await ready(project, movingTo)));
    if (over) any = true;
    // A target that left meanwhile ends the move, and the place stays.
    places.push(over ? { ...rest, ...(stays && { leavingAt: ctx.now() }) } : place);
  }
  return any ? places : undefined;
}

/** Looked at, and nothing to do yet: it is due again later, and nothing of it is changed. */
async function postpone(ctx: Context, project: Project): Promise<void> {
  const { lookAt } = store.timed(project, ctx.now());
  if (lookAt === project.lookAt) return;
  await store.due(ctx, project, lookAt);
}

/** Places that end change nothing of what is wanted, so the generation stays; the shares of others change by it never. */
function without(project: Project, clusters: ID<"cluster">[]): store.Next {
  const stay = project.places.filter(({ cluster }) => !clusters.includes(cluster));
  // One that went with its cluster had a share, which the others get now.
  const freed = project.places.some(({ cluster, leavingAt }) => clusters.includes(cluster) && leavingAt === undefined);
  const generation = project.generation + (freed && stay.length > 0 ? 1 : 0);
  const over = project.deletedAt !== undefined && stay.length === 0;
  return { project: { ...project, places: stay, generation }, verb: over ? "project:removed" : "project:left" };
}

async function isOver(ctx: Context, { cluster, leavingAt }: Place): Promise<boolean> {
  if (leavingAt !== undefined) return true;
  const row = (await known(ctx, [cluster])).get(cluster);
  return row === undefined || row.deletedAt !== undefined;
}

/** A project that ended meanwhile is what was to be reached. */
async function unlessGone(work: Promise<Project>): Promise<Project | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Fault && error.kind === "missing") return undefined;
    throw error;
  }
}
