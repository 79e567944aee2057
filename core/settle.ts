import { type Goal, merge, secondsBetween } from "./condition.ts";
import { type Edit, type Kind, KubeFault, Refused, type Work } from "./context.ts";
import { Fault } from "./error.ts";
import { beat, type Kept, later, limits, take } from "./lease.ts";

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
  | { state: "busy" }
  | { state: "failed"; why: string }
  | { state: "parked"; why: string }
  | { state: "gone" };

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Seconds until the next try: 5 s doubled per failure up to 10 min, half of it by chance so that rows don't march. */
export function backOff(ctx: { random(bytes: number): Uint8Array }, failures: number): number {
  const whole = Math.min(limits.backOffMaxSeconds, limits.backOffSeconds * 2 ** Math.max(0, failures - 1));
  return whole / 2 + ((ctx.random(1)[0] ?? 0) / 255) * (whole / 2);
}

/** Outages pass by themselves: they back off, but never park a row. */
const passing = (error: unknown): boolean =>
  error instanceof KubeFault && (error.kind === "unavailable" || error.kind === "throttled");

const describe = (error: unknown): string =>
  error instanceof Fault || error instanceof KubeFault
    ? error.message
    : "Something unexpected failed; it is in the log.";

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
  const row = await ctx.table.get(settler.kind, id);
  if (row === undefined) return { state: "gone" };
  const parked = row.status.conditions.find((condition) => condition.type === "Parked" && condition.status === "True");
  if (parked !== undefined && row.failures >= limits.parkedAfterFailures)
    return { state: "parked", why: parked.message };
  if (row.holder === undefined && row.failures === 0 && row.observedGeneration === row.generation) {
    try {
      const seen = await settler.look(ctx, row);
      const plan = settler.plan(row, seen, ctx.now());
      const quiet = plan.steps.length === 0 && plan.awaits.length === 0 && plan.lookAt === row.lookAt;
      if (quiet && same(merge(row.status.conditions, plan.conditions, ctx.now()), row.status.conditions)) {
        return { state: "settled" };
      }
    } catch (error) {
      return await fail(ctx, settler.kind, row, error, { epoch: row.epoch, holder: { absent: true } });
    }
  }
  const lease = await take(ctx, settler.kind, row);
  return typeof lease === "string" ? { state: lease } : await hold(ctx, settler, lease);
}

/** Holds the lease: beats, and turns look, plan and act over until it is settled or patience ends. */
async function hold<Row extends Kept, Seen, Step>(
  ctx: Work,
  settler: Settler<Row, Seen, Step>,
  leased: Row,
): Promise<Outcome> {
  const { kind } = settler;
  const started = ctx.now();
  const left = (): number => limits.patienceSeconds - secondsBetween(started, ctx.now());
  let row = leased;
  let stir = new AbortController();
  const heart = beat(ctx, kind, leased, (now) => {
    if (now === undefined || now.generation !== row.generation || now.dirty === true) stir.abort();
  });
  const spent: Record<string, number> = {};
  const timed = async <T>(part: string, work: Promise<T>): Promise<T> => {
    const since = ctx.now();
    return await work.finally(() => {
      spent[part] = Math.round(1000 * ((spent[part] ?? 0) / 1000 + secondsBetween(since, ctx.now())));
    });
  };
  const write = async (edit: Edit): Promise<void> => {
    row = await ctx.table.edit(kind, row.id, { ...edit, when: { epoch: leased.epoch, ...edit.when } });
  };
  /** Lets go, unless somebody poked or the wish changed meanwhile: then false, and we look again. */
  const release = async (edit: Edit): Promise<boolean> => {
    try {
      const when = { generation: row.generation, dirty: { absent: true } } as const;
      await write({ ...edit, remove: ["holder", ...(edit.remove ?? [])], when });
      return true;
    } catch (error) {
      if (!(error instanceof Refused) || error.found?.["epoch"] !== leased.epoch) throw error;
      await write({ remove: ["dirty"] });
      return false;
    }
  };
  try {
    let told: { seen: Seen } | undefined;
    for (let conflicts = 0, repeats = 0, before = ""; ; ) {
      const fresh = await ctx.table.get(kind, row.id);
      if (fresh === undefined) return { state: "gone" };
      if (heart.lost() || fresh.epoch !== leased.epoch) return { state: "busy" };
      row = fresh;
      if (row.dirty === true) await write({ remove: ["dirty"] });
      stir = new AbortController();
      const seen: Seen = told === undefined ? await timed("look", settler.look(ctx, row)) : told.seen;
      const looked = told === undefined;
      told = undefined;
      const plan = settler.plan(row, seen, ctx.now());
      const conditions = merge(row.status.conditions, plan.conditions, ctx.now());
      const status = { ...row.status, ...plan.status, conditions };
      if (plan.steps.length > 0 && left() > 0) {
        const steps = JSON.stringify(plan.steps);
        repeats = steps === before ? repeats + 1 : 0;
        before = steps;
        // What is wanted and what the world makes of it will never be equal: better parked than spinning for ever.
        if (repeats >= limits.repeatsMax)
          throw new Fault("conflict", "The same change was made again and again, and changed nothing.");
        const wrote = same(status, row.status) ? Promise.resolve() : write({ set: { status } });
        const acts = plan.steps.map((step) => settler.act(ctx, row, step, seen));
        const done = await timed("act", Promise.allSettled([wrote, ...acts]));
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
          if (!same(status, row.status)) await write({ set: { status } });
          const [patience, woken] = [new AbortController(), stir];
          void ctx.sleep(left() * 1000, patience.signal).then(() => woken.abort());
          const coming = settler.coming(ctx, row, seen, woken.signal).finally(() => patience.abort());
          told = learn(seen, [await timed("wait", coming)]);
          continue;
        }
        const lookAt = later(ctx.now(), limits.backOffSeconds);
        const on = plan.awaits;
        if (await release({ set: { status, lookAt, failures: 0 } })) return { state: "waiting", on };
        await release({ set: { lookAt: ctx.now() } });
        return { state: "waiting", on };
      }
      if (!looked) continue;
      const lookAt = plan.lookAt === undefined ? undefined : { lookAt: plan.lookAt };
      const settled = { status, observedGeneration: row.generation, failures: 0, ...lookAt };
      if (await release({ set: settled, remove: lookAt === undefined ? ["lookAt"] : [] })) return { state: "settled" };
    }
  } catch (error) {
    if (error instanceof Refused) return { state: "busy" };
    return await fail(ctx, kind, row, error, { epoch: leased.epoch });
  } finally {
    await heart.stop();
    ctx.log.info("a pass ended", { id: row.id, epoch: leased.epoch, milliseconds: spent });
  }
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

/** Counts a failure on the row, sets the time of the next try, parks what has failed too often, and lets go. */
async function fail<Row extends Kept>(
  ctx: Work,
  kind: Kind<Row>,
  row: Row,
  error: unknown,
  when: NonNullable<Edit["when"]>,
): Promise<Outcome> {
  const why = describe(error);
  const stack = error instanceof Error ? error.stack : String(error);
  ctx.log.error("settle failed", { id: row.id, failures: row.failures + 1, why, stack });
  const most = passing(error) ? limits.parkedAfterFailures - 1 : limits.parkedAfterFailures;
  const failures = Math.min(row.failures + 1, Math.max(most, row.failures));
  const parked = failures >= limits.parkedAfterFailures;
  const goal: Goal = parked
    ? { type: "Parked", status: "True", reason: "FailedTooOften", message: why }
    : { type: "Retrying", status: "True", reason: "Failed", message: why };
  const others = row.status.conditions.filter(({ type }) => type !== "Parked" && type !== "Retrying");
  const conditions = [...others, ...merge(row.status.conditions, [goal], ctx.now())];
  const lookAt = later(ctx.now(), backOff(ctx, failures));
  try {
    await ctx.table.edit(kind, row.id, {
      set: { failures, status: { ...row.status, conditions }, ...(parked ? {} : { lookAt }) },
      remove: ["holder", "dirty", ...(parked ? ["lookAt"] : [])],
      when,
    });
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    return { state: "busy" };
  }
  return parked ? { state: "parked", why } : { state: "failed", why };
}
