import { grants } from "../allow.ts";
import type { Change, Context } from "../context.ts";
import { Fault } from "../error.ts";
import { newID, type ID } from "../id.ts";
import { reaches } from "./rank.ts";
import { memberKind, type Member } from "./schema.ts";

/** A member of a tenant that is just being made, to be written in the transaction that makes it. */
export function first(
  ctx: Pick<Context, "home" | "now" | "random">,
  tenant: ID<"tenant">,
  input: Pick<Member, "name" | "role" | "kind">,
): { member: Member; change: Change } {
  const member: Member = {
    id: newID(ctx, "member"),
    tenant,
    ...input,
    state: "active",
    generation: 1,
    createdAt: ctx.now(),
  };
  return { member, change: ctx.home.table(tenant).insert(memberKind, member.id, member) };
}

/**
 * Nobody gives a role above its own, and only the platform's own tenant has staff.
 * @throws Fault `forbidden`, naming the field.
 */
export function mayGive(ctx: Context, role: Member["role"]): void {
  if (reaches(ctx.actor.role, role) && (role !== "staff" || ctx.tenant === ctx.home.tenant)) return;
  throw new Fault("forbidden", `The role ${ctx.actor.role} can't give the role ${role}.`, {
    errors: [{ field: "role", message: "is above your own" }],
  });
}

/**
 * Whoever has a role may do all of it, by tokens of its own: one that is scoped for less must not bring anybody there.
 * @throws Fault `forbidden`, naming the first permission that the caller's token lacks.
 */
export function covered({ actor: { scopes } }: Context, role: Member["role"]): void {
  const beyond = scopes === null ? undefined : [...grants(role)].find((each) => !scopes.includes(each));
  if (beyond === undefined) return;
  throw new Fault("forbidden", `You can't give away what you don't have: this token is not scoped for ${beyond}.`, {
    errors: [{ field: "role", message: "is beyond your token's scopes" }],
  });
}
