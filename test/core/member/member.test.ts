import { beforeEach, expect, test } from "vitest";
import type { Role } from "#core/role.ts";
import * as Audit from "#core/audit/index.ts";
import type { Context } from "#core/context.ts";
import type { ID } from "#core/id.ts";
import * as Member from "#core/member/index.ts";
import { memberKind } from "#core/member/schema.ts";
import * as Token from "#core/token/index.ts";
import { homeTenant, newStage, type Stage } from "../../functions/stage.ts";

let stage: Stage;
let tenant: ID<"tenant">;
let ada: Context;
const begin = async (): Promise<void> => {
  stage = newStage();
  ({ tenant, ada } = await stage.red());
};
beforeEach(begin);
const enter = (text: string): Promise<Context> => stage.enter(text);
const as = async (role: Role, of = tenant): Promise<Context & { id: ID<"member"> }> => {
  const person = await stage.member(of, role);
  return { ...(await enter(person.text)), id: person.member };
};
const self = (ctx: Context): ID<"member"> => ctx.actor.member as ID<"member">;
const owners = (): string[] =>
  [...stage.tables.rows()]
    .filter(([key, row]) => key.startsWith(`${tenant}/member/`) && row["role"] === "owner" && row["state"] === "active")
    .map(([, row]) => String(row["id"]));
const remove = (ctx: Context, id: ID<"member">) => Member.remove(ctx, id, {}, Token.endAll);

test("a member is found in its own tenant and in no other", async () => {
  const blue = await stage.tenant("blue");
  expect(await Member.get(ada, self(ada))).toMatchObject({ tenant, role: "owner" });
  await expect(Member.get(stage.context(blue.id), self(ada))).rejects.toMatchObject({ kind: "missing" });
  expect((await Member.list(stage.context(blue.id), {})).items.map(({ id }) => id)).toEqual([blue.owner.member]);
});

test("nobody gives a role above its own, and nobody but the platform has staff", async () => {
  const bob = { name: "bob", kind: "person" } as const;
  await expect(Member.create(ada, { ...bob, role: "staff" })).rejects.toMatchObject({ kind: "forbidden" });
  await expect(Member.update(ada, self(ada), { role: "staff" })).rejects.toMatchObject({ kind: "forbidden" });
  await expect(Member.create(await as("editor"), { ...bob, role: "viewer" })).rejects.toMatchObject({
    kind: "forbidden",
  });
  await expect(Member.create(await as("staff"), { ...bob, role: "staff" })).rejects.toMatchObject({
    kind: "forbidden",
  });
  await stage.staff();
  const [staff, owner] = [await as("staff", homeTenant), await as("owner", homeTenant)];
  expect((await Member.create(staff, { ...bob, role: "staff" })).role).toBe("staff");
  await expect(Member.create(owner, { ...bob, role: "staff" })).rejects.toMatchObject({ kind: "forbidden" });
  await expect(Member.update(owner, self(staff), { name: "x" })).rejects.toMatchObject({ kind: "forbidden" });
  await expect(remove(owner, self(staff))).rejects.toMatchObject({ kind: "forbidden" });
});

test("a list keeps those that meet all of a filter, page by page", async () => {
  for (let i = 0; i < 7; i += 1) {
    await stage.clock.pass(1);
    await Member.create(ada, { name: `r${i}`, kind: i % 2 ? "robot" : "person", role: i % 3 ? "viewer" : "editor" });
  }
  const names: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await Member.list(ada, { kind: "robot", role: "viewer", limit: 1, after });
    names.push(...page.items.map(({ name }) => name));
    if (page.next === null) break;
    after = page.next;
  }
  expect(names).toEqual(["r1", "r5"]);
  expect((await Member.list(ada, { state: "suspended" })).items).toEqual([]);
});

test("the last active owner can't go, be suspended or be demoted; with a second one it can", async () => {
  const bob = await as("owner");
  await Member.update(ada, bob.id, { state: "suspended" });
  for (const act of [
    () => Member.update(ada, self(ada), { role: "editor" }),
    () => Member.update(ada, self(ada), { state: "suspended" }),
    () => remove(ada, self(ada)),
  ]) {
    await expect(act()).rejects.toMatchObject({ kind: "conflict" });
    expect(owners()).toEqual([self(ada)]);
  }
  await Member.update(ada, bob.id, { state: "active" });
  await remove(ada, self(ada));
  expect(owners()).toEqual([bob.id]);
});

test("the platform keeps one of its staff, however many owners it has", async () => {
  await stage.staff();
  const staff = await as("staff", homeTenant);
  await as("owner", homeTenant);
  const [first] = (await Member.list(staff, { role: "staff", kind: "robot" })).items;
  await remove(staff, first?.id as ID<"member">);
  await expect(Member.update(staff, staff.id, { role: "owner" })).rejects.toMatchObject({ kind: "conflict" });
  await as("staff", homeTenant);
  expect((await Member.update(staff, staff.id, { role: "owner" })).role).toBe("owner");
});

const acts: Record<string, (ctx: Context, id: ID<"member">) => Promise<unknown>> = {
  remove,
  demote: (ctx, id) => Member.update(ctx, id, { role: "viewer" }),
  suspend: (ctx, id) => Member.update(ctx, id, { state: "suspended" }),
};
const pairs = Object.keys(acts).flatMap((one) => Object.keys(acts).map((other) => [one, other] as const));
test.each(pairs)(
  "two owners who %s and %s each other at once: one is left, whatever comes first",
  async (one, other) => {
    const bob = await as("owner");
    const results = await Promise.allSettled([acts[one]?.(ada, bob.id), acts[other]?.(bob, self(ada))]);
    expect(owners()).toHaveLength(1);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  },
);

// Every point at which the other's write may come in between is tried, before each call of the table.
test.each(Object.keys(acts))("the other's %s may come between any read and write of ours", async (other) => {
  for (let at = 1; ; at += 1) {
    await begin();
    const bob = await as("owner");
    let calls = 0;
    let came = false;
    stage.tables.before = async () => {
      calls += 1;
      if (calls !== at) return;
      came = true;
      stage.tables.before = undefined;
      await acts[other]?.(bob, self(ada));
    };
    const [result] = await Promise.allSettled([acts["demote"]?.(ada, bob.id)]);
    stage.tables.before = undefined;
    if (!came) break;
    expect(owners(), `before call ${at}`).toEqual([bob.id]);
    expect(result).toMatchObject({ status: "rejected", reason: { kind: "forbidden" } });
  }
});

test("of two owners who both leave, one stays, at every point where the other's leave may come in", async () => {
  for (let at = 1; ; at += 1) {
    await begin();
    const bob = await as("owner");
    let calls = 0;
    let came = false;
    stage.tables.before = async () => {
      calls += 1;
      if (calls !== at) return;
      came = true;
      stage.tables.before = undefined;
      await Promise.allSettled([Member.update(bob, bob.id, { role: "viewer" })]);
    };
    await Promise.allSettled([remove(ada, self(ada))]);
    stage.tables.before = undefined;
    if (!came) break;
    expect(owners(), `before call ${at}`).toHaveLength(1);
  }
});

test("a change on another generation is refused with the one that is there", async () => {
  const { id, generation } = await Member.create(ada, { name: "bob", kind: "robot", role: "viewer" });
  expect(generation).toBe(1);
  expect((await Member.update(ada, id, { name: "rob" }, { generation: 1 })).generation).toBe(2);
  await expect(Member.update(ada, id, { name: "x" }, { generation: 1 })).rejects.toMatchObject({
    kind: "stale",
    generation: 2,
  });
  await expect(Member.remove(ada, id, { generation: 1 }, Token.endAll)).rejects.toMatchObject({ kind: "stale" });
  expect(await Member.get(ada, id)).toMatchObject({ name: "rob", state: "active" });
});

test("20 changes at once all land, one generation each", async () => {
  const { id } = await Member.create(ada, { name: "bob", kind: "robot", role: "viewer" });
  await Promise.allSettled(Array.from({ length: 15 }, (_, i) => Member.update(ada, id, { name: `n${i}` })));
  expect((await Member.get(ada, id)).generation).toBe(16);
});

test("a row from before there were states and generations can be changed and removed", async () => {
  const { id } = await as("viewer");
  await ada.table.edit(memberKind, id, { remove: ["state", "generation"] });
  expect(await Member.get(ada, id)).toMatchObject({ state: "active", generation: 0 });
  expect(await Member.update(ada, id, { name: "x" }, { generation: 0 })).toMatchObject({ generation: 1 });
  await ada.table.edit(memberKind, id, { remove: ["state", "generation"] });
  await remove(ada, id);
  await expect(Member.get(ada, id)).rejects.toMatchObject({ kind: "missing" });
});

test("a removal that broke off is finished by a repeat, and every entry stays readable", async () => {
  const bob = await as("editor");
  const made = await Token.create(bob, { name: "mine" });
  const broken = Member.remove(ada, bob.id, {}, () => Promise.reject(new Error("the process ended")));
  await expect(broken).rejects.toThrow("the process ended");
  expect(await Member.get(ada, bob.id)).toMatchObject({ state: "suspended" });
  await expect(enter(made.token)).rejects.toMatchObject({ kind: "unauthenticated" });
  await remove(ada, bob.id);
  await expect(Member.get(ada, bob.id)).rejects.toMatchObject({ kind: "missing" });
  await expect(remove(ada, bob.id)).rejects.toMatchObject({ kind: "missing" });
  const { items } = await Audit.list(ada, {});
  expect(items.filter(({ actor }) => actor.member === bob.id).map(({ verb }) => verb)).toEqual(["token:create"]);
  expect(items.map(({ verb }) => verb).sort()).toEqual(
    ["member:remove", "member:update", "token:create", "token:revoke", "token:revoke"].sort(),
  );
});

test("who was suspended in the middle of its request changes nobody and makes no token", async () => {
  const bob = await as("owner");
  await Member.update(ada, bob.id, { state: "suspended" });
  const carol = (await as("viewer")).id;
  for (const act of [
    () => Member.create(bob, { name: "x", kind: "robot", role: "owner" }),
    () => Member.update(bob, carol, { role: "owner" }),
    () => remove(bob, carol),
    () => Token.create(bob, { name: "x" }),
    () => Token.rotate(bob, bob.actor.token as ID<"token">, { overlapSeconds: 60 }),
  ]) {
    const rows = stage.tables.rows().size;
    await expect(act()).rejects.toMatchObject({ kind: "forbidden" });
    expect(stage.tables.rows().size).toBe(rows);
  }
});
