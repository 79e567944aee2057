import { allow } from "../allow.ts";
import type { Change, Context } from "../context.ts";
import { newID } from "../id.ts";
import { type Page, type PageInput, pages, sift } from "../page.ts";
import { namesOf } from "./name.ts";
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
 * @param asked.names adds what things are called now. No digest holds a name, so such entries can't be checked.
 * @throws Fault `forbidden` to all but owners and `invalid` for a period that ends before it begins: at once.
 */
export function entries(
  ctx: Context,
  { names = false, ...period }: Period & { names?: boolean },
): AsyncGenerator<(Entry | View)[], void> {
  allow(ctx, "audit:read");
  const range = rangeOf(period);
  return names ? withNames(ctx, parsed(ctx, range)) : parsed(ctx, range);
}

async function* withNames(ctx: Context, all: AsyncGenerator<Entry[], void>): AsyncGenerator<View[], void> {
  for await (const some of all) yield await named(ctx, some);
}

async function* parsed(ctx: Context, range: ReturnType<typeof rangeOf>): AsyncGenerator<Entry[], void> {
  for await (const rows of pages((page) => ctx.table.list(auditKind, { ...range, ...page })))
    yield rows.map((row) => Entry.parse(row));
}

/** How many entries one look back reads at most: a hundred pages, some two seconds. */
export const lookBackMax = 10_000;

/** When somebody last did something to a thing. */
export interface LastDone {
  /** Of each member and target that is in the entries looked at, ISO 8601 UTC. */
  at(member: string, target: string): string | undefined;
  /** From when on all entries were looked at; undefined when there is none. */
  since: string | undefined;
}

/**
 * When each member last did one of these to each thing, by the newest entries. It looks at 10,000 at most and says how
 * far back that reached: of what was before, nothing is known.
 * @param verbs such as `cluster:access`.
 * @throws Fault `forbidden` to all but owners.
 */
export async function lastDone(ctx: Context, verbs: readonly string[]): Promise<LastDone> {
  allow(ctx, "audit:read");
  const last = new Map<string, string>();
  let [looked, since]: [number, string | undefined] = [0, undefined];
  for await (const rows of pages((page) => ctx.table.list(auditKind, { ...page, newest: true }))) {
    for (const { verb, actor, target, at } of rows) {
      const key = `${actor.member} ${target}`;
      if (verbs.includes(verb) && !last.has(key)) last.set(key, at);
    }
    since = rows.at(-1)?.at ?? since;
    looked += rows.length;
    if (looked >= lookBackMax) break;
  }
  return { at: (member, target) => last.get(`${member} ${target}`), since };
}

/** The tenant's digests, oldest first, and the end of their chain as it was before they were read. For owners. */
export async function digests(ctx: Context, page: PageInput): Promise<Page<Digest> & { head: Head | null }> {
  allow(ctx, "audit:read");
  const head = await ctx.table.get(headKind, headID);
  return { ...(await ctx.table.list(digestKind, page)), head: head ?? null };
}

/** What has a name is shown by it too, as it is now: who acted, and what it was done to. */
async function named(ctx: Context, rows: readonly Entry[]): Promise<View[]> {
  const names = await namesOf(
    ctx,
    rows.flatMap(({ actor, target }) => [actor.member, target]),
  );
  return rows.map((row) => {
    const [name, targetName] = [names.get(row.actor.member), names.get(row.target)];
    return View.parse({
      ...row,
      actor: { ...row.actor, ...(name !== undefined && { name }) },
      ...(targetName !== undefined && { targetName }),
    });
  });
}
