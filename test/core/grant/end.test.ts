import { beforeEach, expect, test } from "vitest";
import type { Context } from "#core/context.ts";
import * as Grant from "#core/grant/index.ts";
import * as Group from "#core/group/index.ts";
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
const days = (count: number): Promise<void> => ground.stage.clock.pass(count * 86_400_000);
const used = async () => (await Quota.list(ada)).find(({ what }) => what === "grants")?.used;

test("a grant with an end is due then, goes with an audit entry, and its clusters are noted", async () => {
  const { id } = await ground.give(ada, { subject: bob.id, group: "view", scope: ground.blog, expiresInDays: 2 });
  expect(ground.kept("grant")[0]).toMatchObject({ lookAt: (await Grant.get(ada, id)).expiresAt });
  await days(1);
  expect(await Grant.expire(ada, id)).toBe("waiting");
  await days(1);
  expect(await ground.noted(() => Grant.expire(ada, id))).toEqual([[ground.south]]);
  expect([ground.grants(), ground.kept("given"), await used()]).toEqual([[], [], 0]);
  expect(ground.verbs().at(-1)).toBe("grant:expired");
  expect(await Grant.expire(ada, id)).toBe("gone");
});

test("two who end the same grant at once end it once", async () => {
  const { id } = await ground.give(ada, { subject: bob.id, group: "view", scope: "tenant", expiresInDays: 1 });
  await days(1);
  const ends = await Promise.all(Array.from({ length: 6 }, () => Grant.expire(ada, id)));
  expect(ends.filter((end) => end === "expired")).toHaveLength(1);
  expect(await used()).toBe(0);
});

test("what is over can be given anew before anybody has ended it", async () => {
  const what = { subject: bob.id, group: "view", scope: "tenant" } as const;
  const first = await ground.give(ada, { ...what, expiresInDays: 1 });
  await days(1);
  const second = await ground.give(ada, what);
  expect(ground.grants()).toEqual([second.id]);
  expect(second.id).not.toBe(first.id);
});

test("a member who goes loses all that it is given and asks for, and nobody else anything", async () => {
  const { shop, blog, north } = ground;
  const eve = await ground.as("viewer");
  const team = await ground.team(bob.id);
  for (const scope of ["tenant", north, shop] as const)
    await ground.give(ada, { subject: bob.id, group: "view", scope });
  await Grant.request(bob, { group: "admin", scope: blog, reason: "please" });
  const stay = [
    await ground.give(ada, { subject: eve.id, group: "view", scope: shop }),
    await ground.give(ada, { subject: team, group: "view", scope: shop }),
  ].map(({ id }) => id);
  expect(await ground.noted(() => Grant.endSubject(ada, bob.id))).toEqual(["all"]);
  expect(ground.grants().sort()).toEqual(stay.sort());
  expect(await used()).toBe(2);
  await Grant.endSubject(ada, team);
  expect(await used()).toBe(1);
});

test("the end of many grants takes several writes, and leaves none", async () => {
  const names = Array.from({ length: 40 }, (_, at) => `g${at}`);
  const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
  for (const name of names) {
    const group = await Group.create(ada, Group.CreateInput.parse({ name, rules }), Grant.holds);
    await ground.give(ada, { subject: bob.id, group: group.id, scope: ground.blog });
  }
  await Grant.endSubject(ada, bob.id);
  expect([ground.grants(), ground.kept("given"), await used()]).toEqual([[], [], 0]);
});

test("a scope that goes takes what is given there along, and notes the clusters of it", async () => {
  const { shop, north, south } = ground;
  const wide = await ground.give(ada, { subject: bob.id, group: "view", scope: "tenant" });
  await ground.give(ada, { subject: bob.id, group: "view", scope: shop });
  await ground.give(ada, { subject: bob.id, group: "view", scope: north });
  expect(await ground.noted(() => Grant.endScope(ada, shop))).toEqual([[north, south]]);
  await Grant.endScope(ada, north);
  expect(ground.grants()).toEqual([wide.id]);
});

test("what an invite gives is checked as a grant is, its fields under their own path, and made with the member", async () => {
  const { shop } = ground;
  const eve = await ground.as("editor");
  const gift = { group: "view", scope: shop } as const;
  await expect(Grant.givable(eve, gift, "grants.0")).rejects.toMatchObject({
    kind: "forbidden",
    errors: [{ field: "grants.0.group" }],
  });
  const gone = "prj_01k00000000000000000000000" as const;
  await expect(Grant.givable(ada, { ...gift, scope: gone }, "grants.1")).rejects.toMatchObject({
    kind: "missing",
    errors: [{ field: "grants.1.scope" }],
  });
  await Grant.givable(ada, gift, "grants.0");
  const given = { subject: bob.id, createdBy: ada.actor.member as typeof bob.id };
  await ada.table.write(...(await Grant.giving(ada, { ...gift, ...given })));
  expect((await Grant.held(ada, bob.id, shop)).groups).toEqual(["view"]);
  expect(await Grant.giving(ada, { ...gift, ...given, scope: gone })).toEqual([]);
});
