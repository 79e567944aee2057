import * as Audit from "../audit/index.ts";
import { type Change, type Context, Refused } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import { pages } from "../page.ts";
import * as Quota from "../quota/index.ts";
import { told } from "./enter.ts";
import { type Holder, holderKind, over, rowID, type Token, tokenKind } from "./schema.ts";

const keepSeconds = 90 * 86_400;
const tries = 20;
/** Each end is a change of the token, one of its holder and an audit entry, and all have one note; a write holds 100. */
const endsMax = 30;

/** What the table knows of a token. Those from before there were holders have none. */
export interface Kept {
  token: Token;
  holder: Holder | undefined;
}

/** A token by its id alone, or, for one without a holder, by its member too. Gone 90 days after its end. */
export async function find(
  { table }: Pick<Context, "table">,
  id: ID<"token">,
  member?: ID<"member">,
): Promise<Kept | undefined> {
  const holder = await table.get(holderKind, id);
  const of = holder?.member ?? member;
  const token = of && (await table.get(tokenKind, rowID(of, id)));
  return token && { token, holder };
}

/** Holds while the token has its place. */
const placed = { ttl: { absent: true } } as const;
/** Holds while the token has its place, and no other took over from it. */
const current = { ...placed, replacedBy: { absent: true } } as const;

/** Holds while the caller's own token has not ended: what has ended gains no other, however close the two came. */
export function alive({ table, actor: { member, token } }: Context): Change[] {
  return member === "system" || token === null ? [] : [table.check(tokenKind, rowID(member, token), placed)];
}

/**
 * The rows' changes that end a token for good; its place is to be given back with them, or to go to another, and the
 * clusters that it entered are to be told.
 */
export function ending(ctx: Context, { token, holder }: Kept, set: Partial<Token>): Change[] {
  const { table } = ctx;
  const entries = token.entries ?? ({ absent: true } as const);
  const ttl = Math.ceil(Date.parse(ctx.now()) / 1000) + keepSeconds;
  const row = { id: token.id, member: token.member, ttl };
  const when = { ...(set.replacedBy === undefined ? placed : current), entries };
  return [
    table.update(tokenKind, rowID(token.member, token.id), { set: { ...set, ttl }, when }),
    holder === undefined
      ? table.insert(holderKind, token.id, row)
      : table.update(holderKind, token.id, { set: { ttl }, remove: ["lookAt"] }),
  ];
}

/** The rows' changes by which a token goes on until `expiresAt` beside the one that replaces it. */
export function replacing(
  { table }: Pick<Context, "table">,
  { token, holder }: Kept,
  set: { replacedBy: ID<"token">; expiresAt: string },
): Change[] {
  const row = { id: token.id, member: token.member, lookAt: set.expiresAt };
  return [
    table.update(tokenKind, rowID(token.member, token.id), { set, when: current }),
    holder === undefined
      ? table.insert(holderKind, token.id, row)
      : table.update(holderKind, token.id, { set: { lookAt: set.expiresAt } }),
  ];
}

/** Reads a token and writes what `work` makes of it; when it was changed meanwhile, once more from the start. */
export async function change<T>(
  ctx: Context,
  id: ID<"token">,
  work: (kept: Kept | undefined) => Promise<T>,
): Promise<T> {
  const own = ctx.actor.member === "system" ? undefined : ctx.actor.member;
  for (let left = tries; left > 0; left -= 1) {
    const kept = await find(ctx, id, own);
    try {
      return await work(kept);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  throw new Fault("unavailable", "The token is changed by others all the time; try again.", { retryAfterSeconds: 1 });
}

/** Writes the end of tokens, and gives back the places of those that hold one. */
export async function end(ctx: Context, tokens: Kept[], set: Partial<Token>): Promise<void> {
  const verb = ({ kind }: Token): string =>
    kind === "session" ? "session:end" : set.revokedAt === undefined ? "token:expired" : "token:revoke";
  const changes = [
    ...tokens.flatMap((each) => [
      ...ending(ctx, each, set),
      Audit.entry(ctx, { verb: verb(each.token), target: each.token.id }),
    ]),
    ...(await told(
      ctx,
      tokens.map(({ token }) => token),
    )),
  ];
  const places = tokens.filter(({ token }) => token.kind === "key").length;
  if (places === 0) await ctx.table.write(...changes);
  else await Quota.giving(ctx, "tokens", changes, places);
}

/** Revokes every token of a member that has a place, some at a time; a repeat goes on where it was left. */
export async function endAll(ctx: Context, member: ID<"member">): Promise<void> {
  const prefix = rowID(member, "" as ID<"token">);
  for await (const tokens of pages((page) => ctx.table.list(tokenKind, { prefix, ...page }))) {
    await endThese(ctx, tokens);
  }
}

/** Revokes those of these tokens that have not ended. */
export async function endThese(ctx: Context, tokens: Token[]): Promise<void> {
  const left = tokens.filter(({ ttl }) => ttl === undefined);
  for (let from = 0; from < left.length; from += endsMax) await endSome(ctx, left.slice(from, from + endsMax));
}

async function endSome(ctx: Context, tokens: Token[]): Promise<void> {
  for (let left = tries; left > 0; left -= 1) {
    const kept = await Promise.all(tokens.map(({ id, member }) => find(ctx, id, member)));
    const ends = kept.filter((each) => each !== undefined).filter(({ token }) => token.ttl === undefined);
    if (ends.length === 0) return;
    try {
      return await end(ctx, ends, { revokedAt: ctx.now() });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  throw new Fault("unavailable", "The tokens are changed by others all the time; try again.", { retryAfterSeconds: 1 });
}

/**
 * Takes the place back of a token that has expired; one whose time is not over yet is due again then.
 * Woken by the sweep, and whatever woke it: it looks for itself.
 */
export async function expire(ctx: Context, id: ID<"token">): Promise<"expired" | "waiting" | "gone"> {
  return await change(ctx, id, async (kept) => {
    if (kept === undefined || kept.token.ttl !== undefined) {
      const holder = await ctx.table.get(holderKind, id);
      if (holder?.lookAt !== undefined) await ctx.table.edit(holderKind, id, { remove: ["lookAt"] });
      return "gone";
    }
    const { expiresAt } = kept.token;
    if (!over(kept.token, ctx.now())) {
      const edit = expiresAt === null ? { remove: ["lookAt"] } : { set: { lookAt: expiresAt } };
      if ((expiresAt ?? undefined) !== kept.holder?.lookAt) await ctx.table.edit(holderKind, id, edit);
      return "waiting";
    }
    await end(ctx, [kept], {});
    return "expired";
  });
}
