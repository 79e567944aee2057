import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import { type Change, type Context, type Home, Refused } from "../context.ts";
import { Fault, missing } from "../error.ts";
import { type ID, newID } from "../id.ts";
import * as Member from "../member/index.ts";
import { type Page, type PageInput, pages } from "../page.ts";
import * as Quota from "../quota/index.ts";
import * as Token from "../token/index.ts";
import {
  type Created,
  type CreateInput,
  nameKind,
  type Tenant,
  tenantKind,
  type UpdateInput,
  type View,
  type Whole,
} from "./schema.ts";

/**
 * A tenant with its first owner, in one transaction.
 * @throws Fault `conflict` when the name is taken; `missing` to all but staff.
 */
export async function create(ctx: Context, input: CreateInput): Promise<Created> {
  allow(ctx, "home:write");
  const id = newID(ctx, "tenant");
  const made = birth(ctx, { id, name: input.name, title: input.title ?? input.name, role: "owner", first: "owner" });
  const changes = input.withToken
    ? made.changes
    : made.changes.filter(({ kind }) => kind !== "token" && kind !== "tokenOwner");
  try {
    await ctx.table.write(...changes, Audit.entry(ctx, { verb: "tenant:create", target: id }));
  } catch (cause) {
    if (!(cause instanceof Refused) || cause.index !== 0) throw cause;
    throw new Fault("conflict", `There is a tenant named ${input.name} already.`, { cause });
  }
  return input.withToken ? { ...made.tenant, token: made.text } : made.tenant;
}

/** Every tenant, by name. @throws Fault `missing` to all but staff. */
export async function list(ctx: Context, page: PageInput): Promise<Page<View>> {
  allow(ctx, "home:read");
  return ctx.home.table(ctx.home.tenant).list(nameKind, page);
}

/** One tenant, with what it may have, what it has, and a recount. @throws Fault `missing`, and to all but staff. */
export async function get(ctx: Context, id: ID<"tenant">): Promise<Whole> {
  allow(ctx, "home:read");
  return await whole(ctx, id);
}

async function whole(ctx: Context, id: ID<"tenant">): Promise<Whole> {
  const table = ctx.home.table(id);
  const tenant = await table.get(tenantKind, id);
  if (tenant === undefined) throw missing("tenant");
  return { ...tenant, quotas: await Quota.ledger({ table }, tenant.limits?.requestsPerSecond) };
}

/**
 * Changes state, title or limits. The tokens of a suspended tenant stop within 10 s, and a rate counts within 10 s. A
 * limit below what is used takes nothing away. Saying it twice is harmless.
 * @throws Fault `missing` when there is none, and to all but staff; `conflict` for the home tenant's state.
 */
export async function update(ctx: Context, id: ID<"tenant">, input: UpdateInput): Promise<Whole> {
  allow(ctx, "home:write");
  if (id === ctx.home.tenant && input.state === "suspended") {
    throw new Fault("conflict", "The platform's own tenant can't be suspended.");
  }
  const { state, title, limits = {} } = input;
  const table = ctx.home.table(id);
  const tenant = await table.get(tenantKind, id);
  if (tenant === undefined) throw missing("tenant");
  const rate = limits.requestsPerSecond;
  const set = {
    ...(state !== undefined && { state }),
    ...(title !== undefined && { title }),
    ...(rate !== undefined && { limits: { requestsPerSecond: rate } }),
  };
  const told = [table.update(tenantKind, id, { set })];
  told.push(ctx.home.table(ctx.home.tenant).update(nameKind, tenant.name, { set }));
  const named = Object.keys(limits).map((what) => `limits.${what}`);
  const changes = [...Object.keys(set).filter((field) => field !== "limits"), ...named];
  for (let tries = 20; tries > 0; tries -= 1) {
    const counted = await Quota.limitsTo({ table }, limits);
    const entry = Audit.entry(ctx, { verb: "tenant:update", target: id, changes });
    try {
      await ctx.table.write(...(Object.keys(set).length > 0 ? told : []), ...counted, entry);
      return await whole(ctx, id);
    } catch (error) {
      // A counter was made meanwhile; nothing else here has a condition that can move.
      if (!(error instanceof Refused)) throw error;
    }
  }
  throw new Fault("unavailable", "The tenant's counters move all the time; try again.", { retryAfterSeconds: 1 });
}

/**
 * The home tenant with one staff robot, made where it is not there yet, and a token of that robot.
 * @param known the token that an earlier call gave: while it works, it is the answer and nothing is written.
 * @returns the token to keep; whoever loses it calls again without and gets a new one.
 */
export async function bootstrap(
  ctx: Pick<Context, "home" | "now" | "random" | "log">,
  known?: string,
): Promise<string> {
  if (known !== undefined && (await works(ctx, known))) return known;
  const id = ctx.home.tenant;
  const table = ctx.home.table(id);
  const made = birth(ctx, { id, name: "home", title: "Platform", role: "staff", first: "platform" });
  try {
    await table.write(...made.changes);
    return made.text;
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause;
  }
  // Nobody asked as a member, so it is Berth's own doing; but that the key to everything was given out is on record.
  const actor = { tenant: id, member: "system", role: "staff", scopes: null, token: null } as const;
  const own: Audit.Acting = {
    tenant: id,
    actor,
    table,
    requestID: "bootstrap",
    now: () => ctx.now(),
    random: (bytes) => ctx.random(bytes),
  };
  const member = await robot(own, ctx.home);
  const token = Token.issue(ctx, { tenant: id, member, name: "bootstrap", scopes: null, expiresAt: null });
  const entry = Audit.entry(own, { verb: "token:create", target: token.token.id });
  await Quota.beyond(own, "tokens", [...token.changes, entry]);
  return token.text;
}

/** A staff robot whose tokens work; a new one where there is none, as this is the last way in. */
async function robot(own: Audit.Acting, home: Home): Promise<ID<"member">> {
  for await (const members of pages((page) => own.table.list(Member.memberKind, page))) {
    const found = members.find(({ role, kind, state }) => role === "staff" && kind === "robot" && state === "active");
    if (found !== undefined) return found.id;
  }
  const made = Member.first({ ...own, home }, own.tenant, { name: "platform", role: "staff", kind: "robot" });
  const entry = Audit.entry(own, { verb: "member:create", target: made.member.id });
  await Quota.beyond(own, "members", [made.change, entry]);
  return made.member.id;
}

async function works(ctx: Pick<Context, "home" | "now" | "log">, text: string): Promise<boolean> {
  try {
    return (await Token.authenticate(ctx, text, { fresh: true })).tenant === ctx.home.tenant;
  } catch (fault) {
    if (fault instanceof Fault && fault.kind === "unauthenticated") return false;
    throw fault;
  }
}

/** All rows of a new tenant; the first change is the name's, which is the one that may be taken. */
function birth(
  ctx: { home: Home } & Pick<Context, "now" | "random">,
  of: Pick<Tenant, "id" | "name" | "title"> & { role: "owner" | "staff"; first: string },
): { tenant: Tenant; text: string; changes: Change[] } {
  const { role, first, ...names } = of;
  const tenant: Tenant = { ...names, createdAt: ctx.now(), state: "active" };
  const { member, change } = Member.first(ctx, of.id, { name: first, role, kind: "robot" });
  const token = Token.issue(ctx, { tenant: of.id, member: member.id, name: "first", scopes: null, expiresAt: null });
  const name = ctx.home.table(ctx.home.tenant).insert(nameKind, of.name, tenant);
  const row = ctx.home.table(of.id).insert(tenantKind, of.id, tenant);
  return { tenant, text: token.text, changes: [name, row, change, ...token.changes] };
}
