import * as Host from "#core/host/index.ts";
import type { Deps } from "../deps.ts";

/**
 * One slow round: every cluster on every host is poked, so that what strangers deleted or changed is put back, and what
 * a new release of ours wants otherwise is brought. What is as it should be costs its reconcile reads alone.
 * @returns how many clusters were poked.
 */
export async function round(deps: Deps): Promise<{ poked: number }> {
  const seats = await Promise.all((await Host.all(deps.home)).map(({ id }) => Host.seats(deps.home, id)));
  const taken = seats.flat();
  await Promise.all(taken.map(({ tenant, cluster }) => deps.home.poke(tenant, cluster)));
  deps.log.info("went round", { poked: taken.length });
  return { poked: taken.length };
}
