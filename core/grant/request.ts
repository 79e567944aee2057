import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import type { Context } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import * as Member from "../member/index.ts";
import { collect } from "../page.ts";
import { mayGive } from "./held.ts";
import { type Grant, grantKind, type RequestInput, type View } from "./schema.ts";
import * as store from "./store.ts";
import { stays, whereOf } from "./target.ts";
import { insert, later } from "./verbs.ts";

/** How long a request waits for its answer. */
const waitDays = 14;
/** How many requests of one member may wait at a time, so that nobody fills the tenant's quota with asking. */
const waitingMax = 20;

/**
 * Asks for a group for oneself. It gives nothing until one who may give it says yes.
 * @throws Fault as `create` does, but for what the caller may give; `limit` when too many of its requests wait.
 */
export async function request(ctx: Context, { group, scope, expiresInDays, reason }: RequestInput): Promise<View> {
  allow(ctx, "grant:request", whereOf(scope));
  const { member } = ctx.actor;
  if (member === "system") throw new Fault("forbidden", "Only a member can ask for itself.");
  return await insert(ctx, { subject: member, group, scope }, async () => {
    const all = await collect((page) => ctx.table.list(grantKind, page));
    const waiting = all.filter(({ state, createdBy }) => state === "requested" && createdBy === member).length;
    if (waiting >= waitingMax) throw new Fault("limit", `${waiting} of your requests wait for an answer already.`);
    const lookAt = later(ctx.now(), waitDays);
    const life = expiresInDays === undefined ? {} : { forDays: expiresInDays };
    return { own: { state: "requested", reason, lookAt, ...life }, guards: [] };
  });
}

/**
 * Gives what was asked for; its time begins now.
 * @throws Fault `missing`; `stale`; `conflict` when it does not wait any more, or what it is about has gone or goes;
 * `forbidden` for one's own, and for what the caller may not give, naming the rule.
 */
export async function approve(ctx: Context, id: ID<"grant">, only: store.Only = {}): Promise<View> {
  allow(ctx, "grant:write", "some");
  return await answered(ctx, id, only, async (grant) => {
    if (grant.subject === ctx.actor.member) throw new Fault("forbidden", "Nobody approves what it asked for itself.");
    const there = await stays(ctx, grant);
    const { forDays, lookAt: _, ...rest } = grant;
    const { member } = ctx.actor;
    const expiresAt = forDays === undefined ? undefined : later(ctx.now(), forDays);
    const guards = await mayGive(ctx, { ...grant, until: expiresAt });
    const set = {
      state: "active" as const,
      generation: grant.generation + 1,
      ...(member !== "system" && { approvedBy: member }),
      ...(expiresAt !== undefined && { expiresAt, lookAt: expiresAt }),
    };
    const next: Grant = { ...rest, ...set };
    const remove = ["forDays", ...(expiresAt === undefined ? ["lookAt"] : [])];
    const { table } = ctx;
    const notes = await store.note(ctx, [next]);
    await Member.asCaller(ctx, (caller) =>
      table.write(
        ...caller,
        table.update(grantKind, id, { set, remove, when: { generation: grant.generation } }),
        ...guards,
        ...store.beside(guards, there),
        Audit.entry(ctx, { verb: "grant:approve", target: id }),
        ...notes,
      ),
    );
    return store.view(next);
  });
}

/** Says no: the request goes. @returns it as it was. @throws Fault as `approve` does. */
export async function deny(ctx: Context, id: ID<"grant">, only: store.Only = {}): Promise<View> {
  allow(ctx, "grant:write", "some");
  return await answered(ctx, id, only, async (grant) => {
    const guards = await mayGive(ctx, { ...grant, until: ctx.now() });
    await Member.asCaller(ctx, (caller) => store.end(ctx, grant, "grant:deny", [...caller, ...guards]));
    return store.view(grant);
  });
}

const answered = (
  ctx: Context,
  id: ID<"grant">,
  only: store.Only,
  work: (grant: Grant) => Promise<View>,
): Promise<View> =>
  store.change(ctx, id, only, async (grant) => {
    allow(ctx, "grant:write", whereOf(grant.scope));
    if (grant.state !== "requested") throw new Fault("conflict", "The request was approved already.");
    if (store.over(grant, ctx.now())) throw new Fault("conflict", "The request waited too long, and is over.");
    return await work(grant);
  });
