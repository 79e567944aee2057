import { beforeEach, describe, expect, test } from "vitest";
import type { ID } from "#core/id.ts";
import * as Project from "#core/project/index.ts";
import { quotaKind } from "#core/quota/schema.ts";
import { type Ground, newGround, refused } from "./ground.ts";

let ground: Ground;
beforeEach(async () => {
  ground = await newGround();
});
const nowhere: ID<"project"> = "prj_01k00000000000000000000001";
const day = 24 * 3600 * 1000;
const inDays = (days: number): string => new Date(Date.parse(ground.ada.now()) + days * day).toISOString();

describe("a new project", () => {
  test("is a row, a name, an entry, a place in the quota and a note to its clusters, at once", async () => {
    const { ada, north, south } = ground;
    const made = await ground.make("shop", { places: [{ cluster: north }, { cluster: south, weight: 3 }] });
    expect(ground.row(made.id)).toMatchObject({ name: "shop", generation: 1, spec: { title: "shop" } });
    expect(made.places).toEqual([
      { cluster: north, weight: 1 },
      { cluster: south, weight: 3 },
    ]);
    expect(ground.said(made.id)).toEqual(["project:create"]);
    expect(await ground.told()).toEqual([[north, south]]);
    expect((await ada.table.get(quotaKind, "projects"))?.used).toBe(1);
  });

  test("may be nowhere yet, and then nobody is told", async () => {
    await ground.make("shop");
    expect(await ground.told()).toEqual([]);
  });

  test("has a name of its own, in its tenant", async () => {
    await ground.make("shop");
    const other = await refused(ground.make("shop"));
    expect(other).toEqual({ kind: "conflict", fields: { name: "is taken" } });
    await Project.create(ground.bob, Project.CreateInput.parse({ name: "shop" }));
  });

  test("of 20 with one name at once is one", async () => {
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => ground.make("shop")));
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await Project.list(ground.ada, {})).items).toHaveLength(1);
  });

  test("names clusters that are there, the tenant's own and not being removed: each other by its field", async () => {
    const { north, south, west, foreign } = ground;
    const gone: ID<"cluster"> = "cls_01k00000000000000000000009";
    const places = (...list: ID<"cluster">[]) => ({ places: list.map((cluster) => ({ cluster })) });
    expect(await refused(ground.make("shop", places(north, foreign, gone)))).toEqual({
      kind: "missing",
      fields: { "places.1.cluster": "is no cluster of yours", "places.2.cluster": "is no cluster of yours" },
    });
    await ground.removing(south);
    expect(await refused(ground.make("shop", places(west, south)))).toEqual({
      kind: "conflict",
      fields: { "places.1.cluster": "is being removed" },
    });
    const opening = { name: "web", direction: "ingress", peer: { project: nowhere } };
    expect(await refused(ground.make("shop", { network: { openings: [opening] } }))).toEqual({
      kind: "missing",
      fields: { "network.openings.0.peer.project": "is no project of yours" },
    });
    expect((await Project.list(ground.ada, {})).items).toEqual([]);
  });

  test("does not end in the past", async () => {
    expect(await refused(ground.make("shop", { expiresAt: inDays(-1) }))).toMatchObject({
      fields: { expiresAt: expect.stringMatching(/later/) },
    });
  });
});

describe("a change", () => {
  test("leaves what is left out, takes away what is null, and is one generation", async () => {
    const { north } = ground;
    const { id } = await ground.make("shop", {
      places: [{ cluster: north }],
      pullSecret: "registry",
      expiresAt: inDays(30),
    });
    await ground.told();
    const changed = await ground.patch(id, { title: "Shop", pullSecret: null, expiresAt: null, limits: { pods: 10 } });
    expect(changed).toMatchObject({ generation: 2, spec: { title: "Shop", limits: { pods: 10 } } });
    expect(ground.row(id)?.spec).not.toHaveProperty("pullSecret");
    expect(ground.row(id)).not.toHaveProperty("lookAt");
    expect(await ground.told()).toEqual([[north]]);
  });

  test("that changes nothing writes nothing", async () => {
    const { id } = await ground.make("shop", { places: [{ cluster: ground.north, weight: 2 }] });
    await ground.told();
    const before = JSON.stringify([...ground.stage.tables.rows()]);
    await ground.patch(id, { title: "shop", places: [{ cluster: ground.north }] });
    expect(JSON.stringify([...ground.stage.tables.rows()])).toBe(before);
  });

  test("of another generation is refused with the one that is there", async () => {
    const { id } = await ground.make("shop");
    await ground.patch(id, { title: "Shop" }, 1);
    await expect(ground.patch(id, { title: "Store" }, 1)).rejects.toMatchObject({ kind: "stale", generation: 2 });
    await expect(Project.remove(ground.ada, id, { confirm: "shop", generation: 1 })).rejects.toMatchObject({
      kind: "stale",
    });
    expect(ground.row(id)?.spec.title).toBe("Shop");
  });

  test("of 30 at once on one generation is one, and of 30 without a condition each", async () => {
    const { id } = await ground.make("shop");
    const at = (limit: number, generation?: number) => ground.patch(id, { reservePercent: limit }, generation);
    const racing = await Promise.allSettled(Array.from({ length: 30 }, (_, n) => at(n + 1, 1)));
    expect(racing.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(ground.row(id)?.generation).toBe(2);
    const others = Array.from({ length: 15 }, (_, n) => ground.patch(id, { title: `t${n}` }));
    const done = await Promise.allSettled(others);
    expect(done.filter(({ status }) => status === "rejected")).toEqual([]);
    expect(ground.row(id)?.generation).toBe(17);
    expect(ground.said(id)).toHaveLength(17);
  });
});

describe("a stranger and a weaker one", () => {
  test("another tenant's owner finds no such project", async () => {
    const { bob, ada } = ground;
    const { id } = await ground.make("shop");
    const asked = [
      Project.get(bob, id),
      Project.update(bob, id, { title: "Mine" }),
      Project.remove(bob, id, { confirm: "shop" }),
      Project.receipt(bob, id),
    ];
    for (const one of asked) expect(await refused(one)).toMatchObject({ kind: "missing" });
    expect((await Project.list(bob, {})).items).toEqual([]);
    expect((await Project.list(ada, {})).items).toHaveLength(1);
  });

  test("a viewer looks and changes nothing; an editor changes, and adopts nothing", async () => {
    const { north } = ground;
    const { id } = await ground.make("shop", { places: [{ cluster: north }] });
    const [viewer, editor] = [await ground.member("viewer"), await ground.member("editor")];
    expect((await Project.get(viewer, id)).name).toBe("shop");
    for (const one of [
      Project.create(viewer, Project.CreateInput.parse({ name: "desk" })),
      Project.update(viewer, id, { title: "Mine" }),
      Project.remove(viewer, id, { confirm: "shop" }),
      Project.move(viewer, id, { from: north, to: ground.south, confirm: "shop" }),
      Project.adopt(viewer, id, { cluster: north, confirm: "shop" }),
      Project.adopt(editor, id, { cluster: north, confirm: "shop" }),
    ])
      expect(await refused(one)).toMatchObject({ kind: "forbidden" });
    expect((await Project.update(editor, id, { title: "Shop" })).generation).toBe(2);
    expect((await Project.adopt(ground.ada, id, { cluster: north, confirm: "shop" })).places[0]?.adopt).toBe(true);
  });

  test("a bound token sees and changes its projects alone, on its clusters alone", async () => {
    const { north, south } = ground;
    const shop = await ground.make("shop", { places: [{ cluster: north }] });
    const desk = await ground.make("desk");
    const bound = await ground.member("owner", { projects: [shop.id], clusters: [north] });
    expect((await Project.list(bound, {})).items.map(({ name }) => name)).toEqual(["shop"]);
    expect((await Project.list(bound, { name: "desk" })).items).toEqual([]);
    for (const one of [
      Project.get(bound, desk.id),
      Project.update(bound, desk.id, { title: "Mine" }),
      Project.create(bound, Project.CreateInput.parse({ name: "mine" })),
    ])
      expect(await refused(one)).toMatchObject({ kind: "forbidden" });
    expect((await Project.update(bound, shop.id, { title: "Shop" })).generation).toBe(2);
    const places = [{ cluster: north }, { cluster: south }];
    expect(await refused(Project.update(bound, shop.id, { places }))).toMatchObject({
      kind: "forbidden",
      fields: { "places.1.cluster": "is not your token's" },
    });
    const asked = Project.SplitInput.parse({ places });
    for (const [field, one] of [
      ["to", Project.move(bound, shop.id, { from: north, to: south, confirm: "shop" })],
      ["cluster", Project.adopt(bound, shop.id, { cluster: south, confirm: "shop" })],
      [
        "places.1.cluster",
        Project.preview({ ...bound, actor: { ...bound.actor, within: { clusters: [north] } } }, asked),
      ],
    ] as const)
      expect(await refused(one)).toEqual({ kind: "forbidden", fields: { [field]: "is not your token's" } });
    await ground.patch(shop.id, { places });
    expect(
      await refused(Project.update(bound, shop.id, { places: [{ cluster: north }], confirm: "shop" })),
    ).toMatchObject({
      kind: "forbidden",
    });
  });
});

describe("a list", () => {
  test("of 50 projects is filtered by name, cluster, label and end, and refuses the 51st by its limit", async () => {
    const { ada, north, south } = ground;
    for (let n = 0; n < 50; n += 1) {
      await ground.make(`p${n}`, {
        labels: { team: n % 2 === 0 ? "shop" : "desk" },
        places: [{ cluster: n % 5 === 0 ? south : north }],
        ...(n % 10 === 0 && { expiresAt: inDays(n === 0 ? 3 : 300) }),
      });
    }
    const names = async (filter: Parameters<typeof Project.list>[1]) =>
      (await Project.list(ada, { limit: 100, ...filter })).items.map(({ name }) => name);
    expect(await names({})).toHaveLength(50);
    expect(await names({ name: "p7" })).toEqual(["p7"]);
    expect(await names({ name: "p7", cluster: south })).toEqual([]);
    expect(await names({ cluster: south })).toHaveLength(10);
    expect(await names({ cluster: south, labels: [["team", "shop"]] })).toHaveLength(5);
    expect(await names({ expiring: true })).toEqual(["p0"]);
    expect(await names({ expiring: false })).toHaveLength(49);
    expect(await refused(ground.make("p50"))).toMatchObject({ kind: "limit" });
    const pages: string[] = [];
    let after: string | undefined;
    do {
      const page = await Project.list(ada, { limit: 7, after, cluster: north });
      pages.push(...page.items.map(({ name }) => name));
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(new Set(pages).size).toBe(40);
    expect(pages).toHaveLength(40);
  });
});
