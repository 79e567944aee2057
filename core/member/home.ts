import type { Change, Context } from "../context.ts";
import { newID, type ID } from "../id.ts";
import { memberKind, type Member } from "./schema.ts";

/** A member of a tenant that is just being made, to be written in the transaction that makes it. */
export function first(
  ctx: Pick<Context, "home" | "now" | "random">,
  tenant: ID<"tenant">,
  input: Pick<Member, "name" | "role" | "kind">,
): { member: Member; change: Change } {
  const member: Member = { id: newID(ctx, "member"), tenant, ...input, createdAt: ctx.now() };
  return { member, change: ctx.home.table(tenant).insert(memberKind, member.id, member) };
}
