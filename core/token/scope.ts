// Whose tokens a caller may make, see and end, and how far what it makes may go.
import { grants, type Permission } from "../allow.ts";
import type { Role } from "../role.ts";
import type { Context } from "../context.ts";
import { Fault, missing } from "../error.ts";
import type { ID } from "../id.ts";
import * as Member from "../member/index.ts";
import type { Kept } from "./store.ts";

/** The caller's own, and for who leads anyone's; others' are not there. @throws Fault `missing`. */
export function mine(ctx: Context, kept: Kept | undefined): Kept {
  const sees = kept?.token.member === ctx.actor.member || Member.leads(ctx.actor.role);
  if (kept === undefined || !sees) throw missing("token");
  return kept;
}

/** Ending a member's tokens is changing the member: none above the caller's own role. @throws Fault `forbidden`. */
export async function endable(ctx: Context, member: ID<"member">): Promise<void> {
  if (member === ctx.actor.member) return;
  const holder = await ctx.table.get(Member.memberKind, member);
  if (holder === undefined || Member.reaches(ctx.actor.role, holder.role)) return;
  throw new Fault("forbidden", "The member's role is above your own.");
}

/**
 * Who gets a token: the caller, or a robot that it leads. Never another person: its secret would be in two hands.
 * @throws Fault `missing`; `forbidden`; `conflict` for a robot that is suspended.
 */
export async function receiver(
  ctx: Context,
  asked: ID<"member"> | undefined,
): Promise<{ id: ID<"member">; role: Role }> {
  const { member: self, role } = ctx.actor;
  if (self === "system") throw new Error("the system has no tokens");
  const refuse = (message: string): Fault =>
    new Fault("forbidden", message, { errors: [{ field: "member", message: "is not yours to make a token for" }] });
  if (asked === undefined || asked === self) return { id: self, role };
  if (!Member.leads(role)) throw refuse("Only an owner makes tokens for others.");
  const member = await ctx.table.get(Member.memberKind, asked);
  if (member === undefined) throw missing("member");
  if (member.kind !== "robot") throw refuse("Tokens are made for oneself and for robots, never for another person.");
  if (!Member.reaches(role, member.role)) throw refuse("The robot's role is above your own.");
  if (member.state !== "active") throw new Fault("conflict", "The robot is suspended.");
  return member;
}

/**
 * The scopes of a token for who has `role`: nothing beyond that role, the caller's, or the token it calls with.
 * @param asked left out, as much as the caller's own token.
 * @throws Fault `forbidden`, with every one that is beyond.
 */
export function bounded(ctx: Context, role: Role, asked: Permission[] | undefined): string[] | null {
  const own = ctx.actor.scopes;
  if (asked === undefined) return own && [...own];
  const may = (each: Permission): boolean =>
    [role, ctx.actor.role].every((one) => grants(one).has(each)) && (own === null || own.includes(each));
  const beyond = asked.filter((each) => !may(each));
  if (beyond.length === 0) return [...new Set(asked)];
  throw new Fault("forbidden", `You can't give away what you don't have: ${beyond.join(", ")}.`, {
    errors: beyond.map((each) => ({ field: "scopes", message: `${each} is beyond your own` })),
  });
}

/** The scopes of a token that is made anew: the same, unless the one it is asked with may do less. @throws Fault `forbidden`. */
export function carried(ctx: Context, scopes: readonly string[] | null): string[] | null {
  const own = ctx.actor.scopes;
  const within = own === null || (scopes !== null && scopes.every((each) => own.includes(each)));
  if (!within) throw new Fault("forbidden", "You can't give away what you don't have: it may do more than your token.");
  return scopes && [...scopes];
}
