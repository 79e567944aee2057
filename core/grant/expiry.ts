import type { Context } from "../context.ts";
import type { ID } from "../id.ts";
import { grantKind } from "./schema.ts";
import * as store from "./store.ts";

/**
 * Ends a grant whose time is over, or a request that nobody has answered; one whose time is to come is due again then.
 * Woken by the sweep, and whatever woke it: it looks for itself.
 */
export async function expire(ctx: Context, id: ID<"grant">): Promise<"expired" | "waiting" | "gone"> {
  return await store.again(async () => {
    const grant = await ctx.table.get(grantKind, id);
    if (grant === undefined) return "gone";
    if (!store.over(grant, ctx.now())) return "waiting";
    await store.end(ctx, grant, "grant:expired");
    return "expired";
  });
}

/** Ends all that a member or a team is given, and its requests; a repeat goes on where it was left. */
export const endSubject = async (ctx: Context, subject: ID<"member"> | ID<"team">): Promise<void> =>
  void (await store.endAll(ctx, (grant) => grant.subject === subject));

/** Ends all that is given on a cluster or in a project that goes. */
export const endScope = async (ctx: Context, scope: ID<"cluster"> | ID<"project">): Promise<void> =>
  void (await store.endAll(ctx, (grant) => grant.scope === scope));
