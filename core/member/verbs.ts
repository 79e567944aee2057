import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import type { Context } from "../context.ts";
import { Fault } from "../error.ts";
import { type ID, newID } from "../id.ts";
import { type Page, type PageInput, sift } from "../page.ts";
import * as Quota from "../quota/index.ts";
import { mayGive } from "./home.ts";
import { leads } from "./rank.ts";
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
 * Changes name, role or state. Tokens of a suspended member stop within 10 s.
 * @param only.generation when given, the one generation that may be changed.
 * @throws Fault `missing`; `stale`; `forbidden` for a role, old or new, above the caller's; `conflict` when no active
 * owner would be left.
 */
export async function update(ctx: Context, id: ID<"member">, input: UpdateInput, only: store.Only = {}): Promise<View> {
  allow(ctx, "member:write");
  return await store.change(ctx, id, only, async (member) => {
    const given = Object.entries(input).filter(([, value]) => value !== undefined);
    const next: Member = { ...member, ...Object.fromEntries(given), generation: member.generation + 1 };
    if (next.role !== member.role) mayGive(ctx, next.role);
    const falls = leading(member) && (!leading(next) || (member.role === "staff" && next.role !== "staff"));
    const set = { ...Object.fromEntries(given), generation: next.generation };
    await ctx.table.write(
      ctx.table.update(memberKind, id, { set, when: store.asRead(member) }),
      ...(await store.guards(ctx, member, falls)),
      Audit.entry(ctx, { verb: "member:update", target: id, changes: given.map(([field]) => field) }),
    );
    return next;
  });
}

/**
 * Removes a member, in steps that a repeat finishes: it is suspended, what it holds is ended, and its row goes.
 * @param ended ends what hangs on a member (its tokens, its accounts); they know members and not the other way round.
 * @returns the member as it was.
 * @throws Fault as `update` does.
 */
export async function remove(
  ctx: Context,
  id: ID<"member">,
  only: store.Only,
  ended: (ctx: Context, id: ID<"member">, member: View) => Promise<void>,
): Promise<View> {
  allow(ctx, "member:write");
  const before = await store.change(ctx, id, only, async (member) => {
    const guards = await store.guards(ctx, member, leading(member));
    if (member.state === "suspended") return member;
    await ctx.table.write(
      ctx.table.update(memberKind, id, {
        set: { state: "suspended", generation: member.generation + 1 },
        when: store.asRead(member),
      }),
      ...guards,
      Audit.entry(ctx, { verb: "member:update", target: id, changes: ["state"] }),
    );
    return member;
  });
  await ended(ctx, id, before);
  await store.change(ctx, id, {}, async (member) => {
    if (member.state !== "suspended") throw new Fault("conflict", "The member was let back in meanwhile.");
    const changes = [
      ctx.table.remove(memberKind, id, { ...store.asRead(member), state: "suspended" }),
      ...(await store.guards(ctx, member, false)),
      Audit.entry(ctx, { verb: "member:remove", target: id }),
    ];
    await Quota.giving(ctx, "members", changes);
  });
  return before;
}

/** Whether it is one of those of whom at least one must be left. */
const leading = ({ role, state }: Member): boolean => leads(role) && state === "active";
