import type { ID } from "#core/id.ts";
import { newWorld } from "../world/index.ts";
import { newCaller } from "../world/people.ts";
import { newActors } from "./actors.ts";
import type { User } from "./client.ts";
import { newDice } from "./dice.ts";
import { byChance, type Decide, type Met } from "./fault.ts";
import { type Ground, newGround } from "./ground.ts";
import { type House, type Job, newJobs, newTold } from "./jobs.ts";
import type { Broken } from "./judge.ts";
import { checkRest, unrest } from "./rest.ts";
import { apart, shapeOf } from "./shape.ts";
import { settleIn, storm, stormMs, type Until } from "./storm.ts";

/** What a run is made of, beside its seed. */
export interface Setting {
  /** Faults that are left out, by key. */
  spare?: ReadonlySet<string>;
  /** Whether what happened is kept line by line. */
  keep?: boolean;
  /** In place of chance: jobs one after the other, the last of them under fire. */
  script?: { before: Job[]; job: Job; decide: Decide };
  /** Whether no poke of a door arrives: then the sweep alone finds the work. */
  pokesLost?: boolean;
  workers?: number;
}

/** What came of it. */
export interface Run {
  seed: number;
  broken: Broken[];
  met: Met[];
  hash: string;
  lines: string[];
  operations: number;
  checks: number;
  points: ReadonlySet<string>;
  /** How many calls there were while faults were on. */
  calls: number;
  recoverySeconds: number;
  parked: number;
}

/** How long it may take after the last fault until all is as wished, in virtual milliseconds. */
export const calmMsMax = 1_800_000;
const clocksMs = 270_000;
const burstMs = 240_000;
/** All promises that can go on do so in one turn; more of them change nothing (a test holds that). */
const turnsDefault = 2;
let turns = turnsDefault;
export const setTurns = (count = turnsDefault): void => void (turns = count);

let wished: Promise<ReadonlyMap<string, string>> | undefined;

/** One seeded run, from an empty world to its rest. */
export async function simulate(seed: number, setting: Setting = {}): Promise<Run> {
  wished ??= undisturbed();
  return await play(seed, setting, await wished);
}

/** A cluster as it is when nothing goes wrong. */
async function undisturbed(): Promise<ReadonlyMap<string, string>> {
  let shape: ReadonlyMap<string, string> = new Map();
  const script = { before: [], job: "create" as const, decide: () => undefined };
  await play(0, { script, workers: 1 }, undefined, (ground) => {
    const [id, known] = [...ground.judge.clusters][0] ?? [];
    const row = ground.world.tables.peek(known?.tenant ?? "", "cluster", id ?? "");
    shape = shapeOf(ground, row as unknown as Parameters<typeof shapeOf>[1]).shape;
  });
  return new Map([...shape].filter(([place]) => !/mbr/.test(place)));
}

async function play(
  seed: number,
  setting: Setting,
  whole: ReadonlyMap<string, string> | undefined,
  atRest?: (ground: Ground) => void,
): Promise<Run> {
  const dice = newDice(seed);
  const world = newWorld({ seed: seed + 1 });
  const { clock } = world;
  const time = (): number => Date.parse(clock.now());
  const rate = 0.01 + 0.19 * dice("rate") ** 3;
  // Now and then half of all calls fail, for minutes.
  const worst = dice("burst") < 0.2 ? time() + stormMs * 0.6 * dice("burst at") : Number.POSITIVE_INFINITY;
  const rateNow = (): number => (time() >= worst && time() < worst + burstMs ? 0.5 : rate);
  const ground = newGround(world, dice, setting.script?.decide ?? byChance(dice, rateNow), setting);
  ground.calm = true;
  const until: Until = async (done, ms) => {
    for (const end = time() + ms; !done() && time() < end; ) if (!(await clock.step(turns))) break;
    return done();
  };
  const finish = async <T>(work: Promise<T>): Promise<T> => {
    let done = false;
    void work.finally(() => (done = true)).catch(() => {});
    if (!(await until(() => done, 3_600_000))) throw new Error(`seed ${seed}: a job does not end`);
    return await work;
  };

  const scripted = setting.script !== undefined;
  const skewMs = !scripted && dice("skewed") < 0.25 ? 300_000 : 0;
  const workers = setting.workers ?? 1 + Math.floor(dice("workers") * 3);
  const actors = newActors(ground, { workers, skewMs });
  const { houses, staff } = await settleIn(ground, scripted ? 1 : 2);
  const told = newTold();
  const jobs = newJobs(ground, actors, staff, told);
  actors.start();
  const home = houses[0] as House;
  for (const job of setting.script?.before ?? []) {
    await finish(jobs.run(job, home));
    if (!(await until(() => whole === undefined || unrest(ground, whole) === undefined, calmMsMax)))
      throw new Error(`seed ${seed}: ${job} did not come to rest without a fault`);
  }
  ground.calm = false;
  const before = ground.points.calls;
  if (setting.script !== undefined) {
    const { job } = setting.script;
    await finish(jobs.run(job, home));
    // Those that leave it to the clocks meet each of them once.
    if (job === "look" || job === "stranger") await until(() => false, clocksMs);
    await until(() => (whole === undefined || unrest(ground, whole) === undefined) && ground.mail.size === 0, 120_000);
  } else await storm(ground, actors, jobs, houses, until);
  const calls = ground.points.calls - before;
  const { recoverySeconds, parked } = await calm(ground, houses, staff, whole, until);
  // What a clock that went ahead wrote is young for as long.
  if (skewMs > 0) await until(() => false, skewMs);
  actors.stop();
  await passOver(ground);
  checkRest(ground, houses, told);
  atRest?.(ground);
  const { broken, checks } = ground.judge;
  const { met, lines, points } = ground;
  const figures = { operations: told.operations, checks, points: points.struck, calls, recoverySeconds, parked };
  return { seed, broken, met, hash: ground.hash(), lines, ...figures };
}

/** No fault any more: how long until all is as wished. */
async function calm(
  ground: Ground,
  houses: House[],
  staff: User,
  whole: ReadonlyMap<string, string> | undefined,
  until: Until,
): Promise<{ recoverySeconds: number; parked: number }> {
  const { world, judge } = ground;
  const { clock } = world;
  const time = (): number => Date.parse(clock.now());
  ground.calm = true;
  ground.away.clear();
  ground.tell("calm");
  const since = time();
  let parked = 0;
  let why: string | undefined = "not looked yet";
  for (const house of houses) {
    const caller = newCaller(world.doors, staff.text);
    await caller.patch(`/v1/home/tenants/${house.tenant}`, { state: "active" });
  }
  for (let waited = 0; why !== undefined && time() - since < calmMsMax; waited += 1) {
    await until(() => false, waited === 0 ? 1 : 5_000);
    why = whole === undefined ? quick(ground) : unrest(ground, whole);
    if (waited % 12 !== 11) continue;
    // Those that failed too often wait for a person, who comes each minute.
    for (const [id, { tenant }] of judge.clusters) {
      if (world.tables.peek(tenant, "cluster", id)?.["parkedAt"] === undefined) continue;
      parked += 1;
      const caller = newCaller(world.doors, staff.text);
      await caller.post(`/v1/home/parked/${id}/release`, { tenant });
    }
  }
  judge.hold("I7 it comes to rest", why === undefined, () => `after ${calmMsMax / 60_000} minutes: ${why}`);
  const recoverySeconds = Math.round((time() - since) / 1_000);
  // What only sleeps in a frozen process, or hides in the queue, is let out before the last look.
  await until(() => ground.mail.size === 0, 400_000);
  return { recoverySeconds, parked };
}

const quick = ({ judge, world }: Ground): string | undefined =>
  [...judge.clusters].every(([id, { tenant }]) => {
    const row = world.tables.peek(tenant, "cluster", id);
    return row === undefined || (row["observedGeneration"] === row["generation"] && row["holder"] === undefined);
  })
    ? undefined
    : "not settled";

/** I7: once all is as wished, looking at all of it writes nothing. */
async function passOver(ground: Ground): Promise<void> {
  const { world, judge } = ground;
  await world.digest();
  const still = (): string => {
    const writes = [...world.kubes.servers.values()].reduce((sum, { writes }) => sum + writes, 0);
    const rows = [...world.tables.rows()].filter(([key]) => !/\/(host|token)\//.test(key));
    return JSON.stringify([writes, rows]);
  };
  const before = still();
  for (const [id, { tenant }] of judge.clusters) await world.queue.poke(tenant as ID<"tenant">, id as ID);
  await world.round();
  await world.digest();
  const after = still();
  judge.hold("I7 a whole pass writes nothing", before === after, () => apart(before, after));
}
