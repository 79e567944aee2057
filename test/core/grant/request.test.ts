import { beforeEach, expect, test } from "vitest";
import * as Cluster from "#core/cluster/index.ts";
import type { Context } from "#core/context.ts";
import * as Grant from "#core/grant/index.ts";
import * as Member from "#core/member/index.ts";
import { type Ground, newGround } from "./ground.ts";

let ground: Ground;
let ada: Context;
let bob: Awaited<ReturnType<Ground["as"]>>;
beforeEach(async () => {
  ground = await newGround();
  ({ ada } = ground);
  bob = await ground.as("viewer");
});
const days = (count: number): Promise<void> => ground.stage.clock.pass(count * 86_400_000);
const ask = (ctx: Context, more: Partial<Grant.RequestInput> = {}) =>
  Grant.request(ctx, Grant.RequestInput.parse({ group: "edit", scope: ground.shop, reason: "on call", ...more }));
const held = async (ctx: typeof bob) => (await Grant.held(ada, ctx.id, ground.shop)).groups;

test("anyone asks for itself; it gives nothing, and no cluster is told, until it is approved", async () => {
  let id: Grant.Grant["id"] | undefined;
  expect(await ground.noted(async () => ({ id } = await ask(bob)))).toEqual([]);
  const request = await Grant.get(bob, id as Grant.Grant["id"]);
  expect(request).toMatchObject({ subject: bob.id, state: "requested", reason: "on call", createdBy: bob.id });
  expect(await held(bob)).toEqual([]);
  expect(ground.verbs().at(-1)).toBe("grant:request");
  const noted = await ground.noted(() => Grant.approve(ada, request.id));
  expect(noted).toEqual([[ground.north, ground.south]]);
  expect(await held(bob)).toEqual(["edit"]);
  expect(ground.verbs().at(-1)).toBe("grant:approve");
  expect(await Grant.get(ada, request.id)).toMatchObject({
    state: "active",
    approvedBy: ada.actor.member,
    generation: 2,
  });
});

test("what is asked for some days holds from its approval on for so long", async () => {
  const { id } = await ask(bob, { expiresInDays: 3 });
  await days(10);
  const approved = await Grant.approve(ada, id);
  expect(approved.forDays).toBeUndefined();
  expect(Date.parse(approved.expiresAt ?? "") - Date.parse(ada.now())).toBe(3 * 86_400_000);
  await days(2);
  expect(await held(bob)).toEqual(["edit"]);
  await days(1);
  expect(await held(bob)).toEqual([]);
  expect(await Grant.expire(ada, id)).toBe("expired");
});

test("approved for good, it is not due any more", async () => {
  const { id } = await ask(bob);
  await Grant.approve(ada, id);
  await days(400);
  expect(await Grant.expire(ada, id)).toBe("waiting");
  expect(await held(bob)).toEqual(["edit"]);
});

test("nobody approves its own request, an owner neither, and only who could give it approves or denies", async () => {
  const own = await ask(ada);
  await expect(Grant.approve(ada, own.id)).rejects.toMatchObject({ kind: "forbidden" });
  const { id } = await ask(bob);
  const eve = await ground.as("editor");
  for (const act of [Grant.approve, Grant.deny])
    await expect(act(eve, id)).rejects.toMatchObject({ kind: "forbidden", message: expect.stringContaining("get on") });
  await expect(Grant.approve(bob, id)).rejects.toMatchObject({ kind: "forbidden" });
  await ground.give(ada, { subject: eve.id, group: "admin", scope: ground.shop });
  expect((await Grant.approve(eve, id)).approvedBy).toBe(eve.id);
});

test("an admin who asks for more than it holds is approved by one who holds it", async () => {
  const eve = await ground.as("editor");
  await ground.give(ada, { subject: eve.id, group: "admin", scope: ground.shop });
  const { id } = await ask(eve, { group: "owner" });
  await expect(Grant.approve(eve, id)).rejects.toMatchObject({ kind: "forbidden" });
  await Grant.approve(ada, id);
});

test("denied, a request goes with its place and its name, and may be asked again", async () => {
  const { id } = await ask(bob);
  expect(await ground.noted(() => Grant.deny(ada, id))).toEqual([]);
  expect([ground.grants(), ground.kept("given")]).toEqual([[], []]);
  expect(ground.verbs().at(-1)).toBe("grant:deny");
  await ask(bob);
});

test("a request is withdrawn by who made it, where its role may take grants at all", async () => {
  const eve = await ground.as("editor");
  const { id } = await ask(eve);
  await Grant.remove(eve, id);
  expect(ground.grants()).toEqual([]);
});

test("the same can't be asked for twice, nor given while it is asked for", async () => {
  const { id } = await ask(bob);
  await expect(ask(bob)).rejects.toMatchObject({ kind: "conflict", message: expect.stringContaining(id) });
  const given = ground.give(ada, { subject: bob.id, group: "edit", scope: ground.shop });
  await expect(given).rejects.toMatchObject({ kind: "conflict", message: expect.stringContaining("asks for") });
});

test("a request that nobody answers for 14 days is over: it can't be approved, goes, and may be asked again", async () => {
  const { id } = await ask(bob);
  await days(13);
  expect(await Grant.expire(ada, id)).toBe("waiting");
  await days(1);
  await expect(Grant.approve(ada, id)).rejects.toMatchObject({ kind: "conflict" });
  const again = await ask(bob);
  expect(ground.grants()).toEqual([again.id]);
  expect(ground.verbs()).toContain("grant:expired");
  expect(await Grant.expire(ada, id)).toBe("gone");
});

test("an answered request can't be answered again, and one of an other generation is stale", async () => {
  const { id } = await ask(bob);
  await expect(Grant.approve(ada, id, { generation: 7 })).rejects.toMatchObject({ kind: "stale" });
  const eve = await ground.as("owner");
  const both = await Promise.allSettled([Grant.approve(ada, id), Grant.deny(eve, id)]);
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const { id: second } = await ask(await ground.as("viewer"));
  await Grant.approve(ada, second);
  await expect(Grant.approve(ada, second)).rejects.toMatchObject({ kind: "conflict" });
  await expect(Grant.deny(ada, second)).rejects.toMatchObject({ kind: "conflict" });
});

test("what was asked for is not approved for who is suspended, nor where nothing stays", async () => {
  const { id } = await ask(bob, { scope: ground.north });
  await Member.update(ada, bob.id, { state: "suspended" });
  await expect(Grant.approve(ada, id)).rejects.toMatchObject({ kind: "conflict" });
  await Member.update(ada, bob.id, { state: "active" });
  await Cluster.remove(ada, ground.north, {});
  await expect(Grant.approve(ada, id)).rejects.toMatchObject({ kind: "conflict" });
  expect(await Grant.get(ada, id)).toMatchObject({ state: "requested" });
});

test("nobody has more than 20 requests waiting", async () => {
  const groups = ["admin", "edit", "view", "audit", "owner"] as const;
  const scopes = [ground.shop, ground.blog, ground.north, ground.south] as const;
  for (const scope of scopes) for (const group of groups) await ask(bob, { group, scope });
  await expect(ask(bob, { scope: "tenant" })).rejects.toMatchObject({ kind: "limit" });
  expect(ground.grants()).toHaveLength(20);
});

test("a bound token asks for what is within its bounds alone", async () => {
  const bound = await ground.as("viewer", { clusters: [ground.north] });
  await ask(bound, { scope: ground.north });
  for (const scope of [ground.south, "tenant"] as const)
    await expect(ask(bound, { scope })).rejects.toMatchObject({ kind: "forbidden" });
});

/** The owner's context, held up before its first write while `meanwhile` happens. */
function heldUp(meanwhile: () => Promise<unknown>): Context {
  const { write } = ada.table;
  let first = true;
  const late: Context["table"]["write"] = async (...changes) => {
    if (first) {
      first = false;
      await meanwhile();
    }
    return await write(...changes);
  };
  return { ...ada, table: { ...ada.table, write: late } };
}

test("a request that is approved while it is taken back goes as what it is by then: its clusters are told", async () => {
  const { id } = await ask(bob);
  const eve = await ground.as("owner");
  const both = [ground.north, ground.south];
  const slow = heldUp(() => Grant.approve(eve, id));
  expect(await ground.noted(() => Grant.remove(slow, id))).toEqual([both, both]);
  expect(ground.grants()).toEqual([]);
});

test("who is suspended while its request is approved is given nothing", async () => {
  const { id } = await ask(bob);
  const slow = heldUp(() => Member.update(ada, bob.id, { state: "suspended" }));
  await expect(Grant.approve(slow, id)).rejects.toMatchObject({ kind: "conflict" });
  expect(await Grant.get(ada, id)).toMatchObject({ state: "requested" });
});

test("each verb asks for its own permission, whatever else a token is scoped for", async () => {
  const { id } = await ask(bob);
  const scoped = (...scopes: string[]): Context => ({ ...ada, actor: { ...ada.actor, scopes } });
  const read = scoped("grant:write", "grant:request");
  const write = scoped("grant:read", "grant:request");
  const input = { subject: bob.id, group: "view", scope: "tenant" } as const;
  const refused = { kind: "forbidden", message: expect.stringContaining("not scoped") };
  await expect(Grant.list(read, {})).rejects.toMatchObject(refused);
  await expect(Grant.get(read, id)).rejects.toMatchObject(refused);
  await expect(Grant.create(write, Grant.CreateInput.parse(input))).rejects.toMatchObject(refused);
  await expect(Grant.givable(write, input, "grants.0")).rejects.toMatchObject(refused);
  for (const act of [Grant.remove, Grant.approve, Grant.deny])
    await expect(act(write, id)).rejects.toMatchObject(refused);
  await expect(ask(scoped("grant:write", "grant:read"))).rejects.toMatchObject(refused);
});
