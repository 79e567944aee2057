import * as z from "zod";
import type { Kind } from "../context.ts";

/** What is counted, and how much of it a tenant may have unless staff says another number. */
export const defaults = { clusters: 20, members: 100, tokens: 200 } as const;
export type What = keyof typeof defaults;
export const counters = Object.keys(defaults) as What[];

/** Requests per second that a tenant may make unless staff says another number; they are limited, not counted. */
export const rateDefault = 50;
export const requestsPerSecond = z.number().int().min(1).max(10_000);

const count = z.number().int().min(0).max(100_000);
/** What staff may say; what is left out stays. A limit below what is used takes nothing away: new work is refused. */
export const Limits = z
  .strictObject({ clusters: count, members: count, tokens: count, requestsPerSecond })
  .partial()
  .refine((input) => Object.values(input).some((value) => value !== undefined), "must name a limit");
export type Limits = z.output<typeof Limits>;

/** A tenant's counter, kept under what it counts. It is made at the first need, from a count of what is there. */
export const Quota = z.object({
  what: z.enum(["clusters", "members", "tokens"]),
  used: z.number().int(),
  /** Only where staff said one. */
  limit: z.number().int().optional(),
});
export type Quota = z.output<typeof Quota>;

export const quotaKind: Kind<Quota> = { name: "quota", schema: Quota };

// Counting needs no more of a row than that it is there, so these read rows of any form. The rooms that these rows
// belong to count by this one, so they can't be imported from here without a circle.
const any = Number.MAX_SAFE_INTEGER;
const Row = z.looseObject({ ttl: z.number().optional() });
/** The rows behind each counter. A token that has a `ttl` has ended, and holds no place any more. */
export const countedKinds: Record<What, Kind<z.output<typeof Row>>> = {
  clusters: { name: "cluster", schema: Row, form: any },
  members: { name: "member", schema: Row, form: any },
  tokens: { name: "token", schema: Row, form: any },
};

/** A limit as its tenant sees it. */
export const View = z.object({
  what: z.enum(["clusters", "members", "tokens", "requestsPerSecond"]),
  /** How many there are; null for what is not counted. */
  used: z.number().int().nullable(),
  limit: z.number().int(),
});
export type View = z.output<typeof View>;

/** A limit as staff sees it: with what a count of the rows themselves comes to, which must be what is used. */
export const Ledger = View.extend({ counted: z.number().int().nullable() });
export type Ledger = z.output<typeof Ledger>;
