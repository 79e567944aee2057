import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import type { Context } from "../context.ts";
import { type ID, newID } from "../id.ts";
import * as Outbox from "../outbox/index.ts";
import { type Page, type PageInput, sift } from "../page.ts";
import * as Quota from "../quota/index.ts";
import { covered, mayGive } from "./home.ts";
import { reaches } from "./rank.ts";
import { type CreateInput, type Filter, type Member, memberKind, type UpdateInput, type View } from "./schema.ts";
import * as store from "./store.ts";

/**
 * A new member. It can do nothing until it has a token.
 * @throws Fault `forbidden` for a role above the caller's; `limit` when the tenant may have no more.
 */
export async function create(ctx: Context, input: CreateInput): Promise<View> {
  allow(ctx, "member:write");
  mayGive(ctx, input.role);
  const own = { id: newID(ctx, "member"), tenant: ctx.tenant, createdAt: ctx.now() };
  const member: Member = { ...input, ...own, state: "active", generation: 1 };
  await store.asCaller(ctx, (caller) =>
    Quota.taking(ctx, "members", [
      ...caller,
      ctx.table.insert(memberKind, member.id, member),
      Audit.entry(ctx, { verb: "member:create", target: member.id }),
      // An owner has an account in every cluster, by its role alone.
      ...(member.role === "owner" ? [Outbox.note(ctx, "all")] : []),
    ]),
  );
  return member;
}

/** The members of the tenant, oldest first; of a filter only those that meet all of it. */
export async function list(ctx: Context, page: PageInput & Filter): Promise<Page<View>> {
  allow(ctx, "member:read");
  const { limit, after, ...filter } = page;
  const wanted = Object.entries(filter).filter(([, value]) => value !== undefined);
  if (wanted.length === 0) return await ctx.table.list(memberKind, { limit, after });
  const keep = (member: Member): boolean => wanted.every(([field, value]) => member[field as keyof Filter] === value);
  return await sift((part) => ctx.table.list(memberKind, part), keep, { limit, after });
}

/** @throws Fault `missing`. */
export async function get(ctx: Context, id: ID<"member">): Promise<View> {
  allow(ctx, "member:read");
  return await store.get(ctx, id);
}

/**
 * Changes name, role or state. Tokens of a suspended member stop within 10 s, and the clusters are told of what they
 * have to follow.
 * @param only.generation when given, the one generation that may be changed.
 * @throws Fault `missing`; `stale`; `forbidden` for a role, old or new, above the caller's, and for a higher one that is
 * beyond its token's scopes; `conflict` when no active owner would be left.
 */
export async function update(ctx: Context, id: ID<"member">, input: UpdateInput, only: store.Only = {}): Promise<View> {
  allow(ctx, "member:write");
  return await store.change(ctx, id, only, async (member) => {
    const given = Object.entries(input).filter(([, value]) => value !== undefined);
    const next: Member = { ...member, ...Object.fromEntries(given), generation: member.generation + 1 };
    if (next.role !== member.role) mayGive(ctx, next.role);
    if (!reaches(member.role, next.role)) covered(ctx, next.role);
    const falls = store.leading(member) && (!store.leading(next) || (member.role === "staff" && next.role !== "staff"));
    const set = { ...Object.fromEntries(given), generation: next.generation };
    await ctx.table.write(
      ctx.table.update(memberKind, id, { set, when: store.asRead(member) }),
      ...(await store.guards(ctx, member, falls)),
      Audit.entry(ctx, { verb: "member:update", target: id, changes: given.map(([field]) => field) }),
      ...(followed(member, next) ? [Outbox.note(ctx, "all")] : []),
    );
    return next;
  });
}

/** Whether clusters have to follow: who is active, who is an owner, and what its accounts there say it is called. */
const followed = (before: Member, after: Member): boolean =>
  before.state !== after.state || before.name !== after.name || (before.role === "owner") !== (after.role === "owner");
