import { type Change, type Context, Refused } from "../context.ts";
import { Fault, missing, unmoved } from "../error.ts";
import type { ID } from "../id.ts";
import { pages } from "../page.ts";
import { leads, reaches } from "./rank.ts";
import { type Member, memberKind } from "./schema.ts";

/** Which generation may be changed; left out, any. */
export interface Only {
  generation?: number | undefined;
}

const tries = 20;

/** @throws Fault `missing`, also for what belongs to another tenant. */
export async function get(ctx: Context, id: ID<"member">): Promise<Member> {
  const member = await ctx.table.get(memberKind, id);
  if (member === undefined) throw missing("member");
  return member;
}

/** Holds when the member is as it was read. */
export const asRead = ({ generation }: Member) => ({
  generation: generation === 0 ? { absent: true as const } : generation,
});

/** Holds while the member is active and has this role. */
export const acting = (ctx: Pick<Context, "table">, { id, role }: Pick<Member, "id" | "role">): Change =>
  ctx.table.check(memberKind, id, { role, state: { not: "suspended" } });

/**
 * Reads a member, and writes what `work` makes of it; when it was changed meanwhile, once more from the start.
 * @throws Fault `missing`; `stale` when it has another generation than `only` allows; `forbidden` for a member above
 * the caller; what `work` throws.
 */
export async function change<T>(
  ctx: Context,
  id: ID<"member">,
  { generation }: Only,
  work: (member: Member) => Promise<T>,
): Promise<T> {
  for (let left = tries; left > 0; left -= 1) {
    const member = await get(ctx, id);
    unmoved("member", member.generation, generation);
    if (!reaches(ctx.actor.role, member.role)) throw new Fault("forbidden", "The member's role is above your own.");
    try {
      return await work(member);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  throw new Fault("unavailable", "The member is changed by others all the time; try again.", { retryAfterSeconds: 1 });
}

const fallen = (cause?: unknown): Fault => new Fault("forbidden", "Your own role was changed meanwhile.", { cause });

/** The caller's own row, as long as it is who it was when it knocked. @throws Fault `forbidden` when it is not. */
export async function caller(ctx: Context): Promise<Member> {
  const { member, role } = ctx.actor;
  const found = member === "system" ? undefined : await ctx.table.get(memberKind, member);
  if (found === undefined || found.state !== "active" || found.role !== role) throw fallen();
  return found;
}

/**
 * Writes on condition that the caller still is who it was when it knocked: `work` puts this check first.
 * @throws Fault `forbidden` when it is not.
 */
export async function asCaller(ctx: Context, work: (caller: Change[]) => Promise<void>): Promise<void> {
  const { member: id, role } = ctx.actor;
  if (id === "system") return await work([]);
  try {
    await work([acting(ctx, { id, role })]);
  } catch (error) {
    throw error instanceof Refused && error.index === 0 ? fallen(error) : error;
  }
}

/**
 * What must hold in the transaction that takes `member` its lead: that somebody who leads is left. Who calls is one,
 * as long as it is not itself who goes; checking that it still leads then is what keeps two from removing each other.
 * A check of every change, so that who was itself removed meanwhile changes nobody.
 * @param falls whether the change takes an active owner (or the platform's staff) its place.
 * @throws Fault `conflict` when it is the last; `forbidden` when the caller's own role is gone.
 */
export async function guards(ctx: Context, member: Member, falls: boolean): Promise<Change[]> {
  const { actor } = ctx;
  if (actor.member !== "system" && actor.member !== member.id) {
    const self = await caller(ctx);
    const check = acting(ctx, self);
    if (!falls || (leads(self.role) && (member.role !== "staff" || self.role === "staff"))) return [check];
  }
  if (!falls) return [];
  const other = await another(ctx, member);
  if (other !== undefined) return [acting(ctx, other)];
  throw new Fault("conflict", `${member.name} is the last active ${member.role}: make another one first.`);
}

/** An active member who can stand for this one: at least of its role. */
async function another(ctx: Context, member: Member): Promise<Member | undefined> {
  for await (const members of pages((page) => ctx.table.list(memberKind, page))) {
    const found = members.find(
      ({ id, role, state }) => id !== member.id && state === "active" && reaches(role, member.role),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether it is one of those of whom at least one must be left. */
export const leading = ({ role, state }: Member): boolean => leads(role) && state === "active";
