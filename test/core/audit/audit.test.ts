import { expect, test } from "vitest";
import * as Audit from "#core/audit/index.ts";
import { memberKind } from "#core/member/schema.ts";
import { newStage } from "../../functions/stage.ts";

const newTrail = async () => {
  const stage = newStage();
  const red = await stage.tenant("red");
  const ctx = stage.context(red.id);
  return {
    stage,
    red,
    ctx,
    /** An entry a second after the one before. @returns its time. */
    async note(verb: string, target: string, as = ctx): Promise<string> {
      await stage.clock.pass(1_000);
      await ctx.table.write(Audit.entry(as, { verb, target }));
      return stage.clock.now();
    },
  };
};
const targets = ({ items }: { items: { target: string }[] }): string[] => items.map(({ target }) => target);

test("entries come newest first, page by page, and only one's own tenant's", async () => {
  const { stage, ctx, note } = await newTrail();
  const other = stage.context((await stage.tenant("blue")).id);
  for (let i = 0; i < 3; i += 1) await note("cluster:create", `t${i}`);
  await other.table.write(Audit.entry(other, { verb: "cluster:create", target: "theirs" }));
  const page = await Audit.list(ctx, { limit: 2 });
  expect(targets(page)).toEqual(["t2", "t1"]);
  const rest = await Audit.list(ctx, { limit: 2, after: page.next ?? "" });
  expect(rest).toMatchObject({ items: [{ target: "t0" }], next: null });
});

test("an entry is born unsealed, knows who, by which token and in which request, and is there with its change or not at all", async () => {
  const { stage, ctx } = await newTrail();
  const entry = Audit.entry(ctx, { verb: "cluster:create", target: "t", changes: ["labels"] });
  expect(entry.row).toMatchObject({
    unsealed: stage.clock.now(),
    requestID: "test",
    at: stage.clock.now(),
    actor: { member: "system", token: null },
  });
  const refused = ctx.table.update({ name: "none", schema: null as never }, "gone", { set: { a: 1 } });
  await expect(ctx.table.write(refused, entry)).rejects.toThrow();
  expect((await Audit.list(ctx, {})).items).toEqual([]);
});

test("entries are found by actor, by verb or its noun, by target, and by all of them at once", async () => {
  const { red, ctx, note } = await newTrail();
  const ada = { ...ctx, actor: { ...ctx.actor, member: red.owner.member } };
  await note("cluster:create", "a", ada);
  await note("cluster:update", "a");
  await note("clusterish:create", "b");
  await note("token:create", "b", ada);
  expect(targets(await Audit.list(ctx, { actor: red.owner.member }))).toEqual(["b", "a"]);
  expect(targets(await Audit.list(ctx, { actor: "system" }))).toEqual(["b", "a"]);
  expect(targets(await Audit.list(ctx, { verb: "cluster" }))).toEqual(["a", "a"]);
  expect((await Audit.list(ctx, { verb: "cluster:update" })).items).toMatchObject([{ verb: "cluster:update" }]);
  expect((await Audit.list(ctx, { target: "b", actor: "system" })).items).toMatchObject([
    { verb: "clusterish:create" },
  ]);
});

test("a period has both of its ends in it, and one that ends before it begins is refused", async () => {
  const { ctx, note } = await newTrail();
  const times = [await note("a:b", "t0"), await note("a:b", "t1"), await note("a:b", "t2"), await note("a:b", "t3")];
  const [, from = "", to = ""] = times;
  expect(targets(await Audit.list(ctx, { from, to }))).toEqual(["t2", "t1"]);
  expect(targets(await Audit.list(ctx, { from: to }))).toEqual(["t3", "t2"]);
  expect(targets(await Audit.list(ctx, { to: from, verb: "a" }))).toEqual(["t1", "t0"]);
  const exported: string[] = [];
  for await (const page of Audit.entries(ctx, { from, to })) exported.push(...targets({ items: page }));
  expect(exported).toEqual(["t1", "t2"]);
  await expect(Audit.list(ctx, { from: to, to: from })).rejects.toMatchObject({ kind: "invalid" });
  expect(() => Audit.entries(ctx, { from: to, to: from })).toThrow("ends before it begins");
});

test("a search looks at 1,000 entries at most, and whoever goes on finds the rest", async () => {
  const { stage, ctx, note } = await newTrail();
  await note("cluster:create", "old");
  for (let at = 0; at < 1_050; at += 50) {
    await stage.clock.pass(1);
    await ctx.table.write(
      ...Array.from({ length: 50 }, (_, i) => Audit.entry(ctx, { verb: "token:create", target: `t${at + i}` })),
    );
  }
  const before = stage.tables.calls.list;
  const first = await Audit.list(ctx, { target: "old" });
  expect(first.items).toEqual([]);
  expect(stage.tables.calls.list - before).toBe(10);
  expect(targets(await Audit.list(ctx, { target: "old", after: first.next ?? "" }))).toEqual(["old"]);
});

test("who is still a member is shown by name, as it is now; what is exported is the entry alone", async () => {
  const { red, ctx, note } = await newTrail();
  const ada = { ...ctx, actor: { ...ctx.actor, member: red.owner.member } };
  await note("cluster:create", "t", ada);
  await note("cluster:update", "t");
  expect((await Audit.list(ctx, {})).items.map(({ actor }) => actor.name)).toEqual([undefined, "owner"]);
  await ctx.table.write(ctx.table.remove(memberKind, red.owner.member));
  expect((await Audit.list(ctx, {})).items[1]?.actor).toEqual({ member: red.owner.member, token: null });
  for await (const [entry] of Audit.entries(ctx, {})) {
    expect(Object.keys(entry ?? {}).sort()).toEqual(["actor", "at", "id", "requestID", "target", "tenant", "verb"]);
  }
});
