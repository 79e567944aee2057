import { type Goal, finished, merge, secondsBetween } from "./condition.ts";
import { type Kind, KubeFault, Newer, Refused, type Work } from "./context.ts";
import { Fault } from "./error.ts";
import { type Failing, type Failure, fail } from "./failure.ts";
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
  /** Attributes that the row lacks, as one of an older release does; it gets them when it is settled. */
  lacks?: Record<string, unknown>;
}

/** What one saw, as it is after something was learned. */
export type Lesson<Seen> = (seen: Seen) => Seen;

/**
 * What a noun tells the engine. `look` and `act` touch the world; `plan` must not.
 * What an act made or a watch told is sight too, and saves a look; nothing is called settled but by a look.
 */
export interface Settler<Row extends Kept, Seen, Step> extends Failing<Row> {
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
    if (parked !== undefined && row.failures >= limits.parkedAfterFailures) {
      if (row.parkedAt === undefined) await list(ctx, settler.kind, row);
      return { state: "parked", why: parked.message };
    }
    if (row.holder === undefined && row.failures === 0 && row.observedGeneration === row.generation) {
      try {
        if (await quiet(ctx, settler, row)) return { state: "settled" };
      } catch (error) {
        if (error instanceof Newer) throw error;
        return await fail(ctx, settler, row, error, { epoch: row.epoch, holder: { absent: true } });
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

/** A row that an older release parked is in no list until it is met once. */
async function list<Row extends Kept>(ctx: Work, kind: Kind<Row>, { id, epoch, failures }: Row): Promise<void> {
  try {
    await ctx.table.edit(kind, id, { set: { parkedAt: ctx.now() }, when: { epoch, failures } });
  } catch (error) {
    // Somebody has it looked at again, which is better.
    if (!(error instanceof Refused)) throw error;
  }
}

/** Whether there is nothing to do and nothing to write. */
async function quiet<Row extends Kept, Seen, Step>(
  ctx: Work,
  settler: Settler<Row, Seen, Step>,
  row: Row,
): Promise<boolean> {
  const seen = await settler.look(ctx, row);
  const { steps, awaits, conditions, lookAt, lacks, sight = row.sight } = settler.plan(row, seen, ctx.now());
  return (
    steps.length === 0 &&
    awaits.length === 0 &&
    lacks === undefined &&
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
  // What has not come for long keeps no worker waiting: a short look each minute finds it, and anything new is followed.
  const waited = leased.waits ?? 0;
  let moved = false;
  const patience = (): number => (waited >= limits.waitsMax && !moved ? limits.briefSeconds : limits.patienceSeconds);
  const left = (): number => (ending() ? 0 : patience() - secondsBetween(started, ctx.now()));
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
          moved = true;
          told = learn(
            seen,
            done.slice(1).map((result) => (result.status === "fulfilled" ? result.value : undefined)),
          );
          continue;
        }
        // A write of the noun's own that the table refused is a conflict too: had we lost the lease, the next look tells.
        const { reason } = failed as { reason: unknown };
        const conflict = reason instanceof Refused || (reason instanceof KubeFault && reason.kind === "conflict");
        if (!conflict || ++conflicts > 5) throw failed.reason;
        continue;
      }
      if (plan.awaits.length > 0 || plan.steps.length > 0) {
        if (left() > 0) {
          if (write) await grip.write(write);
          const [waiting, woken] = [new AbortController(), stir];
          void ctx.sleep(left() * 1000, waiting.signal).then(() => woken.abort());
          // Asked before the sleep is ended, which aborts as well.
          const coming = settler.coming(ctx, row, seen, woken.signal).finally(() => {
            moved ||= !woken.signal.aborted;
            waiting.abort();
          });
          told = learn(seen, [await timed("wait", coming)]);
          continue;
        }
        // Who ends leaves the row to the next process, at once.
        const lookAt = ending() ? ctx.now() : later(ctx.now(), limits.backOffSeconds);
        const waits = moved ? 0 : ending() ? waited : waited + 1;
        const on = plan.awaits;
        const set = { status, lookAt, waits, failures: 0 };
        if (await grip.release({ set, remove: ["strikes"] })) return { state: "waiting", on };
        await grip.release({ set: { lookAt: ctx.now() } });
        return { state: "waiting", on };
      }
      if (!looked) continue;
      const { lookAt, sight } = plan;
      const settled = {
        ...plan.lacks,
        status,
        observedGeneration: row.generation,
        failures: 0,
        ...(sight !== undefined && { sight }),
      };
      const due =
        lookAt === undefined
          ? { set: settled, remove: ["lookAt", "strikes", "waits"] }
          : { set: { ...settled, lookAt }, remove: ["strikes", "waits"] };
      if (await grip.release(due)) return { state: "settled" };
    }
  } catch (error) {
    if (error instanceof Refused) return { state: "busy" };
    if (!(error instanceof Newer)) return await fail(ctx, settler, grip.row, error, { epoch: leased.epoch });
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
