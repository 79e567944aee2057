import { beforeEach, expect, test } from "vitest";
import type { Context } from "#core/context.ts";
import * as Grant from "#core/grant/index.ts";
import * as Group from "#core/group/index.ts";
import * as Quota from "#core/quota/index.ts";
import { type Ground, newGround } from "../grant/ground.ts";

let ground: Ground;
let ada: Context;
beforeEach(async () => {
  ground = await newGround();
  ({ ada } = ground);
});
const pods = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
const secrets = [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }];
const make = (ctx: Context, more: Record<string, unknown> = {}) =>
  Group.create(ctx, Group.CreateInput.parse({ name: "mine", rules: pods, ...more }), Grant.holds);
const how = { holds: Grant.holds, used: Grant.using };
const change = (ctx: Context, id: Group.Ref, input: Partial<Group.UpdateInput>, only = {}) =>
  Group.update(ctx, id, Group.UpdateInput.parse(input), only, Grant.holds);

test("a group is made with its audit entry, and found; a stranger's tenant has none, and may use the name", async () => {
  const made = await make(ada);
  expect(made).toMatchObject({
    name: "mine",
    title: "mine",
    rules: pods,
    clusterRules: [],
    builtin: false,
    warnings: [],
  });
  expect(await Group.get(ada, made.id)).toEqual(made);
  expect(ground.verbs().at(-1)).toBe("group:create");
  const blue = ground.stage.context((await ground.stage.tenant("blue")).id);
  await expect(Group.get(blue, made.id)).rejects.toMatchObject({ kind: "missing" });
  await expect(change(blue, made.id, { title: "x" })).rejects.toMatchObject({ kind: "missing" });
  await expect(Group.remove(blue, made.id, {}, how)).rejects.toMatchObject({ kind: "missing" });
  await make(blue);
});

test("a name is given once, however many ask at once, and no built-in one's", async () => {
  const results = await Promise.allSettled(Array.from({ length: 6 }, () => make(ada)));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(ground.kept("group")).toHaveLength(1);
  const taken = { kind: "conflict", errors: [{ field: "name" }] };
  await expect(make(ada)).rejects.toMatchObject(taken);
  for (const name of Group.builtinNames) await expect(make(ada, { name })).rejects.toMatchObject(taken);
});

test("the built-in groups come first in a list, page by page, and a name finds the one of it", async () => {
  const { id } = await make(ada);
  const walk = async (limit: number): Promise<string[]> => {
    const ids: string[] = [];
    let after: string | undefined;
    do {
      const page = await Group.list(ada, { limit, after });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      ids.push(...page.items.map((group) => group.id));
      after = page.next ?? undefined;
    } while (after !== undefined);
    return ids;
  };
  for (const limit of [1, 2, 5, 6, 50]) expect(await walk(limit), `${limit}`).toEqual([...Group.builtinNames, id]);
  const named = async (name: string) => (await Group.list(ada, { name })).items.map((group) => group.id);
  expect([await named("mine"), await named("view"), await named("none")]).toEqual([[id], ["view"], []]);
  await expect(Group.list(ada, { limit: 0 })).rejects.toMatchObject({ kind: "invalid" });
});

test("a built-in group is found by its name, tells what is dangerous in it, and stays as it is", async () => {
  const owner = await Group.get(ada, "owner");
  expect(owner).toMatchObject({ id: "owner", builtin: true });
  expect(owner.warnings.length).toBeGreaterThan(0);
  expect((await Group.get(ada, "edit")).warnings).toEqual([]);
  await expect(change(ada, "view", { title: "x" })).rejects.toMatchObject({ kind: "conflict" });
  await expect(Group.remove(ada, "view", {}, how)).rejects.toMatchObject({ kind: "conflict" });
});

test("an editor makes, changes and removes groups of what it holds in the whole tenant, and no others", async () => {
  const eve = await ground.as("editor");
  await ground.give(ada, { subject: eve.id, group: "admin", scope: ground.shop });
  const lacks = { kind: "forbidden", message: expect.stringContaining("get on pods"), errors: [{ field: "rules" }] };
  await expect(make(eve)).rejects.toMatchObject(lacks);
  await ground.give(ada, { subject: eve.id, group: "view", scope: "tenant" });
  const mine = await make(eve);
  await expect(make(eve, { name: "more", rules: secrets })).rejects.toMatchObject({
    message: expect.stringContaining("get on secrets"),
  });
  const wide = [{ apiGroups: ["storage.k8s.io"], resources: ["csidrivers"], verbs: ["get"] }];
  await expect(make(eve, { name: "more", clusterRules: wide })).rejects.toMatchObject({
    errors: [{ field: "clusterRules" }],
  });
  await expect(change(eve, mine.id, { rules: secrets })).rejects.toMatchObject({ kind: "forbidden" });
  const strong = await make(ada, { name: "strong", rules: secrets });
  await expect(change(eve, strong.id, { rules: pods })).rejects.toMatchObject({ kind: "forbidden" });
  await expect(Group.remove(eve, strong.id, {}, how)).rejects.toMatchObject({ kind: "forbidden" });
  await change(eve, mine.id, { title: "Mine" });
  await Group.remove(eve, mine.id, {}, how);
  expect(ground.kept("group")).toHaveLength(1);
});

test("dangerous rules are an owner's alone to make, also for who holds them, and are told of", async () => {
  const eve = await ground.as("editor");
  await ground.give(ada, { subject: eve.id, group: "owner", scope: "tenant" });
  const rules = [{ apiGroups: [""], resources: ["serviceaccounts/token"], verbs: ["create"] }];
  await expect(make(eve, { rules })).rejects.toMatchObject({
    kind: "forbidden",
    message: expect.stringContaining("serviceaccounts/token"),
    errors: [{ field: "rules" }],
  });
  const { id, warnings } = await make(ada, { rules });
  expect(warnings).toEqual(["rules.0, create on serviceaccounts/token, makes tokens of other accounts."]);
  await expect(Group.remove(eve, id, {}, how)).rejects.toMatchObject({ kind: "forbidden" });
  await expect(change(eve, id, { rules: pods })).rejects.toMatchObject({ kind: "forbidden" });
});

test("viewers read groups and write none; bound tokens do neither", async () => {
  const viewer = await ground.as("viewer");
  const { id } = await make(ada);
  expect((await Group.get(viewer, id)).id).toBe(id);
  await expect(make(viewer, { name: "other" })).rejects.toMatchObject({ kind: "forbidden" });
  await expect(change(viewer, id, { title: "x" })).rejects.toMatchObject({ kind: "forbidden" });
  const bound = await ground.as("owner", { projects: [ground.shop] });
  await expect(make(bound, { name: "other" })).rejects.toMatchObject({ kind: "forbidden" });
});

test("new rules are noted for all clusters, a new title for none; another generation is stale", async () => {
  const { id } = await make(ada);
  expect(await ground.noted(() => change(ada, id, { title: "Mine" }))).toEqual([]);
  expect(await ground.noted(() => change(ada, id, { rules: secrets }))).toEqual(["all"]);
  expect(await Group.get(ada, id)).toMatchObject({ title: "Mine", rules: secrets, generation: 3 });
  await expect(change(ada, id, { title: "x" }, { generation: 1 })).rejects.toMatchObject({
    kind: "stale",
    generation: 3,
  });
  await expect(change(ada, id, { rules: [] })).rejects.toMatchObject({ kind: "invalid", errors: [{ field: "rules" }] });
  expect(ground.verbs().at(-1)).toBe("group:update");
});

test("a group that is given is not removed: the refusal tells how often; requests count", async () => {
  const bob = await ground.as("viewer");
  const { id } = await make(ada);
  const grant = await ground.give(ada, { subject: bob.id, group: id, scope: "tenant" });
  const asked = await Grant.request(bob, { group: id, scope: ground.shop, reason: "please" });
  await expect(Group.remove(ada, id, {}, how)).rejects.toMatchObject({
    kind: "conflict",
    message: expect.stringContaining("2 grants"),
  });
  await Grant.remove(ada, grant.id);
  await expect(Group.remove(ada, id, {}, how)).rejects.toMatchObject({
    message: expect.stringContaining("1 grant is"),
  });
  await Grant.deny(ada, asked.id);
  expect(await ground.noted(() => Group.remove(ada, id, {}, how))).toEqual(["all"]);
  expect([ground.kept("group"), ground.kept("groupName")]).toEqual([[], []]);
  await make(ada);
});

test("groups are counted, and none is made beyond the limit", async () => {
  await ada.table.write(...(await Quota.limitsTo(ada, { groups: 1 })));
  const { id } = await make(ada);
  await expect(make(ada, { name: "two" })).rejects.toMatchObject({ kind: "limit" });
  await Group.remove(ada, id, {}, how);
  await make(ada, { name: "two" });
});

test("each verb asks for its own permission, whatever else a token is scoped for", async () => {
  const { id } = await make(ada);
  const scoped = (...scopes: string[]): Context => ({ ...ada, actor: { ...ada.actor, scopes } });
  const refused = { kind: "forbidden", message: expect.stringContaining("not scoped") };
  await expect(Group.list(scoped("group:write"), {})).rejects.toMatchObject(refused);
  await expect(Group.get(scoped("group:write"), id)).rejects.toMatchObject(refused);
  const reads = scoped("group:read");
  await expect(make(reads, { name: "other" })).rejects.toMatchObject(refused);
  await expect(change(reads, id, { title: "x" })).rejects.toMatchObject(refused);
  await expect(Group.remove(reads, id, {}, how)).rejects.toMatchObject(refused);
});
