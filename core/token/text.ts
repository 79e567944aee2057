import type { Context } from "../context.ts";
import { type ID, nounOf } from "../id.ts";
import { checked, secretAfter } from "../secret.ts";

export { hash } from "../secret.ts";

const form = /^berth_([0-9a-hjkmnp-tv-z]{26})([0-9a-hjkmnp-tv-z]{26})([0-9a-hjkmnp-tv-z]{26})_[0-9A-Za-z]{38}$/;

/** The three ids inside a token's text: where to look, in one read. They are no secret. */
export interface Place {
  tenant: ID<"tenant">;
  member: ID<"member">;
  token: ID<"token">;
}

/**
 * A new token's text: `berth_`, the ULIDs of tenant, member and token, `_`, 32 random base62 characters (190 bits),
 * and the CRC-32 of all before in 6 more. The checksum lets secret scanners tell a real one from noise.
 */
export function compose(ctx: Pick<Context, "random">, { tenant, member, token }: Place): string {
  const ids = [tenant, member, token].map((id) => id.slice(4)).join("");
  return secretAfter(ctx, `berth_${ids}_`);
}

/** The ids in a token's text, or undefined when no release of ours wrote it. No store is asked. */
export function parse(text: string): Place | undefined {
  const found = form.exec(text);
  if (found === null || !checked(text)) return undefined;
  const [tenant, member, token] = [`tnt_${found[1]}`, `mbr_${found[2]}`, `tok_${found[3]}`];
  if (nounOf(tenant) !== "tenant" || nounOf(member) !== "member" || nounOf(token) !== "token") return undefined;
  return { tenant: tenant as ID<"tenant">, member: member as ID<"member">, token: token as ID<"token"> };
}
