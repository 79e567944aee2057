import { allow } from "../allow.ts";
import type { Change, Context } from "../context.ts";
import { newID } from "../id.ts";
import type { Page, PageInput } from "../page.ts";
import { auditKind, type Audit, View } from "./schema.ts";

/**
 * The entry of one change, to be written in that change's own transaction: neither can be without the other.
 * @param entry.changes names of fields, never values.
 */
export function entry(ctx: Context, entry: { verb: string; target: string; changes?: string[] }): Change {
  const id = newID(ctx, "audit");
  const row: Audit = {
    id,
    tenant: ctx.tenant,
    ...entry,
    actor: { member: ctx.actor.member, token: ctx.actor.token },
    requestID: ctx.requestID,
    at: ctx.now(),
    unsealed: true,
  };
  return ctx.table.insert(auditKind, id, row);
}

/** The tenant's entries, newest first. @throws Fault `forbidden` to all but owners. */
export async function list(ctx: Context, page: PageInput): Promise<Page<View>> {
  allow(ctx, "audit:read");
  const { items, next } = await ctx.table.list(auditKind, { ...page, newest: true });
  return { items: items.map((item) => View.parse(item)), next };
}
