import { allow } from "../allow.ts";
import type { Context } from "../context.ts";
import { missing } from "../error.ts";
import type { ID } from "../id.ts";
import type { Page, PageInput } from "../page.ts";
import { memberKind, type View } from "./schema.ts";

/** The members of the tenant, oldest first. */
export async function list(ctx: Context, page: PageInput): Promise<Page<View>> {
  allow(ctx, "member:read");
  return ctx.table.list(memberKind, page);
}

/** @throws Fault `missing`. */
export async function get(ctx: Context, id: ID<"member">): Promise<View> {
  allow(ctx, "member:read");
  const member = await ctx.table.get(memberKind, id);
  if (member === undefined) throw missing("member");
  return member;
}
