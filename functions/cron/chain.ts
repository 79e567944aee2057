import * as Audit from "#core/audit/index.ts";
import type { Place } from "#core/context.ts";
import { bornAt, type ID } from "#core/id.ts";
import { limits } from "#core/lease.ts";
import { limitMax } from "#core/page.ts";
import type { Deps } from "../deps.ts";

/** How many waiting entries of a shard are known at once; more are asked for when these are sealed. */
const heldMax = 2_000;
/** No new digest is begun after so long; what is left is the next run's. */
const patienceSeconds = 40;
/** An entry that waits longer than this is an error: the promise is a minute, with a missed run or two. */
const unsealedSecondsMax = 180;

interface Sealed {
  digests: number;
  entries: number;
  /** The age of what waited longest, in seconds; 0 when nothing waited. */
  oldestSeconds: number;
}

/**
 * Seals what waits, of every tenant, into digests. One tenant's failure does not keep the others waiting.
 * @throws AggregateError once all was tried, when any failed.
 */
export async function digest(deps: Deps): Promise<Sealed> {
  const began = deps.now();
  const failures: unknown[] = [];
  const total: Sealed = { digests: 0, entries: 0, oldestSeconds: 0 };
  // Opened at the first need and once: most minutes there is nothing to sign, and a key costs a call to open.
  let opening: Promise<Audit.Signer> | undefined;
  const signer = (): Promise<Audit.Signer> =>
    (opening ??= deps.tools().then((tools) => Audit.openSigner({ ...deps, ...tools })));
  const late = (): boolean => age(deps.now(), Date.parse(began)) >= patienceSeconds;

  const sealTenant = async (tenant: ID<"tenant">, ids: string[]): Promise<void> => {
    for (let at = 0; at < ids.length && !late(); at += Audit.entriesMax) {
      const some = ids.slice(at, at + Audit.entriesMax);
      const count = await Audit.seal(deps, tenant, some, await signer());
      total.entries += count;
      total.digests += count > 0 ? 1 : 0;
    }
  };
  const sealShard = async (shard: number): Promise<void> => {
    let after: string | undefined;
    do {
      const held = await waiting(deps, shard, began, after);
      for (const { id } of held.places) {
        total.oldestSeconds = Math.max(total.oldestSeconds, age(began, bornAt(id)));
      }
      for (const [tenant, places] of Map.groupBy(held.places, (place) => place.tenant)) {
        await sealTenant(
          tenant,
          places.map(({ id }) => id),
        ).catch((error: unknown) => failures.push(error));
      }
      after = held.next;
    } while (after !== undefined && !late());
  };
  const shards = Array.from({ length: limits.dueShards }, (_, shard) => shard);
  await Promise.all(shards.map((shard) => sealShard(shard).catch((error: unknown) => failures.push(error))));

  deps.meter.count("UnsealedAge", total.oldestSeconds, "Seconds");
  if (total.oldestSeconds > unsealedSecondsMax)
    deps.log.error("audit entries waited too long for a digest", { ...total });
  else deps.log.info("sealed", { ...total });
  if (failures.length > 0)
    throw new AggregateError(failures, "a part of the audit was not sealed", { cause: failures[0] });
  return total;
}

/** What waits in a shard, the longest first, as much of it as is held at once. */
async function waiting(
  deps: Deps,
  shard: number,
  before: string,
  start: string | undefined,
): Promise<{ places: Place[]; next: string | undefined }> {
  const places: Place[] = [];
  let next = start;
  do {
    const page = await deps.home.unsealed(shard, before, { limit: limitMax, after: next });
    places.push(...page.items);
    next = page.next ?? undefined;
  } while (next !== undefined && places.length < heldMax);
  return { places, next };
}

const age = (now: string, since: number): number => Math.max(0, Math.round((Date.parse(now) - since) / 1000));
