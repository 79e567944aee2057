import { beforeEach, describe, expect, test } from "vitest";
import type { ID } from "#core/id.ts";
import * as Project from "#core/project/index.ts";
import { quotaKind } from "#core/quota/schema.ts";
import { type Ground, newGround, refused } from "./ground.ts";

let ground: Ground;
beforeEach(async () => {
  ground = await newGround();
});

describe("places", () => {
  const named = (...list: [ID<"cluster">, number?][]) => ({
    places: list.map(([cluster, weight]) => ({ cluster, ...(weight !== undefined && { weight }) })),
  });

  test("are added and weighed at any time", async () => {
    const { north, south } = ground;
    const { id } = await ground.make("shop", named([north, 4]));
    const { places } = await ground.patch(id, named([north], [south, 2]));
    expect(places).toEqual([
      { cluster: north, weight: 4 },
      { cluster: south, weight: 2 },
    ]);
  });

  test("go by the project's name alone, and while it is protected not at all", async () => {
    const { north, south } = ground;
    const { id } = await ground.make("shop", { ...named([north], [south]), deletionProtection: true });
    for (const confirm of [undefined, "south", "Shop"]) {
      const { kind, fields } = await refused(ground.patch(id, { ...named([north]), confirm }));
      expect([kind, fields["confirm"]]).toEqual(["invalid", expect.stringContaining("south")]);
    }
    expect(await refused(ground.patch(id, { ...named([north]), confirm: "shop" }))).toMatchObject({ kind: "conflict" });
    expect(ground.row(id)?.places.some(({ leavingAt }) => leavingAt !== undefined)).toBe(false);
    await ground.patch(id, { ...named([north]), confirm: "shop", deletionProtection: false });
    expect(ground.row(id)?.places).toMatchObject([
      { cluster: north },
      { cluster: south, leavingAt: expect.any(String) },
    ]);
  });

  test("that are leaving are not taken back, and are gone once their namespace is", async () => {
    const { ada, north, south } = ground;
    const { id } = await ground.make("shop", named([north], [south]));
    await ground.patch(id, { ...named([north]), confirm: "shop" });
    const back = await refused(ground.patch(id, named([north], [south])));
    expect(back).toMatchObject({ kind: "conflict", fields: { "places.1.cluster": expect.stringMatching(/gone/) } });
    await Project.left(ada, id, north);
    expect(ground.row(id)?.places).toHaveLength(2);
    await Project.left(ada, id, south);
    await Project.left(ada, id, south);
    // It breaks nobody's condition.
    expect(ground.row(id)).toMatchObject({ places: [{ cluster: north, weight: 1 }], generation: 2 });
    expect((await ground.patch(id, named([north], [south]))).places).toHaveLength(2);
  });

  test("on a cluster that is gone go without a word, with what they held", async () => {
    const { ada, north, south } = ground;
    const { id } = await ground.make("shop", named([north], [south]));
    await ground.end(south);
    await ground.patch(id, named([north]));
    expect(ground.row(id)?.places).toEqual([{ cluster: north, weight: 1 }]);
    const other = await ground.make("desk", named([north]));
    await ground.end(north);
    await Project.left(ada, other.id, north);
    expect(ground.row(other.id)?.places).toEqual([]);
  });
});

describe("removal", () => {
  test("takes the name said again, tells every cluster, and ends with the last namespace in a receipt", async () => {
    const { ada, north, south } = ground;
    const { id } = await ground.make("shop", { places: [{ cluster: north }, { cluster: south }] });
    await ground.told();
    for (const confirm of [undefined, "", "Shop"]) {
      expect(await refused(Project.remove(ada, id, { confirm }))).toMatchObject({
        kind: "invalid",
        fields: { confirm: expect.stringMatching(/shop/) },
      });
    }
    const going = await Project.remove(ada, id, { confirm: "shop" });
    expect(going.places.map(({ leavingAt }) => leavingAt)).toEqual([ada.now(), ada.now()]);
    expect(await ground.told()).toEqual([[north, south]]);
    await Project.remove(ada, id, { confirm: "shop" });
    expect(await refused(ground.patch(id, { title: "Shop" }))).toMatchObject({ kind: "conflict" });
    expect(await refused(Project.receipt(ada, id))).toMatchObject({ kind: "missing" });
    await Project.left(ada, id, north);
    expect(await refused(ground.make("shop"))).toMatchObject({ kind: "conflict" });
    await Project.left(ada, id, south);
    expect(await Project.receipt(ada, id)).toMatchObject({ name: "shop", clusters: [north, south], goneAt: ada.now() });
    expect(ground.row(id)).toBeUndefined();
    expect((await ada.table.get(quotaKind, "projects"))?.used).toBe(0);
    expect(ground.said(id)).toEqual(["project:create", "project:remove", "project:left", "project:removed"]);
    await ground.make("shop");
  });

  test("of a protected project is refused by the field", async () => {
    const { id } = await ground.make("shop", { deletionProtection: true });
    expect(await refused(Project.remove(ground.ada, id, { confirm: "shop" }))).toMatchObject({
      kind: "conflict",
      fields: { deletionProtection: expect.stringMatching(/false/) },
    });
  });

  test("of one that is nowhere, or only on clusters that are gone, ends at once", async () => {
    const { ada, north } = ground;
    const { id } = await ground.make("shop", { places: [{ cluster: north }] });
    await ground.end(north);
    await Project.remove(ada, id, { confirm: "shop" });
    expect(await Project.receipt(ada, id)).toMatchObject({ name: "shop" });
    expect(ground.said(id)).toEqual(["project:create", "project:removed"]);
  });

  test("goes on by itself when a cluster ends in the middle of it", async () => {
    const { ada, north, south } = ground;
    const { id } = await ground.make("shop", { places: [{ cluster: north }, { cluster: south }] });
    await Project.remove(ada, id, { confirm: "shop" });
    await ground.end(north);
    await ground.end(south);
    const lookAt = ground.row(id)?.lookAt ?? "";
    expect(Date.parse(lookAt) - Date.parse(ada.now())).toBe(600_000);
    expect(await Project.look(ada, id, async () => false)).toBe("gone");
    expect(await Project.receipt(ada, id)).toMatchObject({ clusters: [north, south] });
    expect(await Project.look(ada, id, async () => false)).toBe("gone");
  });
});
