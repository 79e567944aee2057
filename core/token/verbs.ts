import { allow, grants, type Permission } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import type { Context } from "../context.ts";
import { Fault, missing } from "../error.ts";
import type { ID } from "../id.ts";
import { limitMax, type Page, type PageInput } from "../page.ts";
import { issue, rowID } from "./home.ts";
import { type Created, type CreateInput, type Token, tokenKind, View } from "./schema.ts";

const dayMs = 86_400_000;

/**
 * A token of the caller's own; its text is in this answer and nowhere else.
 * @throws Fault `forbidden` on scopes beyond the caller's role or the token it calls with.
 */
export async function create(ctx: Context, input: CreateInput): Promise<Created> {
  allow(ctx, "token:write");
  const { member } = ctx.actor;
  if (member === "system") throw new Error("the system has no tokens");
  const { expiresInDays: days } = input;
  const { text, token, change } = issue(ctx, {
    tenant: ctx.tenant,
    member,
    name: input.name,
    scopes: narrowed(ctx, input.scopes),
    expiresAt: days === undefined ? null : new Date(Date.parse(ctx.now()) + days * dayMs).toISOString(),
  });
  await ctx.table.write(change, Audit.entry(ctx, { verb: "token:create", target: token.id }));
  return { ...View.parse(token), token: text };
}

/** The caller's own tokens; an owner's list has every member's. Revoked and expired ones stay in it. */
export async function list(ctx: Context, page: PageInput): Promise<Page<View>> {
  allow(ctx, "token:read");
  const prefix = leads(ctx) ? {} : { prefix: rowID(ctx.actor.member, "") };
  const { items, next } = await ctx.table.list(tokenKind, { ...page, ...prefix });
  return { items: items.map((item) => View.parse(item)), next };
}

/**
 * Ends a token: everywhere within 10 s, at once where credentials are issued. A second time is harmless.
 * @throws Fault `missing` also for another member's token, the owner's view apart.
 */
export async function revoke(ctx: Context, id: ID<"token">): Promise<View> {
  allow(ctx, "token:write");
  const token = (await ctx.table.get(tokenKind, rowID(ctx.actor.member, id))) ?? (await anyones(ctx, id));
  if (token === undefined) throw missing("token");
  if (token.revokedAt !== null) return View.parse(token);
  const revokedAt = ctx.now();
  await ctx.table.write(
    ctx.table.update(tokenKind, rowID(token.member, id), { set: { revokedAt } }),
    Audit.entry(ctx, { verb: "token:revoke", target: id }),
  );
  return View.parse({ ...token, revokedAt });
}

const leads = (ctx: Context): boolean => ctx.actor.role === "owner" || ctx.actor.role === "staff";

/** Rows are kept by member, so an owner who names another's token pays with a walk. It is rare, and bounded by them. */
async function anyones(ctx: Context, id: ID<"token">): Promise<Token | undefined> {
  if (!leads(ctx)) return undefined;
  let after: string | undefined;
  do {
    const page = await ctx.table.list(tokenKind, { limit: limitMax, after });
    const found = page.items.find((token) => token.id === id);
    if (found !== undefined) return found;
    after = page.next ?? undefined;
  } while (after !== undefined);
  return undefined;
}

function narrowed(ctx: Context, asked: Permission[] | undefined): string[] | null {
  const own = ctx.actor.scopes;
  if (asked === undefined) return own && [...own];
  const beyond = asked.filter((each) => !grants(ctx.actor.role).has(each) || (own !== null && !own.includes(each)));
  if (beyond.length === 0) return [...new Set(asked)];
  throw new Fault("forbidden", `You can't give away what you don't have: ${beyond.join(", ")}.`, {
    errors: beyond.map((each) => ({ field: "scopes", message: `${each} is beyond your own` })),
  });
}
