import { beforeEach, expect, test } from "vitest";
import * as Audit from "#core/audit/index.ts";
import type { Context } from "#core/context.ts";
import type { ID } from "#core/id.ts";
import * as Member from "#core/member/index.ts";
import * as Outbox from "#core/outbox/index.ts";
import * as Quota from "#core/quota/index.ts";
import { membersMax, teamKind } from "#core/team/schema.ts";
import * as Team from "#core/team/index.ts";
import { newStage, type Stage } from "../../functions/stage.ts";

let stage: Stage;
let tenant: ID<"tenant">;
let ada: Context;
beforeEach(async () => {
  stage = newStage();
  ({ tenant, ada } = await stage.red());
});

const robots = async (count: number): Promise<ID<"member">[]> => {
  const ids: ID<"member">[] = [];
  for (let i = 0; i < count; i += 1) ids.push((await stage.member(tenant, "viewer")).member);
  return ids;
};
const make = (name: string, more: Partial<Team.CreateInput> = {}) =>
  Team.create(ada, { name, members: [], claims: [], ...more });
const noGrants = async (): Promise<void> => undefined;
const noted = async (): Promise<unknown[]> => (await Outbox.pending(ada)).map(({ clusters }) => clusters);
const verbs = async (): Promise<string[]> => (await Audit.list(ada, {})).items.map(({ verb }) => verb).sort();

test("a team is made, found, changed and gone, with an entry each, and its name is free again", async () => {
  const [bob, eve] = await robots(2);
  const made = await make("blue", { members: [bob as ID<"member">] });
  expect(made).toMatchObject({ name: "blue", title: "blue", members: [bob], generation: 1, tenant });
  expect(await Team.get(ada, made.id)).toEqual(made);
  const next = await Team.update(ada, made.id, { title: "Blue 🚢", members: [eve as ID<"member">] }, { generation: 1 });
  expect(next).toMatchObject({ title: "Blue 🚢", members: [eve], generation: 2 });
  await expect(Team.update(ada, made.id, { title: "x" }, { generation: 1 })).rejects.toMatchObject({ kind: "stale" });
  await expect(Team.remove(ada, made.id, { generation: 1 }, noGrants)).rejects.toMatchObject({ kind: "stale" });
  expect(await Team.remove(ada, made.id, {}, noGrants)).toEqual(next);
  await expect(Team.get(ada, made.id)).rejects.toMatchObject({ kind: "missing" });
  await make("blue");
  expect(await verbs()).toEqual(["team:create", "team:create", "team:remove", "team:update"]);
  expect((await Quota.list(ada)).find(({ what }) => what === "teams")).toMatchObject({ used: 1, limit: 100 });
});

test("of two teams asked for by one name at once one is made, and nothing of the other is left", async () => {
  const results = await Promise.allSettled([make("blue"), make("blue")]);
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(results.find(({ status }) => status === "rejected")).toMatchObject({ reason: { kind: "conflict" } });
  expect((await Team.list(ada, {})).items).toHaveLength(1);
});

test("who is no member of this tenant is in no team of it, and each one is named", async () => {
  const blue = await stage.tenant("blue");
  const [bob] = (await robots(1)) as [ID<"member">];
  const strange = { kind: "missing", errors: [{ field: "members.1", message: "is no member of this tenant" }] };
  await expect(make("t", { members: [bob, blue.owner.member] })).rejects.toMatchObject(strange);
  const { id } = await make("t", { members: [bob] });
  const members = [bob, blue.owner.member];
  await expect(Team.update(ada, id, { members })).rejects.toMatchObject(strange);
  await expect(Team.join(ada, id, blue.owner.member)).rejects.toMatchObject({
    kind: "missing",
    errors: [{ field: "member" }],
  });
  expect((await Team.get(ada, id)).members).toEqual([bob]);
  await expect(Team.get(stage.context(blue.id), id)).rejects.toMatchObject({ kind: "missing" });
});

test("who is removed between the look and the write is in no team", async () => {
  const [bob] = (await robots(1)) as [ID<"member">];
  const { id } = await make("t");
  const memberKind = Member.memberKind;
  const going = (): void => {
    stage.tables.before = async ({ act }) => {
      if (act !== "write") return;
      stage.tables.before = undefined;
      await ada.table.write(ada.table.remove(memberKind, bob));
    };
  };
  const row = await ada.table.get(memberKind, bob);
  for (const act of [
    () => make("u", { members: [bob] }),
    () => Team.join(ada, id, bob),
    () => Team.update(ada, id, { members: [bob] }),
  ]) {
    going();
    await expect(act()).rejects.toMatchObject({ message: expect.stringMatching(/removed meanwhile|no such member/) });
    await ada.table.write(ada.table.insert(memberKind, bob, row as object));
  }
  expect((await Team.list(ada, {})).items).toMatchObject([{ id, members: [] }]);
});

test("one joins and leaves at any time, twice is harmless, and clusters are to follow each change alone", async () => {
  const [bob] = (await robots(1)) as [ID<"member">];
  const { id } = await make("t", { members: [bob] });
  expect(await noted()).toEqual([]);
  await Team.update(ada, id, { claims: ["eng"] });
  expect(await noted()).toEqual([]);
  await Team.leave(ada, id, bob);
  expect(await noted()).toEqual(["all"]);
  await expect(Team.leave(ada, id, bob)).rejects.toMatchObject({ kind: "missing" });
  expect((await Team.join(ada, id, bob)).members).toEqual([bob]);
  expect((await Team.join(ada, id, bob)).generation).toBe(4);
  expect(await noted()).toEqual(["all", "all"]);
  const joined = (await Audit.list(ada, { verb: "team:join" })).items;
  expect(joined.map(({ target, changes }) => [target, changes])).toEqual([[id, [`members.${bob}`]]]);
});

test("an owner puts itself into a team like anybody else", async () => {
  const me = ada.actor.member as ID<"member">;
  const { id } = await make("t", { members: [me] });
  await Team.leave(ada, id, me);
  await Team.join(ada, id, me);
  await Team.update(ada, id, { members: [] });
  expect((await Team.update(ada, id, { members: [me] })).members).toEqual([me]);
});

test("a team holds 500 members: as many can be said at once, and no more can join", async () => {
  const ids = await robots(membersMax);
  const { id } = await make("all", { members: ids });
  expect((await Team.get(ada, id)).members).toHaveLength(membersMax);
  const full = { kind: "limit", message: "The team all has 500 members, and can't have more." };
  const [late] = (await robots(1)) as [ID<"member">];
  await expect(Team.join(ada, id, late)).rejects.toMatchObject(full);
  await Team.claim(ada, late, []);
  const blue = await stage.tenant("blue");
  const strange = [...ids.slice(0, 499), blue.owner.member];
  await expect(make("some", { members: strange })).rejects.toMatchObject({
    kind: "missing",
    errors: [{ field: "members.499" }],
  });
  const given = Team.CreateInput.safeParse({ name: "more", members: [...ids, late] });
  expect(given.error?.issues[0]?.path).toEqual(["members"]);
});

test("12 who join at once are all in", async () => {
  const ids = await robots(12);
  const { id } = await make("t");
  await Promise.all(ids.map((each) => Team.join(ada, id, each)));
  expect((await Team.get(ada, id)).members.toSorted()).toEqual(ids.toSorted());
});

test("a list keeps the teams that a member is in, page by page, and so does what others ask", async () => {
  const [bob, eve] = (await robots(2)) as [ID<"member">, ID<"member">];
  for (let i = 0; i < 5; i += 1) {
    await stage.clock.pass(1);
    await make(`t${i}`, { members: i % 2 ? [bob] : [eve] });
  }
  const first = await Team.list(ada, { member: eve, limit: 2 });
  const rest = await Team.list(ada, { member: eve, limit: 2, after: first.next ?? "" });
  expect([...first.items, ...rest.items].map(({ name }) => name)).toEqual(["t0", "t2", "t4"]);
  expect((await Team.of(ada, bob)).map(({ name }) => name)).toEqual(["t1", "t3"]);
  await Team.drop(ada, eve);
  expect(await Team.of(ada, eve)).toEqual([]);
  expect((await Team.of(ada, bob)).map(({ name }) => name)).toEqual(["t1", "t3"]);
});

test("who signs in is in the teams that its claim names, in no other with claims, and stays where there are none", async () => {
  const [bob, eve] = (await robots(2)) as [ID<"member">, ID<"member">];
  await make("eng", { claims: ["eng", "dev"], members: [eve] });
  await make("ops", { claims: ["ops"], members: [bob, eve] });
  await make("own", { members: [bob] });
  expect(await Team.claim(ada, bob, ["dev", "unknown"])).toBe(true);
  expect((await Team.of(ada, bob)).map(({ name }) => name)).toEqual(["eng", "own"]);
  expect((await Team.of(ada, eve)).map(({ name }) => name)).toEqual(["eng", "ops"]);
  const before = stage.tables.rows().size;
  expect(await Team.claim(ada, bob, ["dev"])).toBe(false);
  expect(stage.tables.rows().size).toBe(before);
});

test("a removal ends what is granted to a team first; broken off there, a repeat finishes it", async () => {
  const { id } = await make("t");
  const broken = Team.remove(ada, id, {}, () => Promise.reject(new Error("the process ended")));
  await expect(broken).rejects.toThrow("the process ended");
  const ended: boolean[] = [];
  await Team.remove(ada, id, {}, async (_, team) => {
    ended.push((await ada.table.get(teamKind, team)) !== undefined);
  });
  // Once more when it is gone, for what was granted to it in between.
  expect(ended).toEqual([true, false]);
  expect(await ada.table.get(teamKind, id)).toBeUndefined();
});

test("nobody but an owner changes teams, and everyone sees them", async () => {
  const { id } = await make("t");
  const [bob] = (await robots(1)) as [ID<"member">];
  for (const role of ["editor", "viewer"] as const) {
    const weak = await stage.enter((await stage.member(tenant, role)).text);
    expect((await Team.list(weak, {})).items).toEqual([await Team.get(weak, id)]);
    for (const act of [
      () => Team.create(weak, { name: "u", members: [], claims: [] }),
      () => Team.update(weak, id, { claims: ["x"] }),
      () => Team.join(weak, id, bob),
      () => Team.leave(weak, id, bob),
      () => Team.remove(weak, id, {}, noGrants),
    ])
      await expect(act()).rejects.toMatchObject({ kind: "forbidden" });
  }
});

test("a token that is not scoped for teams sees none", async () => {
  const { id } = await make("t");
  const scoped = await stage.enter((await stage.member(tenant, "owner", ["cluster:read"])).text);
  for (const act of [() => Team.list(scoped, {}), () => Team.get(scoped, id)])
    await expect(act()).rejects.toMatchObject({ kind: "forbidden" });
});

test("who was an owner when it knocked and is none when it writes changes no team", async () => {
  const { id } = await make("t");
  const [bob] = (await robots(1)) as [ID<"member">];
  const eve = await stage.member(tenant, "owner");
  const was = await stage.enter(eve.text);
  await Member.update(ada, eve.member, { role: "viewer" });
  const rows = stage.tables.rows().size;
  for (const act of [
    () => Team.create(was, { name: "u", members: [], claims: [] }),
    () => Team.update(was, id, { title: "x" }),
    () => Team.join(was, id, bob),
    () => Team.remove(was, id, {}, noGrants),
  ])
    await expect(act()).rejects.toMatchObject({ kind: "forbidden" });
  expect(stage.tables.rows().size).toBe(rows);
});
