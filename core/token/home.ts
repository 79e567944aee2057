import { timingSafeEqual } from "node:crypto";
import type { Actor, Change, Context, Home } from "../context.ts";
import { Fault } from "../error.ts";
import { newID } from "../id.ts";
import * as Member from "../member/index.ts";
import * as Quota from "../quota/index.ts";
import { boundsOf, holderKind, rowID, standingKind, type Token, tokenKind } from "./schema.ts";
import { compose, hash, parse, type Place } from "./text.ts";

const cacheSeconds = 10;
const cacheMax = 1_000;
const hourMs = 3_600_000;

/** The one answer to every token that does not work: which of the reasons it was is nobody's business. */
const refused = (): Fault => new Fault("unauthenticated", "A valid token is needed.");

/**
 * Who a token's text speaks for: one consistent read of token, member and tenant, or none for 10 s afterwards.
 * @param options.fresh read again: for routes that issue credentials, so that a revoked token can't gain another.
 * @throws Fault `unauthenticated`, with one sentence for every reason.
 */
export async function authenticate(
  ctx: Pick<Context, "home" | "now" | "log">,
  text: string,
  options: { fresh?: boolean } = {},
): Promise<Actor> {
  const place = parse(text);
  if (place === undefined) throw refused();
  const key = hash(text);
  const now = Date.parse(ctx.now());
  const cache = caches.get(ctx.home) ?? new Map<string, Kept>();
  caches.set(ctx.home, cache);
  const kept = options.fresh ? undefined : cache.get(key);
  if (kept !== undefined && now - kept.at < cacheSeconds * 1000 && now < kept.until) return kept.actor;
  cache.delete(key);
  const found = await read(ctx.home, place, key, now);
  if (found === undefined) throw refused();
  await used(ctx, found.token, now);
  const until = found.token.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(found.token.expiresAt);
  const oldest = cache.size >= cacheMax ? cache.keys().next().value : undefined;
  if (oldest !== undefined) cache.delete(oldest);
  cache.set(key, { actor: found.actor, at: now, until });
  return found.actor;
}

/** A new token and the rows that make it work; it knows nothing of what the caller may give away. */
export function issue(
  ctx: Pick<Context, "home" | "now" | "random">,
  of: Pick<Token, "tenant" | "member" | "name" | "scopes" | "expiresAt" | "clusters" | "projects" | "provider"> & {
    kind?: Token["kind"];
  },
): { text: string; token: Token; changes: [Change, Change] } {
  const id = newID(ctx, "token");
  const text = compose(ctx, { tenant: of.tenant, member: of.member, token: id });
  const fresh = { createdAt: ctx.now(), lastUsedAt: null, revokedAt: null };
  const token: Token = { id, kind: "key", ...of, hash: hash(text), ...fresh };
  const table = ctx.home.table(of.tenant);
  const holder = { id, member: of.member, ...(of.expiresAt !== null && { lookAt: of.expiresAt }) };
  return {
    text,
    token,
    changes: [table.insert(tokenKind, rowID(of.member, id), token), table.insert(holderKind, id, holder)],
  };
}

interface Kept {
  actor: Actor;
  at: number;
  until: number;
}

// Kept per process and per home; bounded, so that a flood of tokens can't fill the memory.
const caches = new WeakMap<Home, Map<string, Kept>>();

async function read(home: Home, place: Place, key: string, now: number) {
  const [token, member, tenant] = await home.table(place.tenant).getAll([
    [tokenKind, rowID(place.member, place.token)],
    [Member.memberKind, place.member],
    [standingKind, place.tenant],
  ] as const);
  if (token === undefined || member === undefined || tenant === undefined) return undefined;
  // Both are 64 hexadecimal characters, and the comparison takes as long whether one differs or all do.
  if (!timingSafeEqual(Buffer.from(token.hash), Buffer.from(key))) return undefined;
  if (token.revokedAt !== null || member.state !== "active" || tenant.state !== "active") return undefined;
  if (token.expiresAt !== null && Date.parse(token.expiresAt) <= now) return undefined;
  const bounds = boundsOf(token);
  const actor: Actor = {
    tenant: tenant.id,
    member: member.id,
    role: member.role,
    scopes: token.scopes,
    ...(bounds && { within: bounds }),
    token: token.id,
    rate: tenant.limits?.requestsPerSecond ?? Quota.rateDefault,
  };
  return { token, actor };
}

/** Notes the use at most once an hour. It is a note only: a request never fails because of it. */
async function used(ctx: Pick<Context, "home" | "now" | "log">, token: Token, now: number): Promise<void> {
  if (token.lastUsedAt !== null && now - Date.parse(token.lastUsedAt) < hourMs) return;
  try {
    const table = ctx.home.table(token.tenant);
    await table.write(
      table.update(tokenKind, rowID(token.member, token.id), { set: { lastUsedAt: new Date(now).toISOString() } }),
    );
  } catch (cause) {
    ctx.log.warn("a token's last use was not noted", {
      token: token.id,
      why: cause instanceof Error ? cause.name : "",
    });
  }
}
