import { describe, expect, test } from "vitest";
import { Figures } from "./figures.ts";
import { type Point, pointsOf, scripts, strike } from "./points.ts";
import { setTurns, simulate } from "./run.ts";
import { report, shrink } from "./shrink.ts";

// The whole of Berth over a world of its own time, in which everything outside of a process may fail, at any call.
// docs/reliability.md says what is promised and what is tried.

const deep = process.env["BERTH_DEEP"] !== undefined;
const seeds = Number(process.env["BERTH_SEEDS"] ?? (deep ? 20_000 : 500));
/** How many points are tried when not all are: a stride over all of them, another one than a multiple of their kinds. */
const pointsMax = deep ? Number.POSITIVE_INFINITY : Number(process.env["BERTH_POINTS"] ?? 600);
const alone = process.env["BERTH_SEED"];
/** Seeds that once broke a promise, and which. */
const found: [seed: number, what: string][] = [
  [161, "a Service whose labels a stranger took before the leaves were kept, and no leaves were ever made"],
  [230, "a key was kept of a cluster that had been ended meanwhile"],
  [26, "an owner was made, and no cluster was told of its account"],
];

const figures = new Figures();

describe.runIf(alone !== undefined)("one seed", () => {
  test("keeps every promise", async () => {
    const run = await simulate(Number(alone), { keep: true });
    console.log(run.lines.join("\n"));
    expect(run.broken.length === 0 ? "" : report(await shrink(run))).toBe("");
  });
});

describe.runIf(alone === undefined)("the simulator", () => {
  test("does the same with the same seed, however long it waits for promises", async () => {
    const once = await simulate(7);
    const again = await simulate(7);
    setTurns(20);
    const slowly = await simulate(7);
    setTurns();
    expect([again.hash, slowly.hash]).toEqual([once.hash, once.hash]);
    expect((await simulate(8)).hash).not.toBe(once.hash);
  });

  test.each(found)("seed %i, which once broke: %s", async (seed) => {
    const run = await simulate(seed);
    expect(run.broken).toEqual([]);
  });

  test.each([1, 2, 3])("comes to rest when every poke is lost, with %i workers", async (workers) => {
    const { broken } = await simulate(workers, { pokesLost: true, workers });
    expect(broken).toEqual([]);
  });

  test("keeps every promise whatever happens at any one call", async () => {
    const all: Point[] = [];
    for (const [at, script] of scripts.entries()) all.push(...(await pointsOf(script, 1 + (at % 3))));
    const stride = Math.max(1, Math.ceil(all.length / pointsMax));
    const failed: string[] = [];
    for (let at = 0; at < all.length && failed.length < 5; at += stride) {
      const point = all[at] as Point;
      const run = await strike(point);
      figures.add(run);
      if (run.broken.length > 0) failed.push(`${JSON.stringify(point)}: ${JSON.stringify(run.broken.slice(0, 2))}`);
    }
    figures.points = Math.ceil(all.length / stride);
    figures.pointsAll = all.length;
    expect(failed).toEqual([]);
  });

  test(`keeps every promise in ${seeds} storms`, async () => {
    const failed: string[] = [];
    for (let seed = 1; seed <= seeds && failed.length < 3; seed += 1) {
      const run = await simulate(seed);
      figures.add(run, true);
      if (run.broken.length > 0) failed.push(report(await shrink(run)));
    }
    console.log(figures.line());
    expect(failed.join("\n\n")).toBe("");
  });
});
