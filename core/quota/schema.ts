import * as z from "zod";
import type { Kind } from "../context.ts";

/** What is counted, and how much of it a tenant may have unless staff says another number. */
export const defaults = {
  clusters: 20,
  projects: 50,
  members: 100,
  teams: 100,
  groups: 50,
  grants: 1_000,
  tokens: 200,
  /** Those that can be accepted yet. */
  invites: 100,
} as const;
export type What = keyof typeof defaults;
export const counters = Object.keys(defaults) as [What, ...What[]];

/** Requests per second that a tenant may make unless staff says another number; they are limited, not counted. */
export const rateDefault = 50;
export const requestsPerSecond = z.number().int().min(1).max(10_000);

const count = z.number().int().min(0).max(100_000);
/** What staff may say; what is left out stays. A limit below what is used takes nothing away: new work is refused. */
export const Limits = z
  .strictObject({
    clusters: count,
    projects: count,
    members: count,
    teams: count,
    groups: count,
    grants: count,
    tokens: count,
    invites: count,
    requestsPerSecond,
  } satisfies Record<What | "requestsPerSecond", z.ZodType>)
  .partial()
  .refine((input) => Object.values(input).some((value) => value !== undefined), "must name a limit");
export type Limits = z.output<typeof Limits>;

/** A tenant's counter, kept under what it counts. It is made at the first need, from a count of what is there. */
export const Quota = z.object({
  what: z.enum(counters),
  used: z.number().int(),
  /** Only where staff said one. */
  limit: z.number().int().optional(),
});
export type Quota = z.output<typeof Quota>;

export const quotaKind: Kind<Quota> = { name: "quota", schema: Quota };

// Counting needs no more of a row than that it is there, so these read rows of any form. The rooms that these rows
// belong to count by this one, so they can't be imported from here without a circle.
const any = Number.MAX_SAFE_INTEGER;
const Row = z.looseObject({ ttl: z.number().optional(), kind: z.string().optional() });
const rowsOf = (name: string): Kind<z.output<typeof Row>> => ({ name, schema: Row, form: any });
/** The rows behind each counter. */
export const countedKinds: Record<What, Kind<z.output<typeof Row>>> = {
  clusters: rowsOf("cluster"),
  projects: rowsOf("project"),
  members: rowsOf("member"),
  teams: rowsOf("team"),
  groups: rowsOf("group"),
  grants: rowsOf("grant"),
  tokens: rowsOf("token"),
  invites: rowsOf("invite"),
};
/**
 * Whether a row holds a place. What has a `ttl` (a token, an invite) has ended; a session is a token that nobody made
 * for keeps, and that goes by itself.
 */
export const holds = ({ ttl, kind }: z.output<typeof Row>): boolean => ttl === undefined && kind !== "session";

/** A limit as its tenant sees it. */
export const View = z.object({
  what: z.enum([...counters, "requestsPerSecond"]),
  /** How many there are; null for what is not counted. */
  used: z.number().int().nullable(),
  limit: z.number().int(),
});
export type View = z.output<typeof View>;

/** A limit as staff sees it: with what a count of the rows themselves comes to, which must be what is used. */
export const Ledger = View.extend({ counted: z.number().int().nullable() });
export type Ledger = z.output<typeof Ledger>;
