import * as Access from "#core/access/index.ts";
import * as Cluster from "#core/cluster/index.ts";
import type { Place } from "#core/context.ts";
import * as Host from "#core/host/index.ts";
import { type ID, nounOf } from "#core/id.ts";
import { pages } from "#core/page.ts";
import { contextOf, type Deps, newRequestID, system, workOf } from "../deps.ts";

/** So many clusters are looked into at the same time. */
const atOnce = 16;
const turnMilliseconds = 1_800_000;
/** What takes turns: the cluster's own parts, then projects. Rights wait for no turn. */
const others = Cluster.turns + 1;
/** After so many rounds all of the inside was looked at once, and rights every other time. */
export const turns = 2 * others;

/**
 * One round: a read-only look into every cluster on every host that is well; what differs is poked. A cluster that does
 * not answer holds one of the 16 places for seconds, and nothing else.
 * @param turn which part of the inside is looked at, the odd ones being rights; by the half hour when left out.
 */
export async function round(
  deps: Deps,
  turn = Math.floor(Date.parse(deps.now()) / turnMilliseconds),
): Promise<{ visited: number; poked: number }> {
  const told = { visited: 0, poked: 0 };
  const clusters = carried(deps);
  const visitor = async (): Promise<void> => {
    for (let next = await clusters.next(); next.done !== true; next = await clusters.next()) {
      told.visited += 1;
      if (await differs(deps, next.value, turn)) told.poked += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, visitor));
  deps.log.info("went round", { ...told, turn: turn % turns });
  return told;
}

/** What all hosts carry, page by page. A generator hands out one at a time, so many may ask it. */
async function* carried(deps: Deps): AsyncGenerator<Place> {
  for (const host of await Host.all(deps.home)) {
    if (!Host.healthy(host, deps.now())) continue;
    for await (const places of pages((page) => deps.home.carried(host.id, page))) yield* places;
  }
}

async function differs(deps: Deps, { tenant, id }: Place, turn: number): Promise<boolean> {
  if (nounOf(id) !== "cluster") return false;
  const cluster = id as ID<"cluster">;
  const of = ((turn % turns) + turns) % turns;
  const part = of % 2 === 1 ? "rights" : of / 2 < Cluster.turns ? "own" : "projects";
  const own = part === "own";
  try {
    const work = await workOf(deps, contextOf(deps, system(tenant), newRequestID(deps)));
    const what = own ? await Cluster.visit(work, cluster, of / 2) : await Access.visit(work, cluster, part);
    if (what === undefined) return false;
    deps.log.warn("a cluster is not as it should be inside", { tenant, cluster: id, what });
  } catch (error) {
    // A cluster that can't be looked into is looked at by its own reconcile, which says on its row what is wrong.
    deps.log.warn("a cluster could not be looked into", { tenant, cluster: id, why: String(error) });
  }
  await deps.home.poke(tenant, own ? id : Access.accessOf(cluster));
  return true;
}
