import { type Goal, merge } from "./condition.ts";
import { type Edit, type Kind, KubeFault, Refused, type Work } from "./context.ts";
import { Fault } from "./error.ts";
import { type Kept, later, limits } from "./lease.ts";

/** What became of a pass that failed; `busy` when the row is another's by now. */
export type Failure = { state: "failed"; why: string } | { state: "parked"; why: string } | { state: "busy" };

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

/** Counts a failure on the row, sets the time of the next try, parks what has failed too often, and lets go. */
export async function fail<Row extends Kept>(
  ctx: Work,
  kind: Kind<Row>,
  row: Row,
  error: unknown,
  when: NonNullable<Edit["when"]>,
): Promise<Failure> {
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
  // A parked row waits for a person, any other for its time: the table keeps it in one of the two lists.
  const wait = parked ? { parkedAt: ctx.now() } : { lookAt: later(ctx.now(), backOff(ctx, failures)) };
  try {
    await ctx.table.edit(kind, row.id, {
      set: { failures, status: { ...row.status, conditions }, ...wait },
      remove: ["holder", "dirty", parked ? "lookAt" : "parkedAt"],
      when,
    });
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    return { state: "busy" };
  }
  return parked ? { state: "parked", why } : { state: "failed", why };
}
