import type { Context } from "../context.ts";
import { type ID, nounOf } from "../id.ts";
import { checked, secretAfter } from "../secret.ts";

const form = /(?:^|\/)(berth_inv_([0-9a-hjkmnp-tv-z]{26})([0-9a-hjkmnp-tv-z]{26})_[0-9A-Za-z]{38})$/;

/** The two ids inside an invite's text: where to look, in one read. They are no secret. */
export interface Place {
  tenant: ID<"tenant">;
  invite: ID<"invite">;
}

/** A new invite's text: `berth_inv_`, the ULIDs of tenant and invite, `_`, and a secret as a token has it. */
export const compose = (ctx: Pick<Context, "random">, { tenant, invite }: Place): string =>
  secretAfter(ctx, `berth_inv_${tenant.slice(4)}${invite.slice(4)}_`);

/** What a link or the text at its end names, or undefined when no release of ours wrote it. No store is asked. */
export function parse(link: string): (Place & { text: string }) | undefined {
  const [, text = "", t, i] = form.exec(link.trim()) ?? [];
  if (text === "" || !checked(text)) return undefined;
  const [tenant, invite] = [`tnt_${t}`, `inv_${i}`];
  if (nounOf(tenant) !== "tenant" || nounOf(invite) !== "invite") return undefined;
  return { tenant: tenant as ID<"tenant">, invite: invite as ID<"invite">, text };
}
