import { describe, expect, test } from "vitest";
import type { ID } from "#core/id.ts";
import { parse } from "#core/project/quantity.ts";
import type { Limits } from "#core/project/schema.ts";
import { type Limit, printed, type Share, split } from "#core/project/split.ts";
import { newChance } from "../../world/clock.ts";

const cluster = (n: number): ID<"cluster"> => `cls_01k${String(n).padStart(23, "0")}`;
const at = (n: number, weight = 1, leaving = false) => ({
  cluster: cluster(n),
  weight,
  ...(leaving && { leavingAt: "2026-01-01T00:00:00.000Z" }),
});
const shareOf = ({ shares }: ReturnType<typeof split>, n: number): Share => shares.get(cluster(n)) ?? {};

describe("by example", () => {
  test("a reserve is kept back, and the rest goes by weight", () => {
    const limits: Limits = { cpu: "40", memory: "64Gi", pods: 101 };
    const done = split(limits, 20, [at(1), at(2, 3)]);
    expect(printed(limits, shareOf(done, 1))).toEqual({ cpu: "8", memory: "13107Mi", pods: "20" });
    expect(printed(limits, shareOf(done, 2))).toEqual({ cpu: "24", memory: "39321Mi", pods: "60" });
    // 20.2 Pods are kept back as 21.
    expect(printed(limits, done.reserve)).toEqual({ cpu: "8", memory: "13108Mi", pods: "21" });
  });

  test("what does not divide goes to the largest remainders, then to the lower ids", () => {
    const done = split({ pods: 11 }, 0, [at(3), at(1), at(2)]);
    expect([1, 2, 3].map((n) => shareOf(done, n).pods)).toEqual([4n, 4n, 3n]);
    const uneven = split({ pods: 10 }, 0, [at(1, 2), at(2, 5)]);
    expect([1, 2].map((n) => shareOf(uneven, n).pods)).toEqual([3n, 7n]);
  });

  test("who leaves, or has no weight, gets nothing, and with nobody to give to all is kept back", () => {
    const done = split({ pods: 10 }, 10, [at(1), at(2, 0), at(3, 5, true)]);
    expect([1, 2, 3].map((n) => shareOf(done, n).pods)).toEqual([9n, 0n, 0n]);
    for (const places of [[], [at(1, 0)], [at(1, 4, true)]])
      expect(split({ pods: 10 }, 10, places).reserve.pods).toBe(10n);
  });

  test("what is not limited is in no share", () => {
    expect(shareOf(split({}, 50, [at(1)]), 1)).toEqual({});
    expect(split({}, 50, [at(1)]).reserve).toEqual({});
  });
});

describe("of 3,000 splits by chance", () => {
  const random = newChance(11);
  const draw = (below: number): number => new DataView(random(4).buffer).getUint32(0) % below;
  const suffixes = { cpu: ["", "m"], memory: ["", "k", "M", "Gi", "Ti"], storage: ["Mi", "Gi", "G"] };
  const cases = Array.from({ length: 3_000 }, () => {
    const said = (limit: keyof typeof suffixes): string => {
      const list = suffixes[limit];
      return `${draw(100_000)}${list[draw(list.length)]}`;
    };
    const limits: Limits = { cpu: said("cpu"), memory: said("memory"), storage: said("storage"), pods: draw(5_000) };
    const places = Array.from({ length: draw(21) }, (_, n) => at(n, draw(8) === 0 ? 0 : draw(1_001), draw(6) === 0));
    return { limits, reserve: draw(91), places };
  }).map((one) => ({ ...one, done: split(one.limits, one.reserve, one.places) }));
  /** What of a limit is given out at once, in its smallest units. */
  const grain = (limits: Limits, limit: Limit): bigint => {
    if (limit !== "memory" && limit !== "storage") return 1n;
    const step = String(limits[limit]).endsWith("i") ? 1024n : 1000n;
    return [step * step, step].find((each) => whole(limits, limit) % each === 0n) ?? 1n;
  };
  const whole = (limits: Limits, limit: Limit): bigint =>
    (parse(String(limits[limit]))?.nanos ?? 0n) / (limit === "cpu" ? 1_000_000n : 1_000_000_000n);

  test("shares and reserve come to the limit exactly, and none is below nothing", () => {
    for (const { limits, places, done } of cases) {
      for (const limit of Object.keys(limits) as Limit[]) {
        const all = [...done.shares.values(), done.reserve].map((share) => share[limit] ?? -1n);
        // Each place and the reserve says each limit.
        expect(all).toHaveLength(places.length + 1);
        expect(all.every((part) => part >= 0n)).toBe(true);
        expect(all.reduce((sum, part) => sum + part, 0n)).toBe(whole(limits, limit));
      }
    }
  });

  test("no share is a unit or more from what its weight comes to, and the reserve is never short", () => {
    for (const { limits, places, reserve, done } of cases) {
      const weights = places.map(({ weight, ...place }) => ("leavingAt" in place ? 0 : weight));
      const sum = BigInt(weights.reduce((so, weight) => so + weight, 0));
      for (const limit of Object.keys(limits) as Limit[]) {
        const total = whole(limits, limit);
        expect((done.reserve[limit] ?? 0n) * 100n >= total * BigInt(reserve)).toBe(true);
        if (sum === 0n) continue;
        const given = total - (done.reserve[limit] ?? 0n);
        for (const [index, place] of places.entries()) {
          const off = (done.shares.get(place.cluster)?.[limit] ?? 0n) * sum - given * BigInt(weights[index] ?? 0);
          const unit = sum * grain(limits, limit);
          expect(off < unit && off > -unit).toBe(true);
        }
      }
    }
  });

  test("the order of places means nothing, and who weighs more never gets less", () => {
    for (const { limits, places, reserve, done } of cases.slice(0, 500)) {
      const turned = split(limits, reserve, places.toReversed());
      for (const { cluster: id } of places) expect(turned.shares.get(id)).toEqual(done.shares.get(id));
      const stay = places.filter((place) => !("leavingAt" in place)).toSorted((a, b) => a.weight - b.weight);
      for (const [index, { cluster: id, weight }] of stay.entries()) {
        const next = stay[index + 1];
        if (next === undefined || next.weight === weight) continue;
        const [less, more] = [done.shares.get(id)?.pods ?? 0n, done.shares.get(next.cluster)?.pods ?? 0n];
        expect(less <= more).toBe(true);
      }
    }
  });

  test("a printed share is read as the same amount", () => {
    for (const { limits, done } of cases.slice(0, 500)) {
      for (const share of [...done.shares.values(), done.reserve]) {
        for (const [limit, text] of Object.entries(printed(limits, share))) {
          const unit = limit === "cpu" ? 1_000_000n : 1_000_000_000n;
          expect(parse(text)?.nanos).toBe((share[limit as Limit] ?? -1n) * unit);
        }
      }
    }
  });

  test("a weight that changes moves units between its own place and the others, and each other by its part at most", () => {
    for (const { limits, places, reserve, done } of cases.slice(0, 500)) {
      const first = places[0];
      if (first === undefined || "leavingAt" in first) continue;
      const changed = split(limits, reserve, [{ ...first, weight: first.weight + 100 }, ...places.slice(1)]);
      const [before, after] = [
        done.shares.get(first.cluster)?.pods ?? 0n,
        changed.shares.get(first.cluster)?.pods ?? 0n,
      ];
      expect(after >= before).toBe(true);
      for (const { cluster: id } of places.slice(1)) {
        // Largest remainder may hand one single unit from one to another, and no more.
        const [was, is] = [done.shares.get(id)?.pods ?? 0n, changed.shares.get(id)?.pods ?? 0n];
        expect(is <= was + 1n).toBe(true);
      }
    }
  });
});
