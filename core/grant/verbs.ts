import { allow, within } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import type { Change, Context } from "../context.ts";
import { Fault } from "../error.ts";
import { type ID, newID } from "../id.ts";
import * as Member from "../member/index.ts";
import { collect, type Page, type PageInput, sift } from "../page.ts";
import * as Quota from "../quota/index.ts";
import * as Team from "../team/index.ts";
import { expire } from "./expiry.ts";
import { mayGive } from "./held.ts";
import { type CreateInput, type Filter, givenKind, type Grant, grantKind, type View } from "./schema.ts";
import * as store from "./store.ts";
import { stays, whereOf } from "./target.ts";

const dayMs = 86_400_000;

/**
 * Gives a group to a member or a team.
 * @throws Fault `forbidden` for more than the caller may give there, naming the rule; `missing` for a subject, group or
 * scope that is not there; `conflict` when the same is given or asked for already, when the subject is suspended or the
 * scope is being removed; `limit` when the tenant may have no more.
 */
export async function create(ctx: Context, input: CreateInput): Promise<View> {
  allow(ctx, "grant:write", whereOf(input.scope));
  const { subject, group, scope, expiresInDays: days, reason } = input;
  return await insert(ctx, { subject, group, scope }, async () => {
    const expiresAt = days === undefined ? undefined : later(ctx.now(), days);
    const guards = await mayGive(ctx, { group, scope, until: expiresAt });
    const own = {
      state: "active" as const,
      ...(reason !== undefined && { reason }),
      ...(expiresAt !== undefined && { expiresAt, lookAt: expiresAt }),
    };
    return { own, guards };
  });
}

/**
 * Writes a grant or a request that is not there yet.
 * @param more what else its row holds, and what must hold for it, worked out anew for each try.
 */
export async function insert(
  ctx: Context,
  what: Pick<Grant, "subject" | "group" | "scope">,
  more: () => Promise<{ own: Pick<Grant, "state"> & Partial<Grant>; guards: Change[] }>,
): Promise<View> {
  const { table } = ctx;
  return await store.again(async () => {
    const there = await stays(ctx, what);
    const { own, guards } = await more();
    await unused(ctx, what);
    const grant: Grant = {
      id: newID(ctx, "grant"),
      tenant: ctx.tenant,
      ...what,
      createdAt: ctx.now(),
      createdBy: ctx.actor.member,
      generation: 1,
      ...own,
    };
    const verb = grant.state === "active" ? "grant:create" : "grant:request";
    const entry = Audit.entry(ctx, { verb, target: grant.id });
    const notes = await store.note(ctx, [grant]);
    await Member.asCaller(ctx, (caller) =>
      Quota.taking(ctx, "grants", [
        ...caller,
        table.insert(givenKind, store.givenID(what), { id: grant.id }),
        table.insert(grantKind, grant.id, grant),
        ...guards,
        ...store.beside(guards, there),
        entry,
        ...notes,
      ]),
    );
    return store.view(grant);
  });
}

/** @throws Fault `conflict` when the same is given or asked for; what is over has its place no more. */
async function unused(ctx: Context, what: Pick<Grant, "subject" | "group" | "scope">): Promise<void> {
  const given = await ctx.table.get(givenKind, store.givenID(what));
  const first = given && (await ctx.table.get(grantKind, given.id));
  if (first === undefined) return;
  if (store.over(first, ctx.now())) {
    await expire(ctx, first.id);
    return;
  }
  const said = first.state === "active" ? "gives" : "asks for";
  throw new Fault("conflict", `${first.id} ${said} the same already: remove it first to have it otherwise.`, {
    errors: [{ field: "group", message: `is what ${first.id} ${said} there` }],
  });
}

/**
 * The grants and requests that meet all of the filter, oldest first. Those of a member are those of its teams too. A
 * bound token sees those of its clusters and projects.
 */
export async function list(ctx: Context, page: PageInput & Filter): Promise<Page<View>> {
  allow(ctx, "grant:read", "some");
  const { limit, after, subject, group, scope, state } = page;
  const subjects = subject === undefined ? undefined : new Set<string>(await withTeams(ctx, subject));
  const keep = (grant: Grant): boolean =>
    (subjects === undefined || subjects.has(grant.subject)) &&
    (group === undefined || grant.group === group) &&
    (scope === undefined || grant.scope === scope) &&
    (state === undefined || grant.state === state) &&
    within(ctx, whereOf(grant.scope) ?? {});
  const { items, next } = await sift((part) => ctx.table.list(grantKind, part), keep, { limit, after });
  return { items: items.map(store.view), next };
}

async function withTeams({ table }: Context, subject: Grant["subject"]): Promise<Grant["subject"][]> {
  if (!subject.startsWith("mbr_")) return [subject];
  const teams = await collect((page) => table.list(Team.teamKind, page));
  const member = subject as ID<"member">;
  return [subject, ...teams.filter(({ members }) => members.includes(member)).map(({ id }) => id)];
}

/** @throws Fault `missing`; `forbidden` to a token that is bound elsewhere. */
export async function get(ctx: Context, id: ID<"grant">): Promise<View> {
  allow(ctx, "grant:read", "some");
  const grant = await store.get(ctx, id);
  allow(ctx, "grant:read", whereOf(grant.scope));
  return store.view(grant);
}

/**
 * Takes a right away, or withdraws a request. The clusters are told of it in the same breath.
 * @param only.generation when given, the one generation that may be removed.
 * @returns the grant as it was.
 * @throws Fault `missing`; `stale`; `forbidden` for what the caller could not give, its own request apart.
 */
export async function remove(ctx: Context, id: ID<"grant">, only: store.Only = {}): Promise<View> {
  allow(ctx, "grant:write", "some");
  return await store.change(ctx, id, only, async (grant) => {
    allow(ctx, "grant:write", whereOf(grant.scope));
    const withdrawn = grant.state === "requested" && grant.createdBy === ctx.actor.member;
    const guards = withdrawn ? [] : await mayGive(ctx, { ...grant, until: ctx.now() });
    await Member.asCaller(ctx, (caller) => store.end(ctx, grant, "grant:remove", [...caller, ...guards]));
    return store.view(grant);
  });
}

export const later = (from: string, days: number): string => new Date(Date.parse(from) + days * dayMs).toISOString();
