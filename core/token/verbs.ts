import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import { type Change, type Context, Refused } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import * as Member from "../member/index.ts";
import { type Page, type PageInput, sift } from "../page.ts";
import * as Quota from "../quota/index.ts";
import { issue } from "./home.ts";
import { told } from "./enter.ts";
import { bounded, bounds, carried, endable, inside, mine, receiver } from "./scope.ts";
import * as schema from "./schema.ts";
import { type Created, type CreateInput, type Filter, type RotateInput, rowID, type View, viewOf } from "./schema.ts";
import * as store from "./store.ts";

const dayMs = 86_400_000;

const ended = (cause: unknown): Fault => new Fault("forbidden", "Your own token was ended meanwhile.", { cause });

/**
 * A token of the caller's own, or, by an owner, of a robot; its text is in this answer and nowhere else.
 * @throws Fault `forbidden` on scopes beyond the caller's role or the token it calls with, and for another person;
 * `missing` when there is no such member; `limit` when the tenant may have no more.
 */
export async function create(ctx: Context, input: CreateInput): Promise<Created> {
  allow(ctx, "token:write", "some");
  const of = await receiver(ctx, input.member);
  const { expiresInDays: days } = input;
  const { text, token, changes } = issue(ctx, {
    tenant: ctx.tenant,
    member: of.id,
    name: input.name,
    scopes: bounded(ctx, of.role, input.scopes),
    ...(await bounds(ctx, input)),
    expiresAt: days === undefined ? null : new Date(Date.parse(ctx.now()) + days * dayMs).toISOString(),
  });
  const entry = Audit.entry(ctx, { verb: "token:create", target: token.id });
  try {
    await Member.asCaller(ctx, async (caller) => {
      const robot = of.id === ctx.actor.member ? [] : [Member.acting(ctx, of)];
      await Quota.taking(ctx, "tokens", [...caller, ...store.alive(ctx), ...changes, entry, ...robot]);
    });
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause;
    if (cause.index === 1) throw ended(cause);
    throw new Fault("conflict", "The robot was changed meanwhile.", { cause });
  }
  return { ...viewOf(token, ctx.now()), token: text };
}

/** One of the caller's own, or, for an owner, any. @throws Fault `missing`. */
export async function get(ctx: Context, id: ID<"token">): Promise<View> {
  allow(ctx, "token:read", "some");
  return viewOf(mine(ctx, await store.find(ctx, id)).token, ctx.now());
}

/**
 * The caller's own tokens; an owner's list has every member's, and a bound token's none that reaches further than it.
 * Revoked and expired ones stay in it for 90 days. Of a filter only those that meet all of it.
 */
export async function list(ctx: Context, page: PageInput & Filter): Promise<Page<View>> {
  allow(ctx, "token:read", "some");
  const { limit, after, state, kind } = page;
  const { member } = ctx.actor;
  const own = Member.leads(ctx.actor.role) || member === "system" ? undefined : member;
  if (own !== undefined && page.member !== undefined && page.member !== own) return { items: [], next: null };
  const of = own ?? page.member;
  const prefix = of === undefined ? {} : { prefix: rowID(of, "" as ID<"token">) };
  const now = ctx.now();
  const read = async (part: PageInput): Promise<Page<View>> => {
    const { items, next } = await ctx.table.list(schema.tokenKind, { ...part, ...prefix });
    return { items: items.map((item) => viewOf(item, now)), next };
  };
  if (state === undefined && kind === undefined && ctx.actor.within === undefined) return await read({ limit, after });
  const keep = (token: View): boolean =>
    (state === undefined || token.state === state) && (kind === undefined || token.kind === kind) && inside(ctx, token);
  return await sift(read, keep, { limit, after });
}

/**
 * A new secret under a new id, with the same name, scopes, bounds and length of life. The old one goes on for the overlap and
 * then expires; until then both hold a place, and with no overlap the new one takes the old one's.
 * @throws Fault `missing`; `forbidden` for another person's, and for more than the caller itself may; `conflict` when
 * it works no more, was rotated before, or is a session; `limit` when the tenant may have no more.
 */
export async function rotate(ctx: Context, id: ID<"token">, { overlapSeconds }: RotateInput): Promise<Created> {
  allow(ctx, "token:write", "some");
  return await store.change(ctx, id, async (found) => {
    const kept = mine(ctx, found);
    const old = kept.token;
    if (old.kind === "session") throw new Fault("conflict", "A session is not rotated: sign in again.");
    const of = await receiver(ctx, old.member);
    const reach = carried(ctx, old);
    const now = ctx.now();
    if (viewOf(old, now).state !== "active") throw new Fault("conflict", "The token works no more: make a new one.");
    if (old.replacedBy !== undefined) {
      throw new Fault("conflict", `The token was rotated already: ${old.replacedBy} took its place.`);
    }
    const { name, createdAt, expiresAt } = old;
    const life = expiresAt === null ? undefined : Date.parse(expiresAt) - Date.parse(createdAt);
    const { text, token, changes } = issue(ctx, {
      tenant: ctx.tenant,
      member: of.id,
      name,
      ...reach,
      expiresAt: life === undefined ? null : new Date(Date.parse(now) + life).toISOString(),
    });
    const until = new Date(Date.parse(now) + overlapSeconds * 1000).toISOString();
    const ends = expiresAt !== null && expiresAt < until ? expiresAt : until;
    const entries = [
      Audit.entry(ctx, { verb: "token:create", target: token.id }),
      Audit.entry(ctx, { verb: "token:rotate", target: id }),
    ];
    // Its own row is changed here when it rotates itself, on the same condition.
    const self = id === ctx.actor.token ? [] : store.alive(ctx);
    try {
      await Member.asCaller(ctx, async (caller) => {
        const robot = of.id === ctx.actor.member ? [] : [Member.acting(ctx, of)];
        const all = (rows: Change[]): Change[] => [...caller, ...self, ...rows, ...changes, ...entries, ...robot];
        if (overlapSeconds > 0) {
          const goesOn = store.replacing(ctx, kept, { replacedBy: token.id, expiresAt: ends });
          return await Quota.taking(ctx, "tokens", all(goesOn));
        }
        const over = store.ending(ctx, kept, { replacedBy: token.id, revokedAt: now });
        await ctx.table.write(...all(over), ...(await told(ctx, [old])));
      });
    } catch (refused) {
      throw refused instanceof Refused && refused.index === self.length && self.length > 0 ? ended(refused) : refused;
    }
    return { ...viewOf(token, now), token: text };
  });
}

/**
 * Ends a token: everywhere within 10 s, at once where credentials are issued. A second time is harmless.
 * @throws Fault `missing` also for another member's token, the owner's view apart; `forbidden` for that of a member
 * above the caller.
 */
export async function revoke(ctx: Context, id: ID<"token">): Promise<View> {
  allow(ctx, "token:write", "some");
  return await store.change(ctx, id, async (found) => {
    const kept = mine(ctx, found);
    const { token } = kept;
    await endable(ctx, token.member);
    if (token.ttl !== undefined || token.revokedAt !== null) return viewOf(token, ctx.now());
    const revokedAt = ctx.now();
    await store.end(ctx, [kept], { revokedAt });
    return viewOf({ ...token, revokedAt }, revokedAt);
  });
}
