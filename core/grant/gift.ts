import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import type { Change, Context } from "../context.ts";
import { Fault } from "../error.ts";
import { type ID, newID } from "../id.ts";
import { mayGive } from "./held.ts";
import { givenKind, type Grant, grantKind } from "./schema.ts";
import * as store from "./store.ts";
import { groundStays, whereOf } from "./target.ts";

type Gift = Pick<Grant, "group" | "scope">;

/**
 * Whether the caller may give this to somebody who is yet to come.
 * @param field the path of the gift in what was asked, which the faults' fields begin with.
 * @throws Fault as `create` does.
 */
export async function givable(ctx: Context, gift: Gift, field: string): Promise<void> {
  allow(ctx, "grant:write", whereOf(gift.scope));
  try {
    await groundStays(ctx, gift);
    await mayGive(ctx, gift);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const errors = error.errors.map((each) => ({ ...each, field: `${field}.${each.field}` }));
    throw new Fault(error.kind, error.message, { errors, cause: error });
  }
}

/**
 * The changes that give this to a member who is being made; none where group or scope is there no more, or is going.
 * Whoever writes them counts the grant and tells the clusters.
 */
export async function giving(
  ctx: Audit.Acting,
  { subject, group, scope, createdBy }: Gift & { subject: ID<"member">; createdBy: ID<"member"> },
): Promise<Change[]> {
  const checks = await there(ctx, { group, scope });
  if (checks === undefined) return [];
  const { table, tenant } = ctx;
  const what = { subject, group, scope };
  const own = { id: newID(ctx, "grant"), tenant, createdAt: ctx.now(), createdBy, generation: 1 };
  const grant: Grant = { ...own, ...what, state: "active" };
  return [
    table.insert(givenKind, store.givenID(what), { id: grant.id }),
    table.insert(grantKind, grant.id, grant),
    ...checks,
    Audit.entry(ctx, { verb: "grant:create", target: grant.id }),
  ];
}

async function there(ctx: Pick<Context, "table">, gift: Gift): Promise<Change[] | undefined> {
  try {
    return await groundStays(ctx, gift);
  } catch (error) {
    if (error instanceof Fault && (error.kind === "missing" || error.kind === "conflict")) return undefined;
    throw error;
  }
}
