import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import type { Context } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import * as Outbox from "../outbox/index.ts";
import * as Quota from "../quota/index.ts";
import { forgetting } from "./identity.ts";
import { memberKind, type View } from "./schema.ts";
import * as store from "./store.ts";

/**
 * Ends what hangs on a member (its tokens, sessions, grants, places in teams): they know members and not the other way
 * round. It may be called again for what it has done in part.
 */
export type Ended = (ctx: Context, id: ID<"member">, member: View) => Promise<void>;

/**
 * Removes a member, in steps that a repeat finishes: it is suspended, with which every right of it is over and the
 * clusters are to follow; what it holds is ended; and its row goes, with the identity that it signed in by.
 * @returns the member as it was.
 * @throws Fault as `update` does.
 */
export async function remove(ctx: Context, id: ID<"member">, only: store.Only, ended: Ended): Promise<View> {
  allow(ctx, "member:write");
  return await end(ctx, id, only, ended);
}

/**
 * The caller removes itself, whatever its role. A token that may do less than its member is not asked to end it.
 * @throws Fault `forbidden` for a token with bounds; `conflict` when no active owner would be left.
 */
export async function leave(ctx: Context, ended: Ended): Promise<View> {
  const { member, scopes, within } = ctx.actor;
  if (member === "system") throw new Error("the system is no member");
  if (scopes !== null || within !== undefined) {
    throw new Fault("forbidden", "This token has bounds, and leaving takes one that may do all that you may.");
  }
  return await end(ctx, member, {}, ended);
}

async function end(ctx: Context, id: ID<"member">, only: store.Only, ended: Ended): Promise<View> {
  const before = await store.change(ctx, id, only, async (member) => {
    const guards = await store.guards(ctx, member, store.leading(member));
    if (member.state === "suspended") return member;
    await ctx.table.write(
      ctx.table.update(memberKind, id, {
        set: { state: "suspended", generation: member.generation + 1 },
        when: store.asRead(member),
      }),
      ...guards,
      Audit.entry(ctx, { verb: "member:update", target: id, changes: ["state"] }),
      Outbox.note(ctx, "all"),
    );
    return member;
  });
  await ended(ctx, id, before);
  await store.change(ctx, id, {}, async (member) => {
    if (member.state !== "suspended") throw new Fault("conflict", "The member was let back in meanwhile.");
    const changes = [
      ctx.table.remove(memberKind, id, { ...store.asRead(member), state: "suspended" }),
      ...(await store.guards(ctx, member, false)),
      ...forgetting(ctx, member),
      Audit.entry(ctx, { verb: "member:remove", target: id }),
    ];
    await Quota.giving(ctx, "members", changes);
  });
  return before;
}
