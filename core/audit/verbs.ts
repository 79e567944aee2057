import { allow } from "../allow.ts";
import type { Change, Context } from "../context.ts";
import { newID } from "../id.ts";
import { type Page, type PageInput, pages, sift } from "../page.ts";
import { rangeOf } from "./range.ts";
import {
  type Audit,
  auditKind,
  type Digest,
  digestKind,
  Entry,
  type Filter,
  type Head,
  headID,
  headKind,
  namedKind,
  type Period,
  View,
} from "./schema.ts";

/** What an entry says of who acted. */
export type Acting = Pick<Context, "tenant" | "actor" | "table" | "requestID" | "now" | "random">;

/**
 * The entry of one change, to be written in that change's own transaction: neither can be without the other.
 * @param entry.changes names of fields, never values.
 */
export function entry(ctx: Acting, entry: { verb: string; target: string; changes?: string[] }): Change {
  // One moment for all three, so that an id can be found by its entry's time.
  const at = ctx.now();
  const id = newID({ now: () => at, random: (bytes) => ctx.random(bytes) }, "audit");
  const row: Audit = {
    id,
    tenant: ctx.tenant,
    ...entry,
    actor: { member: ctx.actor.member, token: ctx.actor.token },
    requestID: ctx.requestID,
    at,
    unsealed: at,
  };
  return ctx.table.insert(auditKind, id, row);
}

/**
 * The tenant's entries that pass the filter, newest first. It looks at 1,000 at most and answers what it found and where
 * to go on, so a page may be short, or empty, and not be the last: `next` alone tells.
 * @throws Fault `forbidden` to all but owners; `invalid` for a period that ends before it begins.
 */
export async function list(ctx: Context, asked: PageInput & Filter): Promise<Page<View>> {
  allow(ctx, "audit:read");
  const { limit, after, actor, verb, target, ...period } = asked;
  const passes = (row: Audit): boolean =>
    (actor === undefined || row.actor.member === actor) &&
    (verb === undefined || row.verb === verb || row.verb.startsWith(`${verb}:`)) &&
    (target === undefined || row.target === target);
  const range = { ...rangeOf(period), newest: true };
  const read = (page: PageInput): Promise<Page<Audit>> => ctx.table.list(auditKind, { ...range, ...page });
  const filtered = actor !== undefined || verb !== undefined || target !== undefined;
  const { items, next } = await (filtered ? sift(read, passes, { limit, after }) : read({ limit, after }));
  return { items: await named(ctx, items), next };
}

/**
 * Every entry of a period as it is sealed, oldest first, page by page as it is consumed.
 * @throws Fault `forbidden` to all but owners and `invalid` for a period that ends before it begins: at once.
 */
export function entries(ctx: Context, period: Period): AsyncGenerator<Entry[], void> {
  allow(ctx, "audit:read");
  return parsed(ctx, rangeOf(period));
}

async function* parsed(ctx: Context, range: ReturnType<typeof rangeOf>): AsyncGenerator<Entry[], void> {
  for await (const rows of pages((page) => ctx.table.list(auditKind, { ...range, ...page })))
    yield rows.map((row) => Entry.parse(row));
}

/** The tenant's digests, oldest first, and the end of their chain as it was before they were read. For owners. */
export async function digests(ctx: Context, page: PageInput): Promise<Page<Digest> & { head: Head | null }> {
  allow(ctx, "audit:read");
  const head = await ctx.table.get(headKind, headID);
  return { ...(await ctx.table.list(digestKind, page)), head: head ?? null };
}

/** Who is still a member is shown by name too. */
async function named(ctx: Context, rows: Audit[]): Promise<View[]> {
  const ids = [...new Set(rows.map(({ actor }) => actor.member).filter((id) => id !== "system"))];
  const members = await ctx.table.getAll(ids.map((id) => [namedKind, id] as const));
  const names = new Map(ids.map((id, at) => [id as string, members[at]?.name]));
  return rows.map((row) => {
    const name = names.get(row.actor.member);
    return View.parse({ ...row, actor: { ...row.actor, ...(name !== undefined && { name }) } });
  });
}
