import { beforeEach, expect, test } from "vitest";
import { type Context, Refused } from "#core/context.ts";
import type { ID } from "#core/id.ts";
import * as Member from "#core/member/index.ts";
import * as Quota from "#core/quota/index.ts";
import { quotaKind } from "#core/quota/schema.ts";
import * as Token from "#core/token/index.ts";
import { contextOf } from "#functions/deps.ts";
import { newStage, type Stage } from "../../functions/stage.ts";

let stage: Stage;
let tenant: ID<"tenant">;
let ctx: Context;
beforeEach(async () => {
  stage = newStage();
  tenant = (await stage.tenant("red")).id;
  ctx = stage.context(tenant);
});

const limit = async (what: "members" | "teams" | "grants" | "invites", count: number): Promise<void> =>
  ctx.table.write(...(await Quota.limitsTo(ctx, { [what]: count })));
const members = (): string[] => [...stage.tables.rows().keys()].filter((key) => key.startsWith(`${tenant}/member/`));
const used = async (what: string): Promise<number | undefined> => (await ctx.table.get(quotaKind, what))?.used;
const robot = (name: string) => Member.create(ctx, { name, kind: "robot", role: "viewer" });
const settled = async (work: Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(work)).map((result): unknown => (result.status === "rejected" ? result.reason : undefined));

test("of 200 creates at once exactly as many are made as there is room for, and the rest are told why", async () => {
  await limit("members", 8);
  const faults = (await settled(Array.from({ length: 200 }, (_, i) => robot(`r${i}`)))).filter(Boolean);
  expect(members()).toHaveLength(8);
  expect(await used("members")).toBe(8);
  expect(faults).toHaveLength(193);
  for (const fault of faults) {
    expect(fault).toMatchObject({ kind: "limit", message: "The limit is 8 members, and 8 are used." });
    expect(fault).toMatchObject({ retryAfterSeconds: undefined });
  }
});

test("the first need counts what is there, and many first needs at once count it once", async () => {
  expect(await used("members")).toBeUndefined();
  expect((await settled(Array.from({ length: 10 }, (_, i) => robot(`r${i}`)))).filter(Boolean)).toEqual([]);
  expect(await used("members")).toBe(11);
  expect(members()).toHaveLength(11);
});

test("takes and gives at once come out even, also when the counter is made in the middle of them", async () => {
  const made = await Promise.all(Array.from({ length: 6 }, (_, i) => robot(`r${i}`)));
  await ctx.table.write(ctx.table.remove(quotaKind, "members"));
  const removals = made.map(({ id }) => Member.remove(ctx, id, {}, async () => undefined));
  const creates = Array.from({ length: 6 }, (_, i) => robot(`s${i}`));
  expect((await settled([...removals, ...creates])).filter(Boolean)).toEqual([]);
  expect(members()).toHaveLength(7);
  expect(await used("members")).toBe(7);
});

test("a limit that is lowered between the read and the write is the one that holds", async () => {
  await limit("members", 5);
  const take = await Quota.take(ctx, "members");
  await limit("members", 1);
  await expect(ctx.table.write(take)).rejects.toBeInstanceOf(Refused);
  expect(await used("members")).toBe(1);
});

test("a limit below what is used takes nothing away and refuses new work until there is room", async () => {
  const [a, b] = [await robot("a"), await robot("b")];
  await limit("members", 1);
  await expect(robot("c")).rejects.toMatchObject({ kind: "limit" });
  expect(members()).toHaveLength(3);
  for (const { id } of [a, b]) await Member.remove(ctx, id, {}, async () => undefined);
  await expect(robot("c")).rejects.toMatchObject({ kind: "limit" });
  await limit("members", 2);
  await robot("c");
  expect(await used("members")).toBe(2);
});

test("one tenant at its limit takes nothing of another's", async () => {
  await limit("members", 1);
  const other = stage.context((await stage.tenant("blue")).id);
  await Member.create(other, { name: "x", kind: "robot", role: "viewer" });
  await expect(robot("x")).rejects.toMatchObject({ kind: "limit" });
});

test("a counter that is wrong is told and left as it is", async () => {
  await robot("a");
  const even = await Quota.ledger(ctx);
  expect(even.find(({ what }) => what === "members")).toEqual({ what: "members", used: 2, limit: 100, counted: 2 });
  await ctx.table.edit(quotaKind, "members", { add: { used: 3 } });
  const odd = await Quota.ledger(ctx);
  expect(odd.find(({ what }) => what === "members")).toMatchObject({ used: 5, counted: 2 });
  expect(await used("members")).toBe(5);
  expect(odd.find(({ what }) => what === "requestsPerSecond")).toMatchObject({ used: null, limit: 50, counted: null });
});

test("a counter that is first needed by an end, or where tokens have ended, counts what has a place then", async () => {
  const { id } = await robot("a");
  await robot("b");
  await ctx.table.write(ctx.table.remove(quotaKind, "members"));
  await Member.remove(ctx, id, {}, async () => undefined);
  expect(await used("members")).toBe(2);
  const { text } = await stage.member(tenant, "owner");
  const eve = contextOf(stage.deps, await Token.authenticate(stage.deps, text), "test");
  await Token.revoke(eve, (await Token.create(eve, { name: "x" })).id);
  await ctx.table.write(ctx.table.remove(quotaKind, "tokens"));
  await Token.create(eve, { name: "y" });
  expect(await used("tokens")).toBe(3);
});

const counted = ["clusters", "projects", "members", "teams", "groups", "grants", "tokens", "invites"] as const;
test("of 200 takes at once of anything that is counted, as many get a place as there are, and gives make room again", async () => {
  for (const what of counted) {
    await ctx.table.write(...(await Quota.limitsTo(ctx, { [what]: 150 })));
    const before = (await used(what)) ?? 0;
    const faults = (await settled(Array.from({ length: 200 }, () => Quota.taking(ctx, what, [])))).filter(Boolean);
    expect(await used(what), what).toBe(150);
    expect(faults, what).toHaveLength(200 - (150 - before));
    expect(faults[0]).toMatchObject({ kind: "limit", message: `The limit is 150 ${what}, and 150 are used.` });
    await Promise.all(Array.from({ length: 50 }, () => Quota.giving(ctx, what, [], 2)));
    expect(await used(what), what).toBe(50);
  }
});

test("what needs several places of several kinds gets all of them or none, and is told how many are lacking", async () => {
  await limit("grants", 5);
  await limit("invites", 3);
  await ctx.table.edit(quotaKind, "invites", { set: { used: 3 } });
  await Quota.moving(ctx, { members: 1, grants: 3, teams: 0, invites: -1 }, []);
  expect([await used("members"), await used("grants"), await used("teams"), await used("invites")]).toEqual([
    2,
    3,
    undefined,
    2,
  ]);
  await expect(Quota.moving(ctx, { members: 1, grants: 3 }, [])).rejects.toMatchObject({
    kind: "limit",
    message: "The limit is 5 grants, and 3 are used, and 3 more are needed.",
  });
  expect([await used("members"), await used("grants")]).toEqual([2, 3]);
  const both = Array.from({ length: 2 }, () => Quota.moving(ctx, { members: 1, grants: 2 }, []));
  expect((await settled(both)).filter(Boolean)).toHaveLength(1);
  expect([await used("members"), await used("grants")]).toEqual([3, 5]);
});

test("a change that a counter stands beside is told by its own place when it does not hold", async () => {
  const refused = Quota.moving(ctx, { members: 1, teams: 1 }, [ctx.table.check(quotaKind, "nothing", { what: "x" })]);
  await expect(refused).rejects.toMatchObject({ index: 0 });
  expect(await used("members")).toBeUndefined();
});

test("sessions hold no place among tokens, and what has ended none among invites", async () => {
  const { member } = await stage.member(tenant, "owner");
  const of = { tenant, member, name: "x", scopes: null, expiresAt: null };
  const key = Token.issue(stage.deps, of);
  const session = Token.issue(stage.deps, { ...of, kind: "session" });
  await ctx.table.write(...key.changes, ...session.changes);
  const invite = { name: "invite", schema: undefined as never };
  await ctx.table.write(ctx.table.insert(invite, "a", {}), ctx.table.insert(invite, "b", { ttl: 9_999_999_999 }));
  const ledger = await Quota.ledger(ctx);
  const told = (what: string) => ledger.find((each) => each.what === what);
  // Two more came with the tenant's owner and this member.
  expect(told("tokens")).toMatchObject({ used: 3, counted: 3 });
  expect(told("invites")).toEqual({ what: "invites", used: 1, limit: 100, counted: 1 });
  expect(ledger.map(({ what, limit: most }) => `${what} ${most}`)).toEqual([
    "clusters 20",
    "projects 50",
    "members 100",
    "teams 100",
    "groups 50",
    "grants 1000",
    "tokens 200",
    "invites 100",
    "requestsPerSecond 50",
  ]);
});
