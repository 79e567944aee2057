import { beforeEach, expect, test } from "vitest";
import * as Audit from "#core/audit/index.ts";
import type { Role } from "#core/role.ts";
import type { Context } from "#core/context.ts";
import type { ID } from "#core/id.ts";
import * as Member from "#core/member/index.ts";
import * as Quota from "#core/quota/index.ts";
import { quotaKind } from "#core/quota/schema.ts";
import * as Token from "#core/token/index.ts";
import { holderKind, rowID, tokenKind } from "#core/token/schema.ts";
import { homeTenant, newStage, type Stage } from "../../functions/stage.ts";

const day = 86_400;
let stage: Stage;
let tenant: ID<"tenant">;
let ada: Context;
beforeEach(async () => {
  stage = newStage();
  ({ tenant, ada } = await stage.red());
});
const enter = (text: string): Promise<Context> => stage.enter(text);
const as = async (role: Role, scopes: string[] | null = null, of = tenant): Promise<Context> =>
  await enter((await stage.member(of, role, scopes)).text);
const robot = async (role: Role = "viewer", by = ada) =>
  await Member.create(by, { name: "robot", kind: "robot", role });
const works = async (text: string): Promise<boolean> =>
  await enter(text).then(
    () => true,
    () => false,
  );
/** What the counter says, which must be how many rows have a place. */
const used = async (): Promise<number> => {
  const places = [...stage.tables.rows()].filter(
    ([key, row]) => key.startsWith(`${tenant}/token/`) && row["ttl"] === undefined,
  );
  const said = (await ada.table.get(quotaKind, "tokens"))?.used;
  expect(said).toBe(places.length);
  return places.length;
};

test("an owner makes tokens for robots, and for no other person, none above itself and none that is not there", async () => {
  const bot = await robot("editor");
  const made = await Token.create(ada, { name: "ci", member: bot.id, scopes: ["cluster:read"] });
  expect((await enter(made.token)).actor).toMatchObject({ member: bot.id, role: "editor", scopes: ["cluster:read"] });
  const person = self(await as("viewer"));
  await expect(Token.create(ada, { name: "x", member: person })).rejects.toMatchObject({ kind: "forbidden" });
  await expect(Token.create(await as("editor"), { name: "x", member: bot.id })).rejects.toMatchObject({
    kind: "forbidden",
  });
  await expect(Token.create(ada, { name: "x", member: bot.id, scopes: ["audit:read"] })).rejects.toMatchObject({
    kind: "forbidden",
  });
  await Member.update(ada, bot.id, { state: "suspended" });
  await expect(Token.create(ada, { name: "x", member: bot.id })).rejects.toMatchObject({ kind: "conflict" });
  await Member.remove(ada, bot.id, {}, Token.endAll);
  await expect(Token.create(ada, { name: "x", member: bot.id })).rejects.toMatchObject({ kind: "missing" });
});

test("an owner of the platform's tenant gets no token of a staff robot, new or rotated", async () => {
  await stage.staff();
  const [staff, owner] = [await as("staff", null, homeTenant), await as("owner", null, homeTenant)];
  const bot = await robot("staff", staff);
  const { id } = await Token.create(staff, { name: "x", member: bot.id });
  await expect(Token.create(owner, { name: "x", member: bot.id })).rejects.toMatchObject({ kind: "forbidden" });
  await expect(Token.rotate(owner, id, { overlapSeconds: 0 })).rejects.toMatchObject({ kind: "forbidden" });
});

test("rotated, both secrets work for the overlap and then the new one alone, which lives as long as the first did", async () => {
  const first = await Token.create(ada, { name: "ci", scopes: ["cluster:read"], expiresInDays: 30 });
  await stage.clock.pass(10 * day * 1000);
  const next = await Token.rotate(ada, first.id, { overlapSeconds: 3600 });
  expect(next.id).not.toBe(first.id);
  expect(next).toMatchObject({ name: "ci", scopes: ["cluster:read"] });
  const now = Date.parse(stage.clock.now());
  expect(next.expiresAt).toBe(new Date(now + 30 * day * 1000).toISOString());
  expect(await Token.get(ada, first.id)).toMatchObject({
    replacedBy: next.id,
    state: "active",
    expiresAt: new Date(now + 3_600_000).toISOString(),
  });
  expect(await used()).toBe(3);
  expect([await works(first.token), await works(next.token)]).toEqual([true, true]);
  await stage.clock.pass(3_600_000);
  expect([await works(first.token), await works(next.token)]).toEqual([false, true]);
  await stage.sweep();
  expect(await used()).toBe(2);
  expect(await Token.get(ada, first.id)).toMatchObject({ state: "expired" });
});

test("rotated without overlap the old secret ends at once, and the place goes over even at the limit", async () => {
  const first = await Token.create(ada, { name: "ci" });
  await ada.table.write(...(await Quota.limitsTo(ada, { tokens: 2 })));
  await expect(Token.rotate(ada, first.id, { overlapSeconds: 60 })).rejects.toMatchObject({ kind: "limit" });
  expect(await works(first.token)).toBe(true);
  const next = await Token.rotate(ada, first.id, { overlapSeconds: 0 });
  expect([await works(first.token), await works(next.token)]).toEqual([false, true]);
  expect(await used()).toBe(2);
});

test("a rotation never outlives what expires sooner, and an ended or rotated token is not rotated again", async () => {
  const first = await Token.create(ada, { name: "ci", expiresInDays: 1 });
  await stage.clock.pass(day * 1000 - 60_000);
  const before = first.expiresAt;
  await Token.rotate(ada, first.id, { overlapSeconds: 86_400 });
  expect((await Token.get(ada, first.id)).expiresAt).toBe(before);
  await expect(Token.rotate(ada, first.id, { overlapSeconds: 0 })).rejects.toMatchObject({ kind: "conflict" });
  const other = await Token.create(ada, { name: "x" });
  await Token.revoke(ada, other.id);
  await expect(Token.rotate(ada, other.id, { overlapSeconds: 0 })).rejects.toMatchObject({ kind: "conflict" });
});

test("of rotations and revokes of one token at once one rotation at most wins, and every place is counted", async () => {
  for (const overlaps of [
    [0, 0, 0],
    [60, 60, 60],
    [60, 0, 60],
    [0, 60, 0],
  ]) {
    const { id } = await Token.create(ada, { name: "ci" });
    const before = await used();
    const acts = overlaps.map((overlapSeconds) => Token.rotate(ada, id, { overlapSeconds }));
    const results = await Promise.allSettled([...acts, Token.revoke(ada, id), Token.revoke(ada, id)]);
    const rotated = results.slice(0, 3).filter(({ status }) => status === "fulfilled").length;
    expect(rotated).toBeLessThanOrEqual(1);
    expect((await Token.get(ada, id)).state).toBe("revoked");
    expect(await used()).toBe(before - 1 + rotated);
  }
});

test("a rotation that comes between the read and the write of another is the only one", async () => {
  const { id } = await Token.create(ada, { name: "ci" });
  stage.tables.before = async ({ act }) => {
    if (act !== "write") return;
    stage.tables.before = undefined;
    await Token.rotate(ada, id, { overlapSeconds: 60 });
  };
  await expect(Token.rotate(ada, id, { overlapSeconds: 0 })).rejects.toMatchObject({ kind: "conflict" });
  expect(await used()).toBe(3);
});

test("nobody rotates into more than its own token may do, nor another person's", async () => {
  const wide = await Token.create(ada, { name: "wide" });
  const narrow = await Token.create(ada, { name: "narrow", scopes: ["token:write", "token:read"] });
  const poor = await enter(narrow.token);
  await expect(Token.rotate(poor, wide.id, { overlapSeconds: 0 })).rejects.toMatchObject({ kind: "forbidden" });
  expect((await Token.rotate(poor, narrow.id, { overlapSeconds: 0 })).scopes).toEqual(["token:write", "token:read"]);
  const eve = await as("editor");
  const hers = await Token.create(eve, { name: "x" });
  await expect(Token.rotate(ada, hers.id, { overlapSeconds: 0 })).rejects.toMatchObject({ kind: "forbidden" });
  await expect(Token.rotate(await as("editor"), hers.id, { overlapSeconds: 0 })).rejects.toMatchObject({
    kind: "missing",
  });
  expect(await works(hers.token)).toBe(true);
});

test("1,000 rotations give 1,000 secrets, and each ends the one before at once", async () => {
  let last = await Token.create(ada, { name: "ci" });
  const seen = new Set([last.token]);
  for (let i = 0; i < 1_000; i += 1) {
    const next = await Token.rotate(ada, last.id, { overlapSeconds: 0 });
    seen.add(next.token);
    if (i % 100 === 0) expect(await works(last.token)).toBe(false);
    last = next;
  }
  expect(seen.size).toBe(1_001);
  expect(await used()).toBe(2);
});

test("an expired token gives its place back within a sweep, once, and is gone 90 days later", async () => {
  const made = await Token.create(ada, { name: "x", expiresInDays: 1 });
  expect(await used()).toBe(2);
  await stage.clock.pass(day * 1000);
  await stage.sweep();
  expect(await used()).toBe(1);
  const entries = async () => (await Audit.list(ada, {})).items.filter(({ target }) => target === made.id);
  expect((await entries()).map(({ verb }) => verb)).toEqual(["token:expired", "token:create"]);
  await stage.sweep(3);
  expect(await used()).toBe(1);
  expect(await entries()).toHaveLength(2);
  expect((await Token.revoke(ada, made.id)).state).toBe("expired");
  await stage.clock.pass(89 * day * 1000);
  expect((await Token.list(ada, { state: "expired" })).items.map(({ id }) => id)).toEqual([made.id]);
  await stage.clock.pass(day * 1000);
  await expect(Token.get(ada, made.id)).rejects.toMatchObject({ kind: "missing" });
  expect(await ada.table.get(holderKind, made.id)).toBeUndefined();
});

test("a list is of one member, of one state, or both", async () => {
  const bot = await robot();
  const [a, b, c] = [
    await Token.create(ada, { name: "a", member: bot.id }),
    await Token.create(ada, { name: "b", member: bot.id, expiresInDays: 1 }),
    await Token.create(ada, { name: "c" }),
  ];
  await Token.revoke(ada, c.id);
  await stage.clock.pass(day * 1000);
  const names = async (filter: Parameters<typeof Token.list>[1], ctx = ada) =>
    (await Token.list(ctx, filter)).items.map(({ name }) => name).sort();
  expect(await names({ member: bot.id })).toEqual([a.name, b.name]);
  expect(await names({ state: "revoked" })).toEqual(["c"]);
  expect(await names({ member: bot.id, state: "expired" })).toEqual(["b"]);
  expect(await names({ state: "active" })).toEqual(["a", "test"]);
  expect(await names({ member: bot.id }, await as("viewer"))).toEqual([]);
});

test("with its member all of a member's tokens end, more than one write holds", async () => {
  const bot = await robot();
  const made = [];
  for (let i = 0; i < 70; i += 1) made.push(await Token.create(ada, { name: `t${i}`, member: bot.id }));
  await Token.revoke(ada, made[3]?.id as ID<"token">);
  expect(await used()).toBe(70);
  await Member.remove(ada, bot.id, {}, Token.endAll);
  expect(await used()).toBe(1);
  expect((await Token.list(ada, { member: bot.id, state: "revoked", limit: 100 })).items).toHaveLength(70);
});

test("a token from before there were holders is revoked and rotated by its own member", async () => {
  const eve = await as("editor");
  for (const act of [
    (id: ID<"token">) => Token.revoke(eve, id),
    (id: ID<"token">) => Token.rotate(eve, id, { overlapSeconds: 0 }),
    (id: ID<"token">) => Token.rotate(eve, id, { overlapSeconds: 60 }),
  ]) {
    const { id } = await Token.create(eve, { name: "old" });
    await ada.table.write(ada.table.remove(holderKind, id));
    await act(id);
    expect(await ada.table.get(holderKind, id)).toMatchObject({ id, member: self(eve) });
    expect(await ada.table.get(tokenKind, rowID(self(eve), id))).toBeDefined();
    await used();
  }
});

const self = (ctx: Context): ID<"member"> => ctx.actor.member as ID<"member">;
