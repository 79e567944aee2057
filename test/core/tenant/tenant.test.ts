import { expect, test } from "vitest";
import * as Audit from "#core/audit/index.ts";
import type { ID } from "#core/id.ts";
import * as Member from "#core/member/index.ts";
import * as Tenant from "#core/tenant/index.ts";
import * as Token from "#core/token/index.ts";
import { contextOf } from "#functions/deps.ts";
import { homeTenant, newStage } from "../../functions/stage.ts";

async function begin() {
  const stage = newStage();
  const text = await Tenant.bootstrap(stage.deps);
  const ctx = contextOf(stage.deps, await Token.authenticate(stage.deps, text), "test");
  return { stage, text, ctx };
}

test("the home tenant is made once; a token that works is kept, and a lost one replaced", async () => {
  const { stage, text, ctx } = await begin();
  expect(ctx.actor).toMatchObject({ tenant: homeTenant, role: "staff" });
  const rows = stage.tables.rows().size;
  expect(await Tenant.bootstrap(stage.deps, text)).toBe(text);
  expect(stage.tables.rows().size).toBe(rows);
  const next = await Tenant.bootstrap(stage.deps);
  expect(next).not.toBe(text);
  // The token, its holder, the counter and the entry.
  expect(stage.tables.rows().size).toBe(rows + 4);
  expect(await Token.authenticate(stage.deps, next)).toMatchObject({ member: ctx.actor.member, role: "staff" });
});

test("a replaced token is counted and on record, and is had also when the robot is suspended or gone", async () => {
  const { stage, ctx } = await begin();
  const person = await stage.member(homeTenant, "staff");
  const other = contextOf(stage.deps, await Token.authenticate(stage.deps, person.text), "test");
  const robot = ctx.actor.member as ID<"member">;
  await Member.update(other, robot, { state: "suspended" });
  const again = async () => await Token.authenticate(stage.deps, await Tenant.bootstrap(stage.deps), { fresh: true });
  const next = await again();
  expect(next).toMatchObject({ tenant: homeTenant, role: "staff" });
  expect(next.member).not.toBe(robot);
  for (const id of [robot, next.member as ID<"member">]) await Member.remove(other, id, {}, Token.endAll);
  // Entries of one millisecond have no order among themselves.
  await stage.clock.pass(1);
  const last = await again();
  expect(last).toMatchObject({ role: "staff" });
  const { items } = await Audit.list(other, { verb: "token:create" });
  expect(items.map(({ target, actor }) => [target, actor.member])).toEqual([
    [last.token, "system"],
    [next.token, "system"],
  ]);
  for (const { what, used, counted } of (await Tenant.get(other, homeTenant)).quotas) {
    if (counted !== null) expect([what, used]).toEqual([what, counted]);
  }
});

test("a token of another stack, or of a tenant, is not taken for the platform's", async () => {
  const { stage } = await begin();
  const { owner } = await stage.tenant("red");
  for (const known of ["nonsense", owner.text]) {
    const text = await Tenant.bootstrap(stage.deps, known);
    expect(await Token.authenticate(stage.deps, text)).toMatchObject({ tenant: homeTenant });
  }
});

test("two that bootstrap at once both get a token that works", async () => {
  const stage = newStage();
  const texts = await Promise.all([Tenant.bootstrap(stage.deps), Tenant.bootstrap(stage.deps)]);
  for (const text of texts) expect(await Token.authenticate(stage.deps, text)).toMatchObject({ role: "staff" });
  expect([...stage.tables.rows().keys()].filter((key) => key.includes("/member/"))).toHaveLength(1);
});

test("a name is one tenant's on the whole platform, and a refused create leaves nothing", async () => {
  const { stage, ctx } = await begin();
  const made = await Tenant.create(ctx, { name: "acme", withToken: true });
  expect(await Token.authenticate(stage.deps, made.token ?? "")).toMatchObject({ tenant: made.id, role: "owner" });
  const rows = stage.tables.rows().size;
  await expect(Tenant.create(ctx, { name: "acme", withToken: true })).rejects.toMatchObject({ kind: "conflict" });
  expect(stage.tables.rows().size).toBe(rows);
});

test("without being asked for, no token is made", async () => {
  const { stage, ctx } = await begin();
  const made = await Tenant.create(ctx, { name: "acme", withToken: false });
  expect(made).not.toHaveProperty("token");
  expect([...stage.tables.rows().keys()].filter((key) => key.startsWith(`${made.id}/token/`))).toEqual([]);
});

test("the platform's own tenant can't be suspended", async () => {
  const { ctx } = await begin();
  await expect(Tenant.update(ctx, homeTenant, { state: "suspended" })).rejects.toMatchObject({ kind: "conflict" });
});
