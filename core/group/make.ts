import type { Change, Context } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import * as Member from "../member/index.ts";
import type { Rules } from "./builtin.ts";
import { dangers } from "./danger.ts";
import { lacking } from "./rules.ts";

/** A group whose rules are to be others, and all that its maker must hold for it. */
export interface Changed {
  id: ID<"group">;
  all: Rules[];
}

/**
 * What the caller holds in the whole tenant, and what must hold in the write that stands on it. Grants know groups and
 * not the other way round, so it is handed in.
 * @param changed a group that may be given already: whoever changes it gives it anew.
 * @throws Fault `forbidden` for one that is given, and that the caller could not give.
 */
export type Holds = (ctx: Context, changed?: Changed) => Promise<Rules & { guards: Change[] }>;

/**
 * Nobody makes, changes or removes a group of what it does not hold itself in the whole tenant; owners hold everything.
 * @param all the group as it is, as it is to be, or both.
 * @param changed the group's id, when its rules are to be others.
 * @returns what must hold in the transaction that does it.
 * @throws Fault `forbidden`, naming the rule and where it stands.
 */
export async function mayMake(ctx: Context, holds: Holds, all: Rules[], changed?: ID<"group">): Promise<Change[]> {
  if (Member.leads(ctx.actor.role)) return [];
  for (const rules of all) {
    const [danger] = dangers(rules);
    if (danger !== undefined) throw refused(danger, danger.split(".")[0] ?? "rules", "is an owner's alone");
  }
  const held = await holds(ctx, changed && { id: changed, all });
  for (const rules of all) {
    for (const field of ["rules", "clusterRules"] as const) {
      const lack = lacking(held[field], rules[field]);
      if (lack === undefined) continue;
      throw refused(`You do not hold ${lack} in the whole tenant yourself.`, field, `${lack} is not yours to give`);
    }
  }
  return held.guards;
}

const refused = (why: string, field: string, message: string): Fault =>
  new Fault("forbidden", `A group can't hold more than who makes it. ${why}`, { errors: [{ field, message }] });
