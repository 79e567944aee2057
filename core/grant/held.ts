import type { Change, Context, Kind } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import * as Group from "../group/index.ts";
import * as Member from "../member/index.ts";
import * as Team from "../team/index.ts";
import { read } from "./read.ts";
import { type Right, rights, type Rows } from "./rights.ts";
import { grantKind, type Scope } from "./schema.ts";

/** What a member holds at a scope, by that very scope or by the tenant. */
export interface Held extends Group.Rules {
  groups: Group.Ref[];
}

/** What of the rights a member holds at this scope or at the tenant; a right on a cluster says nothing of a project. */
export function heldAt(all: readonly Right[], groups: Rows["groups"], member: ID<"member">, scope: Scope): Held {
  const here = heldBy(all, member, scope);
  return { groups: [...new Set(here.map(({ group }) => group))], ...rulesAll(here, groups) };
}

const heldBy = (all: readonly Right[], member: ID<"member">, scope: Scope): Right[] =>
  all.filter((right) => right.member === member && (right.scope === "tenant" || right.scope === scope));

function rulesAll(here: readonly Right[], groups: Rows["groups"]): Group.Rules {
  const refs = [...new Set(here.map(({ group }) => group))];
  const each = refs.map((ref) => Group.rulesOf(ref, groups)).filter((rules) => rules !== undefined);
  return {
    rules: each.flatMap(({ rules }) => rules),
    clusterRules: each.flatMap(({ clusterRules }) => clusterRules),
  };
}

/** The rules that a member holds at a scope, read anew. */
export async function held(ctx: Pick<Context, "table" | "now">, member: ID<"member">, scope: Scope): Promise<Held> {
  const rows = await read(ctx);
  return heldAt(rights(rows, ctx.now()), rows.groups, member, scope);
}

/**
 * What the caller holds in the whole tenant: the measure of what groups it may make. Of a group that is given, new rules
 * are given with it: that takes what giving it in the tenant would, for as long as the last of its grants.
 */
export const holds: Group.Holds = async (ctx, changed) => {
  const { member } = ctx.actor;
  if (member === "system") return { rules: [], clusterRules: [], guards: [] };
  const rows = await read(ctx);
  const here = heldBy(rights(rows, ctx.now()), member, "tenant").sort(leadsFirst);
  const own = { ...rulesAll(here, rows.groups), guards: [] };
  const given = rows.grants.filter(({ group, state }) => group === changed?.id && state === "active");
  if (changed === undefined || given.length === 0) return own;
  const rules = {
    rules: changed.all.flatMap((each) => each.rules),
    clusterRules: changed.all.flatMap((each) => each.clusterRules),
  };
  // What it lacks altogether is told rule by rule by who asks.
  if (lackingOf(own, rules, "tenant") !== undefined) return own;
  const ends = given.map(({ expiresAt }) => expiresAt);
  // The latest; one that never ends is undefined, and a sort puts that last whatever it is told.
  const until = ends.toSorted((a = "", b = "") => (a < b ? -1 : 1)).at(-1);
  const said = enough(lasting(here, rows, until), rows, rules, "tenant");
  if (typeof said === "string") throw refused(changed.id, `It is given, so who changes it gives it anew. ${said}`);
  // That the group is as it was, its own change holds.
  const guards = standing(ctx, rows, changed.id, said).filter(({ id }) => id !== changed.id);
  return { ...own, guards };
};

/** What is to be given or taken. */
export interface Giving {
  group: Group.Ref;
  scope: Scope;
  /** When it is to end, ISO 8601; left out, never. Of what is taken away, now. */
  until?: string | undefined;
}

/**
 * Who may give a group at a scope, approve a request for it and take it away: an owner of the tenant, and who holds
 * `admin` or `owner` there or in the tenant and all that the group may do there, for as long.
 * @returns what must hold in the transaction that does it: that the group is as it was looked at, and that the caller
 * still holds what it gives of.
 * @throws Fault `forbidden`, naming the first rule that the caller lacks; to all but owners for what is an owner's alone.
 */
export async function mayGive(ctx: Context, { group, scope, until }: Giving): Promise<Change[]> {
  if (Member.leads(ctx.actor.role)) return [];
  const { member } = ctx.actor;
  const rows = await read(ctx);
  const rules = Group.rulesOf(group, rows.groups);
  if (rules === undefined || member === "system") throw refused(group, "Only an owner may give or take it.");
  const [danger] = Group.dangers(rules);
  if (danger !== undefined) throw refused(group, `Only an owner may: ${danger}`);
  const here = heldBy(rights(rows, ctx.now()), member, scope).sort(leadsFirst);
  const said = enough(lasting(here, rows, until), rows, rules, scope);
  if (typeof said !== "string") return standing(ctx, rows, group, said);
  if (typeof enough(here, rows, rules, scope) === "string") throw refused(group, said);
  // Else whoever holds something for a day could give it to itself for good.
  throw refused(group, "What you hold there ends before that: say an earlier end.", "expiresInDays");
}

/** Those of the rights that it takes to give these rules, or why they are not enough. */
function enough(here: Right[], { groups }: Rows, rules: Group.Rules, scope: Scope): Right[] | string {
  let lack = lackingOf(rulesAll([], groups), rules, scope);
  // With what lets one give at all first: most often that is all that it takes.
  for (let count = 1; count <= here.length; count += 1) {
    const used = here.slice(0, count);
    lack = lackingOf(rulesAll(used, groups), rules, scope);
    if (lack === undefined && used.some(leads)) return used;
  }
  return lack === undefined ? "You hold neither admin nor owner there." : `You do not hold ${lack} there yourself.`;
}

const leads = ({ group }: Right): boolean => group === "admin" || group === "owner";
const leadsFirst = (a: Right, b: Right): number => Number(leads(b)) - Number(leads(a));

/** Those that last until then at least; left out, for good. */
function lasting(here: Right[], { grants }: Rows, until: string | undefined): Right[] {
  const ends = new Map<string, string | undefined>(grants.map(({ id, expiresAt }) => [id, expiresAt]));
  return here.filter(({ grant }) => {
    const end = ends.get(grant);
    return end === undefined || (until !== undefined && until <= end);
  });
}

/** At a project, what a group may do at cluster scope does not hold. */
const lackingOf = (have: Group.Rules, rules: Group.Rules, scope: Scope): string | undefined =>
  Group.lacking(have.rules, rules.rules) ??
  (scope.startsWith("prj_") ? undefined : Group.lacking(have.clusterRules, rules.clusterRules));

/** Holds while the groups, and the grants and teams by which these rights are held, are as they were read. */
function standing({ table }: Context, { groups, grants, teams }: Rows, group: Group.Ref, used: Right[]): Change[] {
  const same = <T extends { id: string; generation: number }>(kind: Kind<T>, all: T[], ids: Set<string>): Change[] =>
    all.filter(({ id }) => ids.has(id)).map(({ id, generation }) => table.check(kind, id, { generation }));
  return [
    ...same(Group.groupKind, groups, new Set([group, ...used.map((right) => right.group)])),
    ...same(grantKind, grants, new Set(used.map((right) => right.grant))),
    ...same(Team.teamKind, teams, new Set(used.flatMap(({ team }) => team ?? []))),
  ];
}

const refused = (group: Group.Ref, why: string, field = "group"): Fault =>
  new Fault("forbidden", `You can't give or take the group ${group} here. ${why}`, {
    errors: [{ field, message: why }],
  });
