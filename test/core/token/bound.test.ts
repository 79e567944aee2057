import { beforeEach, expect, test } from "vitest";
import type { Context } from "#core/context.ts";
import { type ID, newID } from "#core/id.ts";
import { noteKind } from "#core/outbox/schema.ts";
import * as Token from "#core/token/index.ts";
import { enteredKind } from "#core/token/schema.ts";
import { newStage, type Stage } from "../../functions/stage.ts";

let stage: Stage;
let tenant: ID<"tenant">;
let ada: Context;
let clusters: ID<"cluster">[];
let projects: ID<"project">[];
beforeEach(async () => {
  stage = newStage();
  ({ tenant, ada } = await stage.red());
  clusters = [0, 1, 2].map(() => newID(stage.deps, "cluster"));
  projects = [0, 1].map(() => newID(stage.deps, "project"));
  const { table } = ada;
  // Bounds ask no more of them than that they are there.
  const any = (name: string) => ({ name, schema: enteredKind.schema }) as never;
  for (const id of clusters) await table.write(table.insert(any("cluster"), id, { id }));
  for (const id of projects) await table.write(table.insert(any("project"), id, { id }));
});
const bound = async (by: Parameters<typeof Token.create>[1], ctx = ada) =>
  await stage.enter((await Token.create(ctx, by)).token);
const notes = async () => (await ada.table.list(noteKind)).items.map((note) => note.clusters);

test("a token carries its bounds to whoever uses it, and to the one that replaces it", async () => {
  const { token, id } = await Token.create(ada, { name: "x", clusters: clusters.slice(0, 2), projects });
  const within = { clusters: clusters.slice(0, 2), projects };
  expect((await stage.enter(token)).actor.within).toEqual(within);
  const rotated = await Token.rotate(ada, id, { overlapSeconds: 0 });
  expect((await stage.enter(rotated.token)).actor.within).toEqual(within);
  expect(await Token.get(ada, rotated.id)).toMatchObject(within);
  expect((await bound({ name: "y" })).actor.within).toBeUndefined();
});

test("what a bound names must be there, and another tenant's is not", async () => {
  const other = await stage.tenant("blue");
  const there = other.owner;
  const foreign = newID(stage.deps, "cluster");
  const table = stage.deps.home.table(there.tenant);
  await table.write(table.insert({ name: "cluster", schema: enteredKind.schema } as never, foreign, { id: foreign }));
  const say = (id: ID<"cluster">) => Token.create(ada, { name: "x", clusters: [clusters[0] ?? id, id] });
  const wanted = {
    kind: "missing",
    message: "There is no such cluster.",
    errors: [{ field: "clusters.1", message: "is no cluster of this tenant" }],
  };
  await expect(say(foreign)).rejects.toMatchObject(wanted);
  await expect(say(newID(stage.deps, "cluster"))).rejects.toMatchObject(wanted);
});

test("a bound token gives no more away than it has, of no kind, and what it makes is as bound as itself", async () => {
  const [one, two] = clusters;
  const [site] = projects;
  if (!one || !two || !site) throw new Error("no ids");
  const narrow = await bound({ name: "narrow", clusters: [one, two] });
  expect((await bound({ name: "same" }, narrow)).actor.within).toEqual({ clusters: [one, two] });
  expect((await bound({ name: "less", clusters: [one] }, narrow)).actor.within).toEqual({ clusters: [one] });
  const beyond = clusters[2];
  if (!beyond) throw new Error("no id");
  // A project as such is not of its clusters: a token that was let into one would reach further.
  for (const more of [{ clusters: [one, beyond] }, { projects: [site] }, { clusters: [one], projects: [site] }])
    await expect(Token.create(narrow, { name: "x", ...more })).rejects.toMatchObject({ kind: "forbidden" });
  const both = await bound({ name: "both", clusters: [one], projects: [site] });
  expect((await bound({ name: "half", clusters: [one] }, both)).actor.within).toEqual({
    clusters: [one],
    projects: [site],
  });
});

test("to a bound token no token is there that reaches further than itself", async () => {
  const [one, two] = clusters;
  if (!one || !two) throw new Error("no ids");
  const wide = await Token.create(ada, { name: "wide" });
  const beside = await Token.create(ada, { name: "beside", clusters: [two] });
  // Bound to more kinds it reaches further: a project as such is not of its clusters.
  const across = await Token.create(ada, { name: "across", clusters: [one], projects });
  const narrow = await bound({ name: "narrow", clusters: [one] });
  const inner = await Token.create(narrow, { name: "inner" });
  expect((await Token.list(narrow, {})).items.map(({ name }) => name).sort()).toEqual(["inner", "narrow"]);
  for (const { id } of [wide, beside, across]) {
    await expect(Token.get(narrow, id)).rejects.toMatchObject({ kind: "missing" });
    await expect(Token.revoke(narrow, id)).rejects.toMatchObject({ kind: "missing" });
    await expect(Token.rotate(narrow, id, { overlapSeconds: 0 })).rejects.toMatchObject({ kind: "missing" });
  }
  expect((await Token.rotate(narrow, inner.id, { overlapSeconds: 0 })).clusters).toEqual([one]);
});

test("the clusters that a token entered, and no others, are told of its end, whatever ends it", async () => {
  const [one = "cls_", two = "cls_"] = clusters;
  const ends: [string, (id: ID<"token">) => Promise<unknown>][] = [
    ["revoke", (id) => Token.revoke(ada, id)],
    ["rotate", (id) => Token.rotate(ada, id, { overlapSeconds: 0 })],
    [
      "expire",
      async (id) => {
        await stage.clock.pass(2 * 86_400_000);
        expect(await Token.expire(stage.context(tenant), id)).toBe("expired");
      },
    ],
  ];
  for (const [how, end] of ends) {
    const made = await Token.create(ada, { name: how, expiresInDays: 1 });
    const ctx = await stage.enter(made.token);
    for (const cluster of [one, two, one]) await ctx.table.write(...(await Token.enter(ctx, cluster)));
    expect(await notes(), how).toEqual([]);
    await end(made.id);
    expect(
      (await notes()).map((each) => Array.from(each).sort()),
      how,
    ).toEqual([[one, two].sort()]);
    const note = (await ada.table.list(noteKind)).items[0];
    await ada.table.write(ada.table.remove(noteKind, note?.id ?? ""));
  }
  const silent = await Token.create(ada, { name: "never used" });
  await Token.revoke(ada, silent.id);
  expect(await notes()).toEqual([]);
  const bob = await stage.member(tenant, "editor");
  const ctx = await stage.enter(bob.text);
  await ctx.table.write(...(await Token.enter(ctx, two)));
  await Token.endAll(ada, bob.member);
  expect(await notes()).toEqual([[two]]);
});

test("a credential that is got while its token ends is never out, or its cluster is told", async () => {
  const [one = "cls_"] = clusters;
  const made = await Token.create(ada, { name: "x" });
  const ctx = await stage.enter(made.token);
  // Read before the end, written after it: refused.
  const late = await Token.enter(ctx, one);
  await Token.revoke(ada, made.id);
  await expect(ctx.table.write(...late)).rejects.toThrow("did not hold");
  // Known from before: even so it is held that the token is there.
  const other = await Token.create(ada, { name: "y" });
  const own = await stage.enter(other.token);
  await own.table.write(...(await Token.enter(own, one)));
  const known = await Token.enter(own, one);
  await Token.revoke(ada, other.id);
  await expect(own.table.write(...known)).rejects.toThrow("did not hold");
  // Written between the reading of where it entered and its end: the end begins anew, and tells.
  const third = await Token.create(ada, { name: "z" });
  const its = await stage.enter(third.token);
  let once = true;
  stage.tables.before = async ({ act }) => {
    if (act !== "write" || !once) return;
    once = false;
    await its.table.write(...(await Token.enter(its, one)));
  };
  await Token.revoke(ada, third.id);
  expect((await notes()).filter((each) => each.includes(one as never))).toHaveLength(2);
});

test("sessions hold no place among the tokens, and API keys no place among the sessions", async () => {
  const used = async () =>
    (await stage.as((await stage.member(tenant, "owner")).text)("GET", "/v1/quotas")).body["items"];
  const before = JSON.stringify(await used());
  expect(before).toContain("tokens");
  const actor = { ...ada.actor, token: null };
  if (actor.member === "system") throw new Error("nobody");
  const made = await Token.session({ ...ada, actor }, { member: actor.member, name: "house", seconds: 60 });
  expect((await Token.list(ada, { kind: "session" })).items.map(({ id }) => id)).toEqual([made.id]);
  expect((await Token.list(ada, { kind: "key" })).items.map(({ id }) => id)).not.toContain(made.id);
  await expect(Token.rotate(ada, made.id, { overlapSeconds: 0 })).rejects.toMatchObject({ kind: "conflict" });
  await Token.revoke(ada, made.id);
  const count = (text: string) =>
    (JSON.parse(text) as { what: string; used: number }[]).find(({ what }) => what === "tokens");
  // One more member each time, with one more key; its session came and went without a place.
  expect(count(JSON.stringify(await used()))?.used).toBe((count(before)?.used ?? 0) + 1);
});
