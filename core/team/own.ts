// What becomes of teams when members come and go by themselves; who may do so was asked before.
import type { Change, Context } from "../context.ts";
import type * as Audit from "../audit/index.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import type { Team } from "./schema.ts";
import * as store from "./store.ts";

/** Takes a member out of all of its teams, one write each; a repeat goes on where it was left. */
export async function drop(ctx: Context, member: ID<"member">): Promise<void> {
  for (const { id } of await store.of(ctx, member)) {
    await swap(ctx, id, (members) => members.filter((each) => each !== member));
  }
}

/**
 * Puts who signs in into the teams that its provider's claim names, and takes it out of the other teams that have
 * claims; teams without claims are left as they are. One write each; nothing is written where nothing changes. A team
 * that is full stays as it is.
 * @param claimed what the groups claim held.
 * @returns whether anything changed; clusters are to follow then.
 */
export async function claim(ctx: Context, member: ID<"member">, claimed: readonly string[]): Promise<boolean> {
  let changed = false;
  for (const { id, claims } of await store.all(ctx)) {
    // As it was listed, which saves a read of each; what is written is looked at again.
    if (claims.length === 0) continue;
    const moved = await swap(ctx, id, (members, team) => {
      const named = team.claims.some((each) => claimed.includes(each));
      if (named === members.includes(member) || team.claims.length === 0) return members;
      if (!named) return members.filter((each) => each !== member);
      return store.full(team) ? members : [...members, member];
    });
    changed ||= moved;
  }
  return changed;
}

/** The change by which one who is just being made is in a team from its first moment on. @throws Fault `limit`. */
export const joining = (ctx: Audit.Acting, team: Team, member: ID<"member">): Change[] =>
  store.regrouped(ctx, team, store.withOneMore(team, member)).filter(({ kind }) => kind !== "outbox");

type Members = Team["members"];
async function swap(ctx: Context, id: ID<"team">, next: (members: Members, team: Team) => Members): Promise<boolean> {
  try {
    return await store.change(ctx, id, undefined, async (team) => {
      const members = next(team.members, team);
      if (members.length === team.members.length) return false;
      await ctx.table.write(...store.regrouped(ctx, team, members));
      return true;
    });
  } catch (error) {
    // Removed meanwhile: nobody is in it any more.
    if (error instanceof Fault && error.kind === "missing") return false;
    throw error;
  }
}
