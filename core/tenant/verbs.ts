import type { Context } from "../context.ts";
import { missing } from "../error.ts";
import * as Member from "../member/index.ts";
import { type Me, tenantKind } from "./schema.ts";

/** Who the caller is. What one is, one may always know, so no permission is asked. One read. */
export async function me(ctx: Context): Promise<Me> {
  const { member, role, scopes, within, token } = ctx.actor;
  if (member === "system") throw new Error("the system is no member");
  const keys = [
    [tenantKind, ctx.tenant],
    [Member.memberKind, member],
  ] as const;
  const [tenant, row] = await ctx.table.getAll(keys);
  if (tenant === undefined || row === undefined) throw missing("member");
  const bounds = within && { within: { clusters: within.clusters?.slice(), projects: within.projects?.slice() } };
  return { tenant, member: row, role, scopes: scopes && [...scopes], ...bounds, token };
}
