import * as Host from "#core/host/index.ts";
import { dueShards } from "#core/table/index.ts";
import { limitMax, pages } from "#core/page.ts";
import type { Deps } from "../deps.ts";

/**
 * One beat of the sweep: pokes what is due by now, and looks at every host. It reads what is due and nothing else.
 * @returns how many rows were poked.
 * @throws AggregateError once all shards and the hosts were tried, when any failed.
 */
export async function beat(deps: Deps): Promise<{ poked: number }> {
  const before = deps.now();
  const shards = Array.from({ length: dueShards }, (_, shard) => pokeShard(deps, shard, before));
  const results = await Promise.allSettled([...shards, probe(deps), parked(deps)]);
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (failures.length > 0) throw new AggregateError(failures, "a part of the sweep failed", { cause: failures[0] });
  const poked = results.reduce((sum, result) => sum + (result.status === "fulfilled" ? result.value : 0), 0);
  deps.log.info("swept", { poked });
  deps.meter.count("Poked", poked, "Count");
  return { poked };
}

async function pokeShard(deps: Deps, shard: number, before: string): Promise<number> {
  let poked = 0;
  for await (const places of pages((page) => deps.home.due(shard, before, page))) {
    await Promise.all(places.map(({ tenant, id }) => deps.home.poke(tenant, id)));
    poked += places.length;
  }
  return poked;
}

async function probe(deps: Deps): Promise<number> {
  const { home, log } = deps;
  await Host.probe({ home, log, now: () => deps.now(), ...(await deps.tools()) });
  return 0;
}

/** Counts what waits for a person: a page of it is enough for an alarm. */
async function parked({ home, meter }: Deps): Promise<number> {
  const { items } = await home.parked({ limit: limitMax });
  meter.count("Parked", items.length, "Count");
  return 0;
}
