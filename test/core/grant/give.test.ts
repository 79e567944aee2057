import { beforeEach, expect, test } from "vitest";
import type { Context } from "#core/context.ts";
import * as Grant from "#core/grant/index.ts";
import * as Group from "#core/group/index.ts";
import * as Member from "#core/member/index.ts";
import * as Team from "#core/team/index.ts";
import { type Ground, newGround } from "./ground.ts";

let ground: Ground;
let ada: Context;
let bob: Awaited<ReturnType<Ground["as"]>>;
beforeEach(async () => {
  ground = await newGround();
  ({ ada } = ground);
  bob = await ground.as("viewer");
});
const give = (...args: Parameters<Ground["give"]>) => ground.give(...args);

test("an editor gives what it holds as admin there, and no more: the refusal names the rule", async () => {
  const { shop, blog, south } = ground;
  const eve = await ground.as("editor");
  const what = { subject: bob.id, group: "edit", scope: shop } as const;
  await expect(give(eve, what)).rejects.toMatchObject({
    kind: "forbidden",
    message: expect.stringContaining("get on pods"),
    errors: [{ field: "group" }],
  });
  await give(ada, { subject: eve.id, group: "edit", scope: shop });
  await expect(give(eve, what)).rejects.toMatchObject({ kind: "forbidden", message: expect.stringContaining("admin") });
  await give(ada, { subject: eve.id, group: "admin", scope: shop });
  expect((await give(eve, what)).createdBy).toBe(eve.id);
  for (const scope of [blog, south, "tenant"] as const)
    await expect(give(eve, { ...what, scope })).rejects.toMatchObject({ kind: "forbidden" });
  const secret = Group.CreateInput.parse({
    name: "quotas",
    rules: [{ apiGroups: [""], resources: ["resourcequotas"], verbs: ["get", "patch"] }],
  });
  const { id: group } = await Group.create(ada, secret, Grant.holds);
  await expect(give(eve, { ...what, group })).rejects.toMatchObject({
    kind: "forbidden",
    message: expect.stringContaining("patch on resourcequotas"),
  });
  expect(ground.grants()).toHaveLength(3);
});

test("what a group may do at cluster scope counts where it holds, and not in a project", async () => {
  const { shop } = ground;
  const eve = await ground.as("editor");
  await give(ada, { subject: eve.id, group: "admin", scope: "tenant" });
  await expect(give(eve, { subject: bob.id, group: "audit", scope: "tenant" })).rejects.toMatchObject({
    kind: "forbidden",
    message: expect.stringContaining("clusterrole"),
  });
  await give(eve, { subject: bob.id, group: "audit", scope: shop });
});

test("the group owner, and groups with dangerous rules, are an owner's alone to give and to take", async () => {
  const { shop } = ground;
  const eve = await ground.as("editor");
  await give(ada, { subject: eve.id, group: "owner", scope: shop });
  const token = Group.CreateInput.parse({
    name: "minters",
    rules: [{ apiGroups: [""], resources: ["serviceaccounts/token"], verbs: ["create"] }],
  });
  const { id: group } = await Group.create(ada, token, Grant.holds);
  for (const one of ["owner", group] as const) {
    await expect(give(eve, { subject: bob.id, group: one, scope: shop })).rejects.toMatchObject({
      kind: "forbidden",
      message: expect.stringContaining("Only an owner"),
    });
    const { id } = await give(ada, { subject: bob.id, group: one, scope: shop });
    await expect(Grant.remove(eve, id)).rejects.toMatchObject({ kind: "forbidden" });
  }
  // Who holds owner in a project gives there what is below it.
  await give(eve, { subject: bob.id, group: "admin", scope: shop });
});

test("viewers give and take nothing, also those who hold admin", async () => {
  await give(ada, { subject: bob.id, group: "admin", scope: ground.shop });
  const { id } = await give(ada, { subject: bob.id, group: "view", scope: ground.shop });
  await expect(give(bob, { subject: bob.id, group: "edit", scope: ground.shop })).rejects.toMatchObject({
    kind: "forbidden",
  });
  await expect(Grant.remove(bob, id)).rejects.toMatchObject({ kind: "forbidden" });
  expect(ground.grants()).toHaveLength(2);
});

test("an editor whose right was taken can give no more, and whose role was taken neither", async () => {
  const { shop } = ground;
  const eve = await ground.as("editor");
  const { id } = await give(ada, { subject: eve.id, group: "admin", scope: shop });
  await Grant.remove(ada, id);
  const what = { subject: bob.id, group: "view", scope: shop } as const;
  await expect(give(eve, what)).rejects.toMatchObject({ kind: "forbidden" });
  await give(ada, { subject: eve.id, group: "admin", scope: shop });
  await Member.update(ada, eve.id, { role: "viewer" });
  // Its context is from before: the transaction itself finds that it is no editor any more.
  await expect(give(eve, what)).rejects.toMatchObject({ kind: "forbidden" });
  expect(ground.grants()).toHaveLength(1);
});

test("what one gave as admin one can't take as admin no more; and nobody withdraws another's request", async () => {
  const eve = await ground.as("editor");
  const own = await give(ada, { subject: eve.id, group: "admin", scope: ground.shop });
  const given = await give(eve, { subject: bob.id, group: "view", scope: ground.shop });
  await Grant.remove(ada, own.id);
  await expect(Grant.remove(eve, given.id)).rejects.toMatchObject({ kind: "forbidden" });
  const input = Grant.RequestInput.parse({ group: "edit", scope: ground.shop, reason: "please" });
  const asked = await Grant.request(bob, input);
  await expect(Grant.remove(eve, asked.id)).rejects.toMatchObject({ kind: "forbidden" });
  expect(ground.grants()).toHaveLength(2);
});

test("a bound token gives, takes, reads and lists what is within its bounds alone", async () => {
  const { shop, blog } = ground;
  const inside = await give(ada, { subject: bob.id, group: "view", scope: shop });
  const [outside, wide] = [
    await give(ada, { subject: bob.id, group: "view", scope: blog }),
    await give(ada, { subject: bob.id, group: "view", scope: "tenant" }),
  ];
  const bound = await ground.as("owner", { projects: [shop] });
  expect((await Grant.list(bound, {})).items.map(({ id }) => id)).toEqual([inside.id]);
  for (const { id } of [outside, wide]) {
    await expect(Grant.get(bound, id)).rejects.toMatchObject({ kind: "forbidden" });
    await expect(Grant.remove(bound, id)).rejects.toMatchObject({ kind: "forbidden" });
  }
  for (const scope of [blog, ground.north, "tenant"] as const) {
    await expect(give(bound, { subject: bob.id, group: "edit", scope })).rejects.toMatchObject({ kind: "forbidden" });
  }
  const input = Grant.RequestInput.parse({ group: "edit", scope: blog, reason: "please" });
  const asked = await Grant.request(bob, input);
  for (const answer of [Grant.approve, Grant.deny])
    await expect(answer(bound, asked.id)).rejects.toMatchObject({ kind: "forbidden" });
  await Grant.deny(ada, asked.id);
  await give(bound, { subject: bob.id, group: "edit", scope: shop });
  await Grant.remove(bound, inside.id);
  expect(ground.grants()).toHaveLength(3);
});

/** The context of who is held up before its first write, while `meanwhile` happens. */
function heldUp(ctx: Context, meanwhile: () => Promise<unknown>): Context {
  let done = false;
  const write: Context["table"]["write"] = async (...changes) => {
    if (!done) {
      done = true;
      await meanwhile();
    }
    return await ctx.table.write(...changes);
  };
  return { ...ctx, table: { ...ctx.table, write } };
}

test("who loses what it gives of between the look and the write gives nothing: its grant, its team, the group's rules", async () => {
  const { shop } = ground;
  const eve = await ground.as("editor");
  const what = { subject: bob.id, group: "view", scope: shop } as const;
  const own = await give(ada, { subject: eve.id, group: "admin", scope: shop });
  const taken = heldUp(eve, () => Grant.remove(ada, own.id));
  await expect(give(taken, what)).rejects.toMatchObject({ kind: "forbidden" });
  const team = await ground.team(eve.id);
  await give(ada, { subject: team, group: "admin", scope: shop });
  const out = heldUp(eve, () => Team.leave(ada, team, eve.id));
  await expect(give(out, what)).rejects.toMatchObject({ kind: "forbidden" });
  await Team.join(ada, team, eve.id);
  const asked = await Grant.request(bob, Grant.RequestInput.parse({ group: "view", scope: shop, reason: "please" }));
  for (const answer of [Grant.approve, Grant.deny]) {
    await expect(
      answer(
        heldUp(eve, () => Team.leave(ada, team, eve.id)),
        asked.id,
      ),
    ).rejects.toMatchObject({
      kind: "forbidden",
    });
    await Team.join(ada, team, eve.id);
  }
  await Grant.deny(eve, asked.id);
  const rules = (verb: string) => [{ apiGroups: ["apps"], resources: ["deployments"], verbs: [verb] }];
  const { id: group } = await Group.create(
    ada,
    Group.CreateInput.parse({ name: "own", rules: rules("get") }),
    Grant.holds,
  );
  const input = Group.UpdateInput.parse({ rules: rules("escalate") });
  const widened = heldUp(eve, () => Group.update(ada, group, input, {}, Grant.holds));
  await expect(give(widened, { ...what, group })).rejects.toMatchObject({ kind: "forbidden" });
  expect(ground.kept("grant").map(({ subject }) => subject)).toEqual([team]);
  // Nobody in the way, a team's admin gives to its own team, and takes its own right.
  await give(eve, { ...what, subject: team });
  const mine = ground.kept("grant").find(({ group: one }) => one === "admin")?.["id"];
  await Grant.remove(eve, mine as Grant.Grant["id"]);
});

test("nobody gives for longer than it holds: what holds for a week can't be made to hold for good", async () => {
  const { shop } = ground;
  const eve = await ground.as("editor");
  await give(ada, { subject: eve.id, group: "admin", scope: shop, expiresInDays: 7 });
  const what = { subject: eve.id, group: "edit", scope: shop } as const;
  const late = { kind: "forbidden", errors: [{ field: "expiresInDays", message: expect.stringContaining("earlier") }] };
  await expect(give(eve, what)).rejects.toMatchObject(late);
  await expect(give(eve, { ...what, expiresInDays: 8 })).rejects.toMatchObject(late);
  const asked = { group: "view", scope: shop, reason: "please" } as const;
  const { id } = await Grant.request(bob, Grant.RequestInput.parse(asked));
  await expect(Grant.approve(eve, id)).rejects.toMatchObject(late);
  await Grant.deny(eve, id);
  const short = await Grant.request(bob, Grant.RequestInput.parse({ ...asked, expiresInDays: 7 }));
  await Grant.approve(eve, short.id);
  const { id: own } = await give(eve, { ...what, expiresInDays: 7 });
  await Grant.remove(eve, own);
  // What else it holds does not end: together they are enough only where both last.
  await give(ada, { subject: eve.id, group: "owner", scope: shop });
  await give(eve, what);
});

test("new rules of a group that is given are not written by who lost what they are made of before the write", async () => {
  const eve = await ground.as("editor");
  const own = await give(ada, { subject: eve.id, group: "admin", scope: "tenant" });
  const rules = (resource: string) => [{ apiGroups: [""], resources: [resource], verbs: ["get"] }];
  const { id } = await Group.create(ada, Group.CreateInput.parse({ name: "own", rules: rules("pods") }), Grant.holds);
  await give(ada, { subject: bob.id, group: id, scope: ground.shop });
  const input = Group.UpdateInput.parse({ rules: rules("secrets") });
  const late = heldUp(eve, () => Grant.remove(ada, own.id));
  await expect(Group.update(late, id, input, {}, Grant.holds)).rejects.toMatchObject({ kind: "forbidden" });
  expect((await Group.get(ada, id)).rules).toEqual(rules("pods"));
});
