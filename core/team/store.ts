import * as Audit from "../audit/index.ts";
import { type Change, type Context, Refused } from "../context.ts";
import { Fault, missing, unmoved } from "../error.ts";
import type { ID } from "../id.ts";
import * as Member from "../member/index.ts";
import * as Outbox from "../outbox/index.ts";
import { collect } from "../page.ts";
import { membersMax, type Team, teamKind } from "./schema.ts";

const tries = 20;
/** A write holds 100 changes: of more members than this all are looked up before it, and none within it. */
const checkedMax = 80;
const readMax = 100;

/** @throws Fault `missing`, also for what belongs to another tenant. */
export async function get({ table }: Pick<Context, "table">, id: ID<"team">): Promise<Team> {
  const team = await table.get(teamKind, id);
  if (team === undefined) throw missing("team");
  return team;
}

/** Every team of the tenant; its quota keeps them few. */
export const all = ({ table }: Pick<Context, "table">): Promise<Team[]> =>
  collect((page) => table.list(teamKind, page));

/** The teams that a member is in. */
export const of = async (ctx: Pick<Context, "table">, member: ID<"member">): Promise<Team[]> =>
  (await all(ctx)).filter(({ members }) => members.includes(member));

/**
 * Reads a team, and writes what `work` makes of it; when it was changed meanwhile, once more from the start.
 * @throws Fault `missing`; `stale` when it has another generation than the one that is meant; what `work` throws.
 */
export async function change<T>(
  ctx: Context,
  id: ID<"team">,
  meant: number | undefined,
  work: (team: Team) => Promise<T>,
): Promise<T> {
  for (let left = tries; left > 0; left -= 1) {
    const team = await get(ctx, id);
    unmoved("team", team.generation, meant);
    try {
      return await work(team);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  throw new Fault("unavailable", "The team is changed by others all the time; try again.", { retryAfterSeconds: 1 });
}

/** The team's change to these members, on condition that it is as it was read, and what has to stand beside it. */
export function regrouped(
  ctx: Audit.Acting,
  { id, generation, members: before }: Team,
  members: ID<"member">[],
): Change[] {
  const came = members.length > before.length;
  const moved = came
    ? members.filter((each) => !before.includes(each))
    : before.filter((each) => !members.includes(each));
  return [
    ctx.table.update(teamKind, id, { set: { members, generation: generation + 1 }, when: { generation } }),
    Audit.entry(ctx, {
      verb: came ? "team:join" : "team:leave",
      target: id,
      changes: moved.map((member) => `members.${member}`),
    }),
    Outbox.note(ctx, "all"),
  ];
}

export const full = ({ members }: Pick<Team, "members">): boolean => members.length >= membersMax;

/** @throws Fault `limit` when the team is full. */
export function withOneMore(team: Pick<Team, "name" | "members">, member: ID<"member">): ID<"member">[] {
  const { name, members } = team;
  if (!full(team)) return [...members, member];
  throw new Fault("limit", `The team ${name} has ${membersMax} members, and can't have more.`);
}

/**
 * What holds as long as these are members of the tenant, to stand in the write that puts them into a team. Of more than
 * 80 at once nothing stands there: one who is removed at that very moment stays in the list, where it means nothing, as
 * whoever reads rights knows only members that are there.
 * @param fieldOf where the caller said one.
 * @throws Fault `missing`, naming every one who is none.
 */
export async function known(
  ctx: Pick<Context, "table" | "actor">,
  ids: ID<"member">[],
  fieldOf: (id: ID<"member">) => string,
): Promise<Change[]> {
  const unknown: ID<"member">[] = [];
  for (let from = 0; from < ids.length; from += readMax) {
    const part = ids.slice(from, from + readMax);
    const found = await ctx.table.getAll(part.map((id) => [Member.memberKind, id] as const));
    unknown.push(...part.filter((_, at) => found[at] === undefined));
  }
  if (unknown.length > 0) {
    const errors = unknown.map((id) => ({ field: fieldOf(id), message: "is no member of this tenant" }));
    throw new Fault("missing", "There is no such member.", { errors });
  }
  if (ids.length > checkedMax) return [];
  // A write names a row once, and who calls is checked in it anyway.
  const others = ids.filter((id) => id !== ctx.actor.member);
  return others.map((id) => ctx.table.check(Member.memberKind, id, { id: { present: true } }));
}
