import * as z from "zod";

/** One step of a row's life, in Kubernetes' form. `tookSeconds` is how long it took to become True. */
export const Condition = z.object({
  type: z.string(),
  status: z.enum(["True", "False", "Unknown"]),
  reason: z.string(),
  message: z.string(),
  /** When `status` last changed, ISO 8601 UTC. */
  at: z.iso.datetime(),
  /** When work on it began, ISO 8601 UTC; absent while it waits for an earlier step. */
  startedAt: z.iso.datetime().optional(),
  tookSeconds: z.number().optional(),
});
export type Condition = z.output<typeof Condition>;

/** What a condition ought to say now; the engine adds the times. Reason `Waiting` means: not begun. */
export type Goal = Pick<Condition, "type" | "status" | "reason" | "message">;

/** ISO 8601 times, seconds between them. */
export const secondsBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 1000;

/** The steps that `is` tells the duration of and `was` did not. How long a silence lasted is no step's duration. */
export const finished = (was: Condition[], is: Condition[]): { type: string; tookSeconds: number }[] =>
  is.flatMap(({ type, tookSeconds }) => {
    const before = was.find((condition) => condition.type === type);
    const known = before?.tookSeconds !== undefined || before?.status === "Unknown";
    return tookSeconds === undefined || known ? [] : [{ type, tookSeconds }];
  });

/** The conditions as they were, moved to `goals`; times change only where the status does. */
export function merge(was: Condition[], goals: Goal[], now: string): Condition[] {
  return goals.map((goal) => {
    const old = was.find((condition) => condition.type === goal.type);
    const startedAt = old?.startedAt ?? (goal.reason === "Waiting" ? undefined : now);
    const begun = startedAt === undefined ? {} : { startedAt };
    if (old !== undefined && old.status === goal.status) {
      const took = old.tookSeconds === undefined ? {} : { tookSeconds: old.tookSeconds };
      return { ...goal, at: old.at, ...begun, ...took };
    }
    if (goal.status === "True") {
      return { ...goal, at: now, startedAt: startedAt ?? now, tookSeconds: secondsBetween(startedAt ?? now, now) };
    }
    return { ...goal, at: now, ...(goal.reason === "Waiting" ? {} : { startedAt: now }) };
  });
}
