import * as Cluster from "../cluster/index.ts";
import { secondsBetween } from "../condition.ts";
import { Refused, type Work } from "../context.ts";
import * as Grant from "../grant/index.ts";
import type { ID } from "../id.ts";
import { later, limits } from "../lease.ts";
import { type Outcome, type Settler, settle } from "../settle.ts";
import { act } from "./act.ts";
import { newLane } from "./lane.ts";
import { left } from "./left.ts";
import { plan } from "./plan.ts";
import { type Access, accessKind, clusterOf } from "./schema.ts";
import { coming, look } from "./sight.ts";
import { birth } from "./spread.ts";
import type { Seen, Step } from "./step.ts";

/** So many requests of a pass are under way at once. */
const atOnce = 50;

/**
 * Brings the inside of one cluster to what is granted and placed there. Nothing is done while the cluster is being made
 * or removed; of one that is gone the row goes, with what was granted and placed there alone.
 */
export async function reconcile(ctx: Work, id: ID<"access">): Promise<Outcome> {
  const cluster = clusterOf(id);
  const [found, row] = await Cluster.inward(ctx, cluster, [accessKind, id]);
  if (found === undefined) return await end(ctx, id, row);
  // Whoever ends it leaves a note to those who keep something of it.
  if (found.state === "leaving") return { state: "waiting", on: ["the cluster to be gone"] };
  // A cluster of before there were such rows gets one here.
  if (row === undefined) await unlessRefused(ctx.table.write(birth(ctx, cluster)));
  if (found.state === "making") {
    await unlessRefused(defer(ctx, id, row));
    return { state: "waiting", on: ["the cluster to be made"] };
  }
  // Its steps are no steps of a cluster's making, which figures are kept of.
  const { took: _, ...work } = ctx;
  return await settle(work, settlerOf(found), id);
}

/** Of one that is being made nothing is late: it is looked at when it is made, and now and then in case nobody said so. */
async function defer(ctx: Work, id: ID<"access">, row: Access | undefined): Promise<void> {
  if (row?.lookAt === undefined || row.lookAt > ctx.now()) return;
  const seconds = Math.min(limits.backOffMaxSeconds, Math.max(60, secondsBetween(row.createdAt, ctx.now()) / 2));
  await ctx.table.edit(accessKind, id, { set: { lookAt: later(ctx.now(), seconds) }, when: { lookAt: row.lookAt } });
}

/** The row last: whoever dies on the way is followed, and does it all again. */
async function end(ctx: Work, id: ID<"access">, row: Access | undefined): Promise<Outcome> {
  if (row === undefined) return { state: "gone" };
  const { projects } = await Grant.read(ctx);
  const there = projects.filter(({ places }) => places.some(({ cluster }) => cluster === row.cluster));
  for (const project of there) await left(ctx, project, row.cluster);
  await Grant.endScope(ctx, row.cluster);
  await unlessRefused(ctx.table.write(ctx.table.remove(accessKind, id)));
  return { state: "gone" };
}

async function unlessRefused(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
}

function settlerOf(cluster: Cluster.Inward): Settler<Access, Seen, Step> {
  // What was refused in this pass is not asked for again in it, however often it looks.
  let refused: Seen["refused"] = {};
  const ways = { cluster, lane: newLane(atOnce) };
  return {
    kind: accessKind,
    look: async (ctx, access) => ({ ...(await look(ctx, access, cluster)), refused }),
    plan,
    async act(ctx, access, step, seen) {
      const lesson = await act(ctx, access, ways, step, seen);
      if (lesson !== undefined && step.do === "put") refused = { ...refused, ...lesson(seen).refused };
      return lesson;
    },
    coming: (_, access, seen, signal) => coming(access, cluster, seen, signal),
    unreachable: (_, since) => `The cluster has not answered since ${since}; it is tried until it does.`,
  };
}
