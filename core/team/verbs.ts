import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import { type Context, Refused } from "../context.ts";
import { Fault, missing } from "../error.ts";
import { type ID, newID } from "../id.ts";
import * as Member from "../member/index.ts";
import * as Outbox from "../outbox/index.ts";
import { type Page, type PageInput, sift } from "../page.ts";
import * as Quota from "../quota/index.ts";
import { type CreateInput, type Filter, nameKind, type Team, teamKind, type UpdateInput, type View } from "./schema.ts";
import * as store from "./store.ts";

/** Which generation may be changed; left out, any. */
interface Only {
  generation?: number | undefined;
}

/**
 * A new team. It gives its members nothing until a right is granted to it.
 * @throws Fault `missing` for whoever is no member, naming the field; `conflict` when the name is taken; `limit` when
 * the tenant may have no more.
 */
export async function create(ctx: Context, input: CreateInput): Promise<View> {
  allow(ctx, "team:write");
  const members = await store.known(ctx, input.members, (id) => `members.${input.members.indexOf(id)}`);
  const own = { id: newID(ctx, "team"), tenant: ctx.tenant, generation: 1, createdAt: ctx.now() };
  const team: Team = { ...input, title: input.title ?? input.name, ...own };
  let mine = 0;
  try {
    await Member.asCaller(ctx, async (caller) => {
      mine = caller.length;
      await Quota.taking(ctx, "teams", [
        ...caller,
        ctx.table.insert(nameKind, team.name, { id: team.id }),
        ctx.table.insert(teamKind, team.id, team),
        Audit.entry(ctx, { verb: "team:create", target: team.id }),
        ...members,
      ]);
    });
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause;
    if (cause.index === mine) throw new Fault("conflict", `There is a team named ${team.name} already.`, { cause });
    throw new Fault("conflict", "A member was removed meanwhile.", { cause });
  }
  return team;
}

/** The teams of the tenant, oldest first; of a filter only those that meet it. */
export async function list(ctx: Context, { limit, after, member }: PageInput & Filter): Promise<Page<View>> {
  allow(ctx, "team:read");
  if (member === undefined) return await ctx.table.list(teamKind, { limit, after });
  const keep = ({ members }: Team): boolean => members.includes(member);
  return await sift((part) => ctx.table.list(teamKind, part), keep, { limit, after });
}

/** @throws Fault `missing`. */
export async function get(ctx: Context, id: ID<"team">): Promise<View> {
  allow(ctx, "team:read");
  return await store.get(ctx, id);
}

/**
 * Changes title, claims or the whole list of members; its name stays.
 * @throws Fault `missing` for the team, and for whoever is no member, naming the field; `stale`.
 */
export async function update(ctx: Context, id: ID<"team">, input: UpdateInput, only: Only = {}): Promise<View> {
  allow(ctx, "team:write");
  return await store.change(ctx, id, only.generation, async (team) => {
    const { members: wanted = [] } = input;
    // Those who are in it are not looked up again: a list that names one who is gone need not be mended first.
    const come = wanted.filter((member) => !team.members.includes(member));
    const members = await store.known(ctx, come, (member) => `members.${wanted.indexOf(member)}`);
    const given = Object.entries(input).filter(([, value]) => value !== undefined);
    const set = { ...Object.fromEntries(given), generation: team.generation + 1 };
    await Member.asCaller(ctx, (caller) =>
      ctx.table.write(
        ...caller,
        ctx.table.update(teamKind, id, { set, when: { generation: team.generation } }),
        Audit.entry(ctx, { verb: "team:update", target: id, changes: given.map(([field]) => field) }),
        ...(input.members === undefined ? [] : [Outbox.note(ctx, "all")]),
        ...members,
      ),
    );
    return { ...team, ...set };
  });
}

/**
 * Removes a team, in steps that a repeat finishes: what is granted to it is ended, and its row and name go.
 * @param ended ends the grants to it, which know teams and not the other way round.
 * @returns the team as it was.
 * @throws Fault `missing`; `stale`.
 */
export async function remove(
  ctx: Context,
  id: ID<"team">,
  only: Only,
  ended: (ctx: Context, id: ID<"team">) => Promise<void>,
): Promise<View> {
  allow(ctx, "team:write");
  await store.change(ctx, id, only.generation, async () => undefined);
  await ended(ctx, id);
  const removed = await store.change(ctx, id, only.generation, async (team) => {
    await Member.asCaller(ctx, (caller) =>
      Quota.giving(ctx, "teams", [
        ...caller,
        ctx.table.remove(teamKind, id, { generation: team.generation }),
        ctx.table.remove(nameKind, team.name),
        Audit.entry(ctx, { verb: "team:remove", target: id }),
        Outbox.note(ctx, "all"),
      ]),
    );
    return team;
  });
  // What was granted to it in between; from now on nothing can be, and what there is gives nothing.
  await ended(ctx, id);
  return removed;
}

/** Puts one member into a team. A second time is harmless. @throws Fault `missing`; `limit` when the team is full. */
export async function join(ctx: Context, id: ID<"team">, member: ID<"member">): Promise<View> {
  allow(ctx, "team:write");
  return await store.change(ctx, id, undefined, async (team) => {
    const present = await store.known(ctx, [member], () => "member");
    if (team.members.includes(member)) return team;
    const members = store.withOneMore(team, member);
    await Member.asCaller(ctx, (caller) =>
      ctx.table.write(...caller, ...store.regrouped(ctx, team, members), ...present),
    );
    return { ...team, members, generation: team.generation + 1 };
  });
}

/** Takes one member out of a team. @throws Fault `missing`, also for who is not in it. */
export async function leave(ctx: Context, id: ID<"team">, member: ID<"member">): Promise<View> {
  allow(ctx, "team:write");
  return await store.change(ctx, id, undefined, async (team) => {
    if (!team.members.includes(member)) throw missing("member");
    const members = team.members.filter((each) => each !== member);
    await Member.asCaller(ctx, (caller) => ctx.table.write(...caller, ...store.regrouped(ctx, team, members)));
    return { ...team, members, generation: team.generation + 1 };
  });
}
