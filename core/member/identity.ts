import * as crypto from "node:crypto";
import type { Change, Context } from "../context.ts";
import { newID } from "../id.ts";
import { type Identity, identityKind, type Member, memberKind } from "./schema.ts";
import { asRead } from "./store.ts";

/** Issuer and subject as one key. The line feed can be in no issuer, which is a URL, so no two pairs are one text. */
const keyOf = ({ issuer, subject }: Pick<Identity, "issuer" | "subject">): string =>
  crypto.hash("sha256", `${issuer}\n${subject}`, "hex");

/** The member that this issuer calls by this subject, suspended or not; undefined when there is none yet. */
export async function byIdentity(
  { table }: Pick<Context, "table">,
  issuer: string,
  subject: string,
): Promise<Member | undefined> {
  const found = await table.get(identityKind, keyOf({ issuer, subject }));
  return found && (await table.get(memberKind, found.member));
}

/**
 * A member that comes in by itself, by an invite or a provider. To be written with its quota (`Quota.taking(ctx,
 * "members", …)`) and an audit entry. Of one with an identity the first change is the identity's own: refused there,
 * somebody was quicker, and `byIdentity` finds the member that it made.
 */
export function join(
  ctx: Pick<Context, "table" | "now" | "random">,
  input: Pick<Member, "name" | "role" | "kind" | "email" | "identity">,
): { member: Member; changes: Change[] } {
  const { table } = ctx;
  const { email, identity, ...named } = input;
  const member: Member = {
    id: newID(ctx, "member"),
    tenant: table.tenant,
    ...named,
    ...(email !== undefined && { email }),
    ...(identity !== undefined && { identity }),
    state: "active",
    generation: 1,
    createdAt: ctx.now(),
  };
  const row = table.insert(memberKind, member.id, member);
  if (identity === undefined) return { member, changes: [row] };
  const id = keyOf(identity);
  return { member, changes: [table.insert(identityKind, id, { id, member: member.id }), row] };
}

/**
 * The changes by which a member that came in another way is known by an identity from now on. Refused at the first, the
 * identity is somebody's already; at the second, the member was changed meanwhile.
 */
export function identifying({ table }: Pick<Context, "table">, member: Member, identity: Identity): Change[] {
  const id = keyOf(identity);
  const set = { identity, generation: member.generation + 1 };
  return [
    table.insert(identityKind, id, { id, member: member.id }),
    table.update(memberKind, member.id, { set, when: { ...asRead(member), identity: { absent: true } } }),
  ];
}

/** What goes with a member's row, so that who signs in again is a new one, without anything of the old one's. */
export const forgetting = ({ table }: Pick<Context, "table">, { identity }: Pick<Member, "identity">): Change[] =>
  identity === undefined ? [] : [table.remove(identityKind, keyOf(identity))];
