import { type Condition, type Goal, merge } from "./condition.ts";
import { type Edit, type Kind, KubeFault, Refused, type Work } from "./context.ts";
import { Fault } from "./error.ts";
import { type Kept, later, limits } from "./lease.ts";

/** What became of a pass that failed; `busy` when the row is another's by now. */
export type Failure = { state: "failed"; why: string } | { state: "parked"; why: string } | { state: "busy" };

/** Half of it to all of it, by chance, so that those who wait the same don't come back in step. */
export const jitter = (ctx: { random(bytes: number): Uint8Array }, whole: number): number =>
  whole / 2 + ((ctx.random(1)[0] ?? 0) / 255) * (whole / 2);

/** Seconds until the next try: 5 s doubled per failure up to 10 min, half of it by chance so that rows don't march. */
export function backOff(ctx: { random(bytes: number): Uint8Array }, failures: number): number {
  const whole = Math.min(limits.backOffMaxSeconds, limits.backOffSeconds * 2 ** Math.max(0, failures - 1));
  return jitter(ctx, whole);
}

/** What a row depends on is known to have been silent for a while: there is no need to try a few times. */
export class Silent extends KubeFault {
  /** ISO 8601 UTC. */
  readonly since: string;

  constructor(message: string, since: string) {
    super("unavailable", message);
    this.since = since;
  }
}

/** After so many outages in a row nobody can say any more whether what was ready still is. */
const outagesMax = 3;

/** Outages pass by themselves: they back off, but never park a row. */
const passing = (error: unknown): boolean =>
  // A table that gives no answer is told by a fault of ours.
  error instanceof Fault
    ? error.kind === "unavailable"
    : error instanceof KubeFault && ["unavailable", "throttled", "expired"].includes(error.kind);

const describe = (error: unknown): string =>
  error instanceof Fault || error instanceof KubeFault
    ? error.message
    : "Something unexpected failed; it is in the log.";

/** What a noun tells of its failures. */
export interface Failing<Row> {
  kind: Kind<Row>;
  /** What its condition `Ready` says when it could not be reached since an ISO 8601 time; left out, it stays as it is. */
  unreachable?(row: Row, since: string): string;
}

/** Counts a failure on the row, sets the time of the next try, parks what has failed too often, and lets go. */
export async function fail<Row extends Kept>(
  ctx: Work,
  noun: Failing<Row>,
  row: Row,
  error: unknown,
  when: NonNullable<Edit["when"]>,
): Promise<Failure> {
  const why = describe(error);
  const stack = error instanceof Error ? error.stack : String(error);
  ctx.log.error("settle failed", { id: row.id, failures: row.failures + 1, why, stack });
  // However long an outage was, what fails first after it has failed once.
  const strikes = (row.strikes ?? 0) + (passing(error) ? 0 : 1);
  const parked = strikes >= limits.parkedAfterFailures;
  const failures = parked ? strikes : Math.min(row.failures + 1, limits.parkedAfterFailures - 1);
  const goal: Goal = parked
    ? { type: "Parked", status: "True", reason: "FailedTooOften", message: why }
    : { type: "Retrying", status: "True", reason: "Failed", message: why };
  const others = doubted(ctx, noun, row, error).filter(({ type }) => type !== "Parked" && type !== "Retrying");
  const conditions = [...others, ...merge(row.status.conditions, [goal], ctx.now())];
  // A parked row waits for a person, any other for its time: the table keeps it in one of the two lists.
  const wait = parked ? { parkedAt: ctx.now() } : { lookAt: later(ctx.now(), backOff(ctx, failures)) };
  try {
    await ctx.table.edit(noun.kind, row.id, {
      set: { failures, strikes, status: { ...row.status, conditions }, ...wait },
      remove: ["holder", "dirty", parked ? "lookAt" : "parkedAt"],
      when,
    });
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    return { state: "busy" };
  }
  return parked ? { state: "parked", why } : { state: "failed", why };
}

/** The conditions; what was called ready is not known to be, once its world is silent. */
function doubted<Row extends Kept>(ctx: Work, noun: Failing<Row>, row: Row, error: unknown): Condition[] {
  const { conditions } = row.status;
  if (!(error instanceof KubeFault) || error.kind !== "unavailable") return conditions;
  const often = row.failures + 1 - (row.strikes ?? 0) >= outagesMax;
  if (!often && !(error instanceof Silent)) return conditions;
  const failing = conditions.find(({ type }) => type === "Retrying")?.at ?? ctx.now();
  const message = noun.unreachable?.(row, error instanceof Silent ? error.since : failing);
  if (message === undefined) return conditions;
  // What says False says so rightly: it was not ready, and nobody has seen it become so.
  return conditions.flatMap((each) =>
    each.type === "Ready" && each.status !== "False"
      ? merge([each], [{ type: "Ready", status: "Unknown", reason: "Unreachable", message }], ctx.now())
      : [each],
  );
}
