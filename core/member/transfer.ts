import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import type { Context } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import * as Outbox from "../outbox/index.ts";
import { covered } from "./home.ts";
import { type Member, memberKind, type TransferInput, type View } from "./schema.ts";
import * as store from "./store.ts";

/**
 * Hands the caller's own role to another member, which is an owner from then on (of the platform's staff: staff), and
 * gives the caller the one that was asked for. One transaction on both as they were read, so that there is an owner at
 * every moment, whatever else is under way.
 * @returns the one who is the owner now.
 * @throws Fault `missing`; `forbidden` when the caller leads no more, and for a token that is scoped for less than it may; `conflict` for oneself and for a suspended one.
 */
export async function transfer(ctx: Context, id: ID<"member">, input: TransferInput): Promise<View> {
  allow(ctx, "member:write");
  const { member: self } = ctx.actor;
  covered(ctx, ctx.actor.role);
  if (self === "system") throw new Error("the system has no role to hand over");
  if (self === id) throw new Fault("conflict", "That is you: name the one who is to be the owner.");
  return await store.change(ctx, id, {}, async (member) => {
    if (member.state !== "active") throw new Fault("conflict", `${member.name} is suspended: let it back in first.`);
    const caller = await store.caller(ctx);
    const changed = (of: Member, role: Member["role"]) => ({
      set: { role, generation: of.generation + 1 },
      when: { ...store.asRead(of), role: of.role, state: { not: "suspended" } },
    });
    const heir = changed(member, caller.role);
    await ctx.table.write(
      ctx.table.update(memberKind, id, heir),
      ctx.table.update(memberKind, self, changed(caller, input.role)),
      Audit.entry(ctx, { verb: "member:transfer", target: id, changes: ["role"] }),
      Audit.entry(ctx, { verb: "member:update", target: self, changes: ["role"] }),
      Outbox.note(ctx, "all"),
    );
    return { ...member, ...heir.set };
  });
}
