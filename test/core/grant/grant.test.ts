import { beforeEach, expect, test } from "vitest";
import * as Cluster from "#core/cluster/index.ts";
import type { Context } from "#core/context.ts";
import * as Grant from "#core/grant/index.ts";
import * as Group from "#core/group/index.ts";
import * as Member from "#core/member/index.ts";
import * as Quota from "#core/quota/index.ts";
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
const edit = Group.CreateInput.parse({
  name: "deployers",
  rules: [{ apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "patch"] }],
});

test("a grant is made with its audit entry, and found; a stranger's tenant has none", async () => {
  const made = await give(ada, { subject: bob.id, group: "view", scope: ground.shop });
  expect(made).toMatchObject({ subject: bob.id, group: "view", scope: ground.shop, state: "active", generation: 1 });
  expect(await Grant.get(bob, made.id)).toEqual(made);
  expect(ground.verbs().at(-1)).toBe("grant:create");
  const blue = ground.stage.context((await ground.stage.tenant("blue")).id);
  await expect(Grant.get(blue, made.id)).rejects.toMatchObject({ kind: "missing" });
  await expect(Grant.remove(blue, made.id)).rejects.toMatchObject({ kind: "missing" });
  expect((await Grant.list(blue, {})).items).toEqual([]);
});

test("exactly the clusters that a grant concerns are noted when it is made and when it goes", async () => {
  const { north, south, shop, blog } = ground;
  const cases = [
    ["tenant", "all"],
    [north, [north]],
    [shop, [north, south]],
    [blog, [south]],
  ] as const;
  for (const [scope, whom] of cases) {
    let id: string | undefined;
    expect(
      await ground.noted(async () => (id = (await give(ada, { subject: bob.id, group: "view", scope })).id)),
    ).toEqual([whom]);
    expect(await ground.noted(() => Grant.remove(ada, id as Grant.Grant["id"]))).toEqual([whom]);
  }
  expect(ground.kept("given")).toEqual([]);
});

test("the same is given once, however many give it at once; the refusal names the first", async () => {
  const what = { subject: bob.id, group: "view", scope: "tenant" } as const;
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => give(ada, what)));
  const refused = results.filter((result) => result.status === "rejected").map(({ reason }) => reason as unknown);
  expect(ground.grants()).toHaveLength(1);
  expect(refused).toHaveLength(7);
  for (const fault of refused) {
    expect(fault).toMatchObject({ kind: "conflict", message: expect.stringContaining(ground.grants()[0] ?? "none") });
  }
  await give(ada, { ...what, group: "edit" });
});

test("what is not there, or another tenant's, is missing, by its field", async () => {
  const { stage, shop } = ground;
  const blue = await stage.tenant("blue");
  const other = await stage.enter(blue.owner.text);
  const group = (await Group.create(other, edit, Grant.holds)).id;
  const cluster = (await Cluster.create(other, Cluster.CreateInput.parse({ name: "far" }))).id;
  const what = { subject: bob.id, group: "view", scope: shop } as const;
  const cases = [
    ["subject", { subject: blue.owner.member }],
    ["subject", { subject: "tem_01k00000000000000000000000" as Grant.Subject }],
    ["group", { group }],
    ["scope", { scope: cluster }],
    ["scope", { scope: "prj_01k00000000000000000000000" as Grant.Scope }],
  ] as const;
  for (const [field, more] of cases) {
    await expect(give(ada, { ...what, ...more }), field).rejects.toMatchObject({
      kind: "missing",
      errors: [{ field }],
    });
  }
  expect(ground.grants()).toEqual([]);
});

test("nothing is given to who is suspended, nor on a cluster that is being removed", async () => {
  await Member.update(ada, bob.id, { state: "suspended" });
  const what = { subject: bob.id, group: "view", scope: "tenant" } as const;
  await expect(give(ada, what)).rejects.toMatchObject({ kind: "conflict", errors: [{ field: "subject" }] });
  await Member.update(ada, bob.id, { state: "active" });
  await Cluster.remove(ada, ground.north, {});
  await expect(give(ada, { ...what, scope: ground.north })).rejects.toMatchObject({
    kind: "conflict",
    errors: [{ field: "scope" }],
  });
  expect(ground.grants()).toEqual([]);
});

test("a subject that is suspended between the look and the write is given nothing", async () => {
  const { table } = ada;
  let once = true;
  const slow: Context = {
    ...ada,
    table: {
      ...table,
      write: async (...changes) => {
        if (once) {
          once = false;
          await Member.update(ada, bob.id, { state: "suspended" });
        }
        return await table.write(...changes);
      },
    },
  };
  await expect(give(slow, { subject: bob.id, group: "view", scope: "tenant" })).rejects.toMatchObject({
    kind: "conflict",
  });
  expect(ground.grants()).toEqual([]);
});

test("a list is kept to subject, group, scope and state; a member's has what its teams are given", async () => {
  const { shop } = ground;
  const eve = await ground.as("viewer");
  const team = await ground.team(bob.id);
  const later = async (input: Parameters<typeof give>[1]) => {
    await ground.stage.clock.pass(1_000);
    return await give(ada, input);
  };
  const own = await later({ subject: bob.id, group: "view", scope: shop });
  const teams = await later({ subject: team, group: "edit", scope: "tenant" });
  const others = await later({ subject: eve.id, group: "view", scope: "tenant" });
  const ids = async (filter: Partial<Grant.Filter>) => (await Grant.list(ada, filter)).items.map(({ id }) => id);
  expect(await ids({})).toEqual([own.id, teams.id, others.id]);
  expect(await ids({ subject: bob.id })).toEqual([own.id, teams.id]);
  expect(await ids({ subject: team })).toEqual([teams.id]);
  expect(await ids({ subject: eve.id })).toEqual([others.id]);
  expect(await ids({ group: "view" })).toEqual([own.id, others.id]);
  expect(await ids({ scope: "tenant", group: "view" })).toEqual([others.id]);
  expect(await ids({ state: "requested" })).toEqual([]);
});

test("a change that meant another generation is stale, and a second removal finds nothing", async () => {
  const { id } = await give(ada, { subject: bob.id, group: "view", scope: "tenant" });
  await expect(Grant.remove(ada, id, { generation: 2 })).rejects.toMatchObject({ kind: "stale", generation: 1 });
  await Grant.remove(ada, id, { generation: 1 });
  expect(ground.verbs().at(-1)).toBe("grant:remove");
  await expect(Grant.remove(ada, id)).rejects.toMatchObject({ kind: "missing" });
});

test("grants are counted: none is made beyond the limit, and each that ends gives its place back", async () => {
  await ada.table.write(...(await Quota.limitsTo(ada, { grants: 2 })));
  const one = await give(ada, { subject: bob.id, group: "view", scope: "tenant" });
  await give(ada, { subject: bob.id, group: "edit", scope: "tenant" });
  const third = { subject: bob.id, group: "audit", scope: "tenant" } as const;
  await expect(give(ada, third)).rejects.toMatchObject({ kind: "limit" });
  await Grant.remove(ada, one.id);
  await give(ada, third);
  const counted = (await Quota.list(ada)).find(({ what }) => what === "grants");
  expect(counted).toMatchObject({ used: 2, limit: 2 });
});

test("a grant whose group is gone gives nothing, and an owner can still take it away", async () => {
  const { id: group } = await Group.create(ada, edit, Grant.holds);
  const { id } = await give(ada, { subject: bob.id, group, scope: "tenant" });
  await Group.remove(ada, group, {}, { holds: Grant.holds, used: async () => 0 });
  expect((await Grant.held(ada, bob.id, "tenant")).groups).toEqual([]);
  await Grant.remove(ada, id);
  expect(ground.grants()).toEqual([]);
});
