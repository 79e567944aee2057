import * as z from "zod";

/** How home itself is, at one moment. */
export const Health = z.object({
  /** How long the table took for one consistent read, in milliseconds. */
  tableMilliseconds: z.number(),
  hosts: z.object({ all: z.number(), healthy: z.number() }),
  /** Rows that have been due for more than two minutes, so that a sweep or the queue is behind; up to 400. */
  overdue: z.number(),
  /** Rows that failed too often and wait for a person; up to 100. */
  parked: z.number(),
  /** Age of the oldest audit entry that no digest holds, in seconds; 0 when all are sealed. */
  unsealedSeconds: z.number(),
});
export type Health = z.output<typeof Health>;
