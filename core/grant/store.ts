import * as Audit from "../audit/index.ts";
import { type Change, type Context, Refused } from "../context.ts";
import { Fault, missing, unmoved } from "../error.ts";
import type { ID } from "../id.ts";
import * as Outbox from "../outbox/index.ts";
import { collect } from "../page.ts";
import * as Quota from "../quota/index.ts";
import { givenKind, type Grant, grantKind, type View } from "./schema.ts";
import { whomOf } from "./target.ts";

/** Which generation may be changed; left out, any. */
export interface Only {
  generation?: number | undefined;
}

const tries = 20;
/** Each end is a grant, what holds it alone and an audit entry; a write holds 100. */
const endsMax = 25;
/** A note names 500 clusters at most; what concerns more concerns all. */
const notedMax = 500;

type What = Pick<Grant, "subject" | "scope" | "group">;
export const givenID = ({ subject, scope, group }: What): string => `${subject}/${scope}/${group}`;

/** @throws Fault `missing`, also for what belongs to another tenant. */
export async function get(ctx: Context, id: ID<"grant">): Promise<Grant> {
  const grant = await ctx.table.get(grantKind, id);
  if (grant === undefined) throw missing("grant");
  return grant;
}

/** Whether its time is over: it gives nothing any more, or has had no answer. */
export const over = ({ lookAt }: Pick<Grant, "lookAt">, now: string): boolean => lookAt !== undefined && lookAt <= now;

/** Writes as `work` says; when what it stood on was changed meanwhile, once more from the start. */
export async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let left = tries; left > 0; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  throw new Fault("unavailable", "The grant is changed by others all the time; try again.", { retryAfterSeconds: 1 });
}

/** Reads a grant and writes what `work` makes of it. @throws Fault `missing`; `stale`; what `work` throws. */
export const change = <T>(
  ctx: Context,
  id: ID<"grant">,
  { generation }: Only,
  work: (grant: Grant) => Promise<T>,
): Promise<T> =>
  again(async () => {
    const grant = await get(ctx, id);
    unmoved("grant", grant.generation, generation);
    return await work(grant);
  });

/** What tells the clusters that what these grants give has changed; of requests there is nothing to tell. */
export async function note(ctx: Context, grants: readonly Grant[]): Promise<Change[]> {
  const scopes = [...new Set(grants.filter(({ state }) => state === "active").map(({ scope }) => scope))];
  const whom = await Promise.all(scopes.map((scope) => whomOf(ctx, scope)));
  const some = [...new Set(whom.filter((each) => each !== "all").flat())];
  if (whom.includes("all") || some.length > notedMax) return [Outbox.note(ctx, "all")];
  return some.length === 0 ? [] : [Outbox.note(ctx, some)];
}

/**
 * Ends a grant or a request, gives its place back and tells the clusters.
 * @param guards what must hold beside, first.
 * @throws Refused when it was changed meanwhile.
 */
export async function end(ctx: Context, grant: Grant, verb: string, guards: Change[] = []): Promise<void> {
  const ends = ending(ctx, grant, verb);
  await Quota.giving(ctx, "grants", [...beside(ends, guards), ...ends, ...(await note(ctx, [grant]))]);
}

/** Those of the checks that are about other rows than these changes: a transaction names a row once. */
export const beside = (changes: readonly Change[], checks: readonly Change[]): Change[] =>
  checks.filter(({ kind, id }) => !changes.some((each) => each.kind === kind && each.id === id));

const ending = (ctx: Context, grant: Grant, verb: string): Change[] => [
  ctx.table.remove(grantKind, grant.id, { generation: grant.generation }),
  ctx.table.remove(givenKind, givenID(grant), { id: grant.id }),
  Audit.entry(ctx, { verb, target: grant.id }),
];

/** Ends all that are meant, some at a time; a repeat goes on where it was left. @returns how many there were. */
export async function endAll(ctx: Context, meant: (grant: Grant) => boolean): Promise<number> {
  const all = (await collect((page) => ctx.table.list(grantKind, page))).filter(meant);
  for (let from = 0; from < all.length; from += endsMax) {
    const ids = all.slice(from, from + endsMax).map(({ id }) => [grantKind, id] as const);
    await again(async () => {
      const left = (await ctx.table.getAll(ids)).filter((grant) => grant !== undefined);
      if (left.length === 0) return;
      const changes = left.flatMap((grant) => ending(ctx, grant, "grant:remove"));
      await Quota.giving(ctx, "grants", [...changes, ...(await note(ctx, left))], left.length);
    });
  }
  return all.length;
}

export const view = ({ lookAt: _, ...grant }: Grant): View => grant;
