// Sessions: what signing in gives. They are tokens that nobody asked a quota for, and their member's own to end.
import * as Audit from "../audit/index.ts";
import { type Change, type Context, Refused } from "../context.ts";
import { Fault, missing } from "../error.ts";
import type { ID } from "../id.ts";
import * as Member from "../member/index.ts";
import { collect, pages } from "../page.ts";
import { issue } from "./home.ts";
import { type Created, rowID, type Token, tokenKind, type View, viewOf } from "./schema.ts";
import * as store from "./store.ts";

/** How many sessions a member may have at once: with one more, the oldest ends. */
const sessionsMax = 20;

/** Who signed in, by which provider, and for how long. */
export interface Signing {
  member: ID<"member">;
  name: string;
  seconds: number;
  provider?: ID<"provider">;
}

/**
 * A session of a member who just proved who it is.
 * @param ctx of that member: the audit entry names whom it stands for.
 * @param also written in the same transaction, such as that the proof is used up.
 * @throws Refused with the index of the change of `also` that does not hold; `forbidden` for a member that is suspended
 * or gone.
 */
export async function session(
  ctx: Context,
  { member, name, seconds, provider }: Signing,
  also: Change[] = [],
): Promise<Created> {
  const now = ctx.now();
  const { text, token, changes } = issue(ctx, {
    tenant: ctx.tenant,
    member,
    kind: "session",
    ...(provider && { provider }),
    name,
    scopes: null,
    expiresAt: new Date(Date.parse(now) + seconds * 1000).toISOString(),
  });
  const active = ctx.table.check(Member.memberKind, member, { state: { not: "suspended" } });
  const entry = Audit.entry(ctx, { verb: "session:create", target: token.id });
  try {
    await ctx.table.write(...also, active, ...changes, entry);
  } catch (cause) {
    if (!(cause instanceof Refused) || cause.index !== also.length) throw cause;
    throw new Fault("forbidden", "The member is suspended.", { cause });
  }
  await makeRoom(ctx, member);
  return { ...viewOf(token, now), token: text };
}

/**
 * Ends one of the caller's own sessions, or with none named the one that it calls with. What one got by signing in one
 * may always give up, whatever one's role, so no permission is asked; a second time is harmless.
 * @throws Fault `missing` for what is no session of the caller's, an API key among it; and for any but its own to a
 * token that is scoped or bound.
 */
export async function signOut(ctx: Context, named?: ID<"token">): Promise<View> {
  const { member, token: own, scopes, within } = ctx.actor;
  const id = named ?? own;
  if (member === "system" || id === null) throw missing("session");
  // To a token that is not its member's whole, no other session is there.
  if (id !== own && (scopes !== null || within !== undefined)) throw missing("session");
  return await store.change(ctx, id, async (kept) => {
    if (kept === undefined || kept.token.member !== member) throw missing("session");
    const { token } = kept;
    // An API key is ended by revoking it: to sign out of what one never signed in to would take it from all who use it.
    if (token.kind !== "session") throw missing("session");
    if (token.ttl !== undefined) return viewOf(token, ctx.now());
    const revokedAt = ctx.now();
    await store.end(ctx, [kept], { revokedAt });
    return viewOf({ ...token, revokedAt }, revokedAt);
  });
}

/** Ends every session that this provider gave, some at a time; a repeat goes on where it was left. */
export async function endSessions(ctx: Context, provider: ID<"provider">): Promise<void> {
  for await (const tokens of pages((page) => ctx.table.list(tokenKind, page))) {
    await store.endThese(
      ctx,
      tokens.filter((token) => token.provider === provider),
    );
  }
}

/** Ends the oldest sessions beyond the bound. Others may do the same at once, which is as good. */
async function makeRoom(ctx: Context, member: ID<"member">): Promise<void> {
  const prefix = rowID(member, "" as ID<"token">);
  const all = await collect((page) => ctx.table.list(tokenKind, { prefix, ...page }));
  const live = all.filter((token: Token) => token.kind === "session" && token.ttl === undefined);
  for (const { id } of live.slice(0, Math.max(0, live.length - sessionsMax))) {
    await store.change(ctx, id, async (kept) => {
      if (kept !== undefined && kept.token.ttl === undefined) await store.end(ctx, [kept], { revokedAt: ctx.now() });
    });
  }
}
