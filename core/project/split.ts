import type { ID } from "../id.ts";
import { type Amount, parse, print, units, unitsOf } from "./quantity.ts";
import type { Limits, Place } from "./schema.ts";

export type Limit = keyof Limits;
/** Of each limit that is set, so many of its smallest units: thousandths of a CPU, bytes, or pieces. */
export type Share = Partial<Record<Limit, bigint>>;

/** What a project's limits come to. */
export interface Split {
  shares: Map<ID<"cluster">, Share>;
  /** What no cluster gets: the reserve, and all of it while no place has a weight. */
  reserve: Share;
}

const unitOf = (limit: Limit): bigint => (limit === "cpu" ? units.milli : units.whole);

/**
 * How many of the smallest units are given out together: of bytes by the mebibyte (or megabyte, where they were said in
 * those), as nobody wants to read 13743895347. A limit that is no whole number of them is split finer.
 */
function grainOf(limit: Limit, whole: bigint, base: Amount["base"]): bigint {
  if (limit !== "memory" && limit !== "storage") return 1n;
  const step = base === "binary" ? 1024n : 1000n;
  return [step * step, step].find((grain) => whole % grain === 0n) ?? 1n;
}

/**
 * Splits every limit over the places by weight, exactly: the reserve is kept back (rounded up to what is given out at once), and
 * the rest goes by largest remainder; ties go to the lower cluster id, so that a repeat moves nothing. Places that are
 * leaving get nothing. Shares and reserve always sum up to the limit.
 * @param reservePercent 0 to 100.
 */
export function split(
  limits: Limits,
  reservePercent: number,
  places: readonly Pick<Place, "cluster" | "weight" | "leavingAt">[],
): Split {
  const weights = new Map(places.map(({ cluster, weight, leavingAt }) => [cluster, leavingAt ? 0 : weight]));
  const shares = new Map<ID<"cluster">, Share>(places.map(({ cluster }) => [cluster, {}]));
  const reserve: Share = {};
  for (const limit of Object.keys(limits) as Limit[]) {
    const total = amountOf(limits, limit);
    if (total === undefined) continue;
    const whole = unitsOf(total, unitOf(limit)) ?? 0n;
    const grain = grainOf(limit, whole, total.base);
    const grains = whole / grain;
    const kept = (grains * BigInt(reservePercent) + 99n) / 100n;
    const parts = byWeight(grains - kept, weights);
    let given = 0n;
    for (const [cluster, part] of parts) {
      Object.assign(shares.get(cluster) ?? {}, { [limit]: part * grain });
      given += part * grain;
    }
    reserve[limit] = whole - given;
  }
  return { shares, reserve };
}

/** Largest remainder. A place without weight has no remainder, and there are never more units over than remainders. */
function byWeight<K extends string>(units: bigint, weights: ReadonlyMap<K, number>): Map<K, bigint> {
  const all = [...weights].map(([key, weight]) => ({ key, weight: BigInt(weight) }));
  const sum = all.reduce((so, { weight }) => so + weight, 0n);
  if (sum === 0n) return new Map(all.map(({ key }) => [key, 0n]));
  const parts = all.map(({ key, weight }) => ({ key, part: (units * weight) / sum, rest: (units * weight) % sum }));
  let over = units - parts.reduce((so, { part }) => so + part, 0n);
  const order = parts.toSorted((a, b) => (a.rest === b.rest ? (a.key < b.key ? -1 : 1) : a.rest > b.rest ? -1 : 1));
  for (const each of order) {
    if (over === 0n) break;
    each.part += 1n;
    over -= 1n;
  }
  return new Map(parts.map(({ key, part }) => [key, part]));
}

/** A share as Kubernetes answers it: `13334m`, `21504Mi`, `1k`. */
export const printed = (limits: Limits, share: Share): Record<string, string> =>
  Object.fromEntries(
    (Object.keys(share) as Limit[]).map((limit) => {
      const base = amountOf(limits, limit)?.base ?? "decimal";
      return [limit, print({ nanos: (share[limit] ?? 0n) * unitOf(limit), base })];
    }),
  );

function amountOf(limits: Limits, limit: Limit): Amount | undefined {
  const said = limits[limit];
  return said === undefined ? undefined : parse(String(said));
}
