import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import { type Context, Refused } from "../context.ts";
import { Fault } from "../error.ts";
import { type ID, newID } from "../id.ts";
import * as Member from "../member/index.ts";
import { type Page, type PageInput, sift } from "../page.ts";
import * as Quota from "../quota/index.ts";
import { hash } from "../secret.ts";
import * as Team from "../team/index.ts";
import { linkOf } from "./home.ts";
import {
  type Created,
  type CreateInput,
  type Filter,
  type Gift,
  type Invite,
  inviteKind,
  type View,
  viewOf,
} from "./schema.ts";
import * as store from "./store.ts";
import { compose } from "./text.ts";

const dayMs = 86_400_000;

/**
 * An invite of one person, who gets the role, the teams and the grants in the moment of accepting. Its link is in this
 * answer and nowhere else.
 * @param givable whether the caller may give this away. @throws Fault whatever is wrong with it, its field under `field`.
 * @throws Fault `forbidden` for a role above the caller's, or beyond its token's scopes; `missing` for a team that is
 * not there, naming the field; `limit` when the tenant may have no more open ones.
 */
export async function create(
  ctx: Context,
  input: CreateInput,
  givable: (ctx: Context, gift: Gift, field: string) => Promise<void>,
): Promise<Created> {
  allow(ctx, "invite:write");
  const { member: createdBy } = ctx.actor;
  if (createdBy === "system") throw new Error("the system invites nobody");
  Member.mayGive(ctx, input.role);
  Member.covered(ctx, input.role);
  // Who brings somebody into a team changes the team.
  if (input.teams.length > 0) allow(ctx, "team:write");
  const teams = await teamsThere(ctx, input.teams);
  for (const [at, gift] of input.grants.entries()) await givable(ctx, gift, `grants.${at}`);
  const id = newID(ctx, "invite");
  const text = compose(ctx, { tenant: ctx.tenant, invite: id });
  const { expiresInDays, name, ...given } = input;
  const createdAt = ctx.now();
  const expiresAt = new Date(Date.parse(createdAt) + expiresInDays * dayMs).toISOString();
  const called = name === undefined ? {} : { name };
  const own = { id, tenant: ctx.tenant, hash: hash(text), createdBy, createdAt, expiresAt, lookAt: expiresAt };
  const invite: Invite = { ...own, ...called, ...given };
  try {
    await Member.asCaller(ctx, (caller) =>
      Quota.taking(ctx, "invites", [
        ...caller,
        ctx.table.insert(inviteKind, id, invite),
        Audit.entry(ctx, { verb: "invite:create", target: id }),
        ...teams,
      ]),
    );
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause;
    throw new Fault("conflict", "A team was removed meanwhile.", { cause });
  }
  return { ...viewOf(invite, createdAt), link: linkOf(ctx, text) };
}

/** The invites of the tenant, oldest first, without their links. Those that ended stay in it for 90 days. */
export async function list(ctx: Context, { limit, after, state }: PageInput & Filter): Promise<Page<View>> {
  allow(ctx, "invite:read");
  const now = ctx.now();
  const read = async (part: PageInput): Promise<Page<View>> => {
    const { items, next } = await ctx.table.list(inviteKind, part);
    return { items: items.map((item) => viewOf(item, now)), next };
  };
  if (state === undefined) return await read({ limit, after });
  return await sift(read, (invite) => invite.state === state, { limit, after });
}

/** @throws Fault `missing`. */
export async function get(ctx: Context, id: ID<"invite">): Promise<View> {
  allow(ctx, "invite:read");
  return viewOf(await store.get(ctx, id), ctx.now());
}

/** Ends an invite that nobody has accepted; at any other it changes nothing. @throws Fault `missing`. */
export async function revoke(ctx: Context, id: ID<"invite">): Promise<View> {
  allow(ctx, "invite:write");
  return await store.change(ctx, id, async (invite) => {
    if (invite.ttl !== undefined) return viewOf(invite, ctx.now());
    const revokedAt = ctx.now();
    const entry = Audit.entry(ctx, { verb: "invite:revoke", target: id });
    await Quota.giving(ctx, "invites", [store.ending(ctx, id, { revokedAt }), entry]);
    return viewOf({ ...invite, revokedAt }, revokedAt);
  });
}

/** What holds as long as these teams are there. @throws Fault `missing`, naming every one that is not. */
async function teamsThere(ctx: Context, ids: ID<"team">[]) {
  const found = await ctx.table.getAll(ids.map((id) => [Team.teamKind, id] as const));
  const errors = ids.flatMap((_, at) =>
    found[at] === undefined ? [{ field: `teams.${at}`, message: "is no team of this tenant" }] : [],
  );
  if (errors.length > 0) throw new Fault("missing", "There is no such team.", { errors });
  return ids.map((id) => ctx.table.check(Team.teamKind, id, { id: { present: true } }));
}
