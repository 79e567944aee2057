import { type Goal, finished, merge, secondsBetween } from "./condition.ts";
import { type Kind, KubeFault, Newer, Refused, type Work } from "./context.ts";
import { Fault } from "./error.ts";
import { type Failure, fail } from "./failure.ts";
import { beat, gripOf, type Kept, later, limits, take } from "./lease.ts";

export interface Plan<Step> {
  /** What to do now, all at once. */
  steps: Step[];
  conditions: Goal[];
  /** Other fields of the status that were learned by looking. */
  status?: Record<string, unknown>;
  /** What is on its way and will show up without us; named for people. Empty, with no steps: settled. */
  awaits: string[];
  /** When a settled row wants to be looked at again, ISO 8601 UTC. */
  lookAt?: string;
  /** A digest of what was seen; a settled row keeps it, so that others can tell whether the world is still so. */
  sight?: string;
}

/** What one saw, as it is after something was learned. */
export type Lesson<Seen> = (seen: Seen) => Seen;

/**
 * What a noun tells the engine. `look` and `act` touch the world; `plan` must not.
 * What an act made or a watch told is sight too, and saves a look; nothing is called settled but by a look.
 */
export interface Settler<Row extends Kept, Seen, Step> {
  kind: Kind<Row>;
  look(ctx: Work, row: Row): Promise<Seen>;
  plan(row: Row, seen: Seen, now: string): Plan<Step>;
  /** @returns what it made, or nothing when only a look can tell. */
  act(ctx: Work, row: Row, step: Step, seen: Seen): Promise<Lesson<Seen> | undefined>;
  /** Resolves when something of what is awaited has changed, with the change if it was told; or when `signal` aborts. */
  coming(ctx: Work, row: Row, seen: Seen, signal: AbortSignal): Promise<Lesson<Seen> | undefined>;
}

export type Outcome =
  | { state: "settled" }
  | { state: "waiting"; on: string[] }
  | Failure
  | { state: "gone" }
  /** A newer release wrote the row, or one that it needs: nothing was done. */
  | { state: "newer" };

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * Brings one row's world to what is wanted: the only loop in the house. Looks before it locks; does nothing and writes
 * nothing when all is as it should be. What a noun throws is counted on the row; only a table that can't be read or
 * written throws from here, so that the queue tries again.
 */
export async function settle<Row extends Kept, Seen, Step>(
  ctx: Work,
  settler: Settler<Row, Seen, Step>,
  id: string,
): Promise<Outcome> {
  try {
    const row = await ctx.table.get(settler.kind, id);
    if (row === undefined) return { state: "gone" };
    const parked = row.status.conditions.find(({ type, status }) => type === "Parked" && status === "True");
    if (parked !== undefined && row.failures >= limits.parkedAfterFailures)
      return { state: "parked", why: parked.message };
    if (row.holder === undefined && row.failures === 0 && row.observedGeneration === row.generation) {
      try {
        if (await quiet(ctx, settler, row)) return { state: "settled" };
      } catch (error) {
        if (error instanceof Newer) throw error;
        return await fail(ctx, settler.kind, row, error, { epoch: row.epoch, holder: { absent: true } });
      }
    }
    const lease = await take(ctx, settler.kind, row);
    return typeof lease === "string" ? { state: lease } : await hold(ctx, settler, lease);
  } catch (error) {
    if (!(error instanceof Newer)) throw error;
    ctx.log.warn("left to a newer release", { id, why: error.message });
    return { state: "newer" };
  }
}

/** Whether there is nothing to do and nothing to write. */
async function quiet<Row extends Kept, Seen, Step>(
  ctx: Work,
  settler: Settler<Row, Seen, Step>,
  row: Row,
): Promise<boolean> {
  const seen = await settler.look(ctx, row);
  const { steps, awaits, conditions, lookAt, sight = row.sight } = settler.plan(row, seen, ctx.now());
  return (
    steps.length === 0 &&
    awaits.length === 0 &&
    lookAt === row.lookAt &&
    sight === row.sight &&
    same(merge(row.status.conditions, conditions, ctx.now()), row.status.conditions)
  );
}

/** Holds the lease: beats, and turns look, plan and act over until it is settled or patience ends. */
async function hold<Row extends Kept, Seen, Step>(
  ctx: Work,
  settler: Settler<Row, Seen, Step>,
  leased: Row,
): Promise<Outcome> {
  const { kind } = settler;
  const started = ctx.now();
  const ending = (): boolean => ctx.ending?.aborted === true;
  const left = (): number => (ending() ? 0 : limits.patienceSeconds - secondsBetween(started, ctx.now()));
  const grip = gripOf(ctx, kind, leased);
  let stir = new AbortController();
  const heart = beat(ctx, kind, leased, (now) => {
    if (now === undefined || now.generation !== grip.row.generation || now.dirty === true) stir.abort();
  });
  const wakeUp = (): void => stir.abort();
  ctx.ending?.addEventListener("abort", wakeUp);
  const { spent, timed } = timesOf(ctx);
  try {
    let told: { seen: Seen } | undefined;
    for (let conflicts = 0, repeats = 0, before = ""; ; ) {
      const fresh = await ctx.table.get(kind, leased.id);
      if (fresh === undefined) return { state: "gone" };
      if (heart.lost() || fresh.epoch !== leased.epoch) return { state: "busy" };
      grip.row = fresh;
      if (fresh.dirty === true) await grip.write({ remove: ["dirty"] });
      const { row } = grip;
      stir = new AbortController();
      const seen: Seen = told === undefined ? await timed("look", settler.look(ctx, row)) : told.seen;
      const looked = told === undefined;
      told = undefined;
      const plan = settler.plan(row, seen, ctx.now());
      const conditions = merge(row.status.conditions, plan.conditions, ctx.now());
      for (const { type, tookSeconds } of finished(row.status.conditions, conditions)) ctx.took?.(type, tookSeconds);
      const status = { ...row.status, ...plan.status, conditions };
      const write = same(status, row.status) ? undefined : { set: { status } };
      if (plan.steps.length > 0 && left() > 0) {
        const steps = JSON.stringify(plan.steps);
        repeats = steps === before ? repeats + 1 : 0;
        before = steps;
        // What is wanted and what the world makes of it will never be equal: better parked than spinning for ever.
        if (repeats >= limits.repeatsMax)
          throw new Fault("conflict", "The same change was made again and again, and changed nothing.");
        const acts = plan.steps.map((step) => settler.act(ctx, row, step, seen));
        const done = await timed("act", Promise.allSettled([write && grip.write(write), ...acts]));
        const failed = done.find((result) => result.status === "rejected");
        if (failed === undefined) {
          told = learn(
            seen,
            done.slice(1).map((result) => (result.status === "fulfilled" ? result.value : undefined)),
          );
          continue;
        }
        const conflict = failed.reason instanceof KubeFault && failed.reason.kind === "conflict";
        if (!conflict || ++conflicts > 5) throw failed.reason;
        continue;
      }
      if (plan.awaits.length > 0 || plan.steps.length > 0) {
        if (left() > 0) {
          if (write) await grip.write(write);
          const [patience, woken] = [new AbortController(), stir];
          void ctx.sleep(left() * 1000, patience.signal).then(() => woken.abort());
          const coming = settler.coming(ctx, row, seen, woken.signal).finally(() => patience.abort());
          told = learn(seen, [await timed("wait", coming)]);
          continue;
        }
        // Who ends leaves the row to the next process, at once.
        const lookAt = ending() ? ctx.now() : later(ctx.now(), limits.backOffSeconds);
        const on = plan.awaits;
        if (await grip.release({ set: { status, lookAt, failures: 0 } })) return { state: "waiting", on };
        await grip.release({ set: { lookAt: ctx.now() } });
        return { state: "waiting", on };
      }
      if (!looked) continue;
      const { lookAt, sight } = plan;
      const settled = {
        status,
        observedGeneration: row.generation,
        failures: 0,
        ...(sight !== undefined && { sight }),
      };
      const due = lookAt === undefined ? { set: settled, remove: ["lookAt"] } : { set: { ...settled, lookAt } };
      if (await grip.release(due)) return { state: "settled" };
    }
  } catch (error) {
    if (error instanceof Refused) return { state: "busy" };
    if (!(error instanceof Newer)) return await fail(ctx, kind, grip.row, error, { epoch: leased.epoch });
    // Let go if the row itself is still ours to write; if not, the table refuses.
    await grip.write({ remove: ["holder", "dirty"] }).catch((refused: unknown) => {
      if (!(refused instanceof Refused)) throw refused;
    });
    throw error;
  } finally {
    ctx.ending?.removeEventListener("abort", wakeUp);
    await heart.stop();
    ctx.log.info("a pass ended", { id: leased.id, epoch: leased.epoch, milliseconds: spent });
  }
}

/** How long each part of a pass took in all, in milliseconds. */
function timesOf(ctx: Work) {
  const spent: Record<string, number> = {};
  const timed = async <T>(part: string, work: Promise<T>): Promise<T> => {
    const since = ctx.now();
    return await work.finally(() => {
      spent[part] = Math.round((spent[part] ?? 0) + 1000 * secondsBetween(since, ctx.now()));
    });
  };
  return { spent, timed };
}

/** All lessons together, or nothing when one of them was none. */
function learn<Seen>(seen: Seen, lessons: (Lesson<Seen> | undefined | void)[]): { seen: Seen } | undefined {
  let known = seen;
  for (const lesson of lessons) {
    if (typeof lesson !== "function") return undefined;
    known = lesson(known);
  }
  return { seen: known };
}
