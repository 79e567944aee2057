import { expect, test } from "vitest";
import type { Place } from "#core/context.ts";
import { encodeCursor, type Page, type PageInput } from "#core/page.ts";
import { dueShards, lapOf, shardOf } from "#core/table/index.ts";
import { begin, newTenant, one, type Open, refusal, thing, type World } from "./things.ts";

const late = "2099-01-01T00:00:00Z";
const first = "hst_01k3zq9m5w0000000000000001";
const second = "hst_01k3zq9m5w0000000000000002";

const idsOf = ({ items }: Page<Place>): string[] => items.map(({ id }) => id);

/** Every place of a list, read in pages of two. */
async function all<T extends Place>(page: (input: PageInput) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for (let after: string | undefined; ; ) {
    const { items: some, next } = await page({ limit: 2, after });
    items.push(...some);
    if (next === null) return items;
    expect(some).toHaveLength(2);
    after = next;
  }
}

/** The ids of all that waits, by what it waits for. */
async function waiting({ due, parked, unsealed }: World) {
  const shards = Array.from({ length: dueShards }, (_, shard) => shard);
  const [looks, seals] = await Promise.all([
    Promise.all(shards.map((shard) => due(shard, late))),
    Promise.all(shards.map((shard) => unsealed(shard, late))),
  ]);
  return {
    due: looks.flatMap(idsOf).sort(),
    parked: idsOf(await parked()).sort(),
    unsealed: seals.flatMap(idsOf).sort(),
  };
}

/** What every table promises of the lists that span tenants. */
export function places(open: Open): void {
  test("a row waits for one thing at a time: its time, a person or a seal", async () => {
    const world = await one(open);
    const { mine } = world;
    await mine.write(
      mine.insert(thing, "look", { name: "x", lookAt: begin }),
      mine.insert(thing, "park", { name: "x", parkedAt: begin }),
      mine.insert(thing, "seal", { name: "x", unsealed: begin }),
      mine.insert(thing, "none", { name: "x" }),
    );
    expect(await waiting(world)).toEqual({ due: ["look"], parked: ["park"], unsealed: ["seal"] });
    expect(await mine.edit(thing, "look", { set: { parkedAt: begin } })).toEqual({ name: "x", parkedAt: begin });
    expect(await waiting(world)).toEqual({ due: [], parked: ["look", "park"], unsealed: ["seal"] });
    const woken = await mine.edit(thing, "look", { set: { lookAt: begin }, remove: ["parkedAt"] });
    expect(woken).toEqual({ name: "x", lookAt: begin });
    await mine.write(mine.update(thing, "park", { set: { lookAt: begin } }), mine.remove(thing, "seal"));
    expect(await mine.get(thing, "park")).toEqual({ name: "x", lookAt: begin });
    expect(await waiting(world)).toEqual({ due: ["look", "park"], parked: [], unsealed: [] });
    await mine.write(mine.update(thing, "park", { set: { parkedAt: begin }, remove: ["lookAt"] }));
    expect(await waiting(world)).toEqual({ due: ["look"], parked: ["park"], unsealed: [] });
    await mine.write(mine.update(thing, "park", { remove: ["parkedAt"] }));
    await mine.write(mine.update(thing, "none", { set: { unsealed: begin } }));
    expect(await waiting(world)).toEqual({ due: ["look"], parked: [], unsealed: ["none"] });
    await mine.edit(thing, "none", { remove: ["unsealed"] });
    expect(await waiting(world)).toEqual({ due: ["look"], parked: [], unsealed: [] });
  });

  test("what waits for one thing can't be lost by removing another", async () => {
    const world = await one(open);
    const { mine } = world;
    await mine.write(mine.insert(thing, "a", { name: "x", parkedAt: begin }));
    const cause = await refusal(mine.edit(thing, "a", { remove: ["lookAt"] }));
    expect(cause.found).toEqual({ name: "x", parkedAt: begin });
    await refusal(mine.write(mine.update(thing, "a", { remove: ["unsealed"] })));
    expect((await waiting(world)).parked).toEqual(["a"]);
    await mine.edit(thing, "a", { remove: ["lookAt", "parkedAt"] });
    expect((await waiting(world)).parked).toEqual([]);
  });

  test("parked rows of all tenants come in one list, the longest first, in pages", async () => {
    const { table, mine, parked } = await one(open);
    const theirs = table(newTenant());
    const at = (n: number): string => new Date(Date.parse(begin) + n * 1000).toISOString();
    await mine.write(...[4, 0, 2].map((n) => mine.insert(thing, `m${n}`, { name: "x", parkedAt: at(n) })));
    await theirs.write(...[1, 3].map((n) => theirs.insert(thing, `t${n}`, { name: "x", parkedAt: at(n) })));
    const found = await all((page) => parked(page));
    expect(found.map(({ id }) => id)).toEqual(["m0", "t1", "m2", "t3", "m4"]);
    expect(found[1]).toEqual({ tenant: theirs.tenant, id: "t1" });
  });

  test("entries without a seal are all in their tenant's shard, oldest first, in pages", async () => {
    const { table, mine, unsealed } = await one(open);
    const theirs = table(newTenant());
    const at = (n: number): string => new Date(Date.parse(begin) + n * 1000).toISOString();
    for (const tenant of [mine, theirs]) {
      const order = [3, 0, 4, 1, 2];
      await tenant.write(...order.map((n) => tenant.insert(thing, `e${n}`, { name: "x", unsealed: at(n) })));
    }
    const found = await all((page) => unsealed(shardOf(mine.tenant), at(3), page));
    const ours = found.filter(({ tenant }) => tenant === mine.tenant).map(({ id }) => id);
    expect(ours).toEqual(["e0", "e1", "e2", "e3"]);
    await expect(unsealed(dueShards, begin)).rejects.toThrow("no due shard");
  });

  test("a host's rows of all tenants come in tenths, in pages, each with its sight once it has one", async () => {
    const { table, mine, carried } = await one(open);
    const theirs = table(newTenant());
    const ids = Array.from({ length: 12 }, (_, n) => `cls_${n}`);
    const halves = [ids.slice(0, 6), ids.slice(6)];
    for (const [at, tenant] of [mine, theirs].entries()) {
      await tenant.write(
        ...(halves[at] ?? []).map((id) => tenant.insert(thing, id, { name: "x", hostedOn: first, lookAt: begin })),
        tenant.insert(thing, "elsewhere", { name: "x", hostedOn: second, sight: "s" }),
        tenant.insert(thing, "nowhere", { name: "x" }),
      );
    }
    await mine.edit(thing, "cls_1", { set: { sight: "a1" } });
    const found = await all((page) => carried(first, page));
    expect(found.map(({ id }) => id)).toEqual(ids.toSorted((a, b) => lapOf(a) - lapOf(b) || a.localeCompare(b)));
    expect(found.find(({ id }) => id === "cls_1")).toEqual({ tenant: mine.tenant, id: "cls_1", sight: "a1" });
    expect(found.find(({ id }) => id === "cls_7")).toEqual({ tenant: theirs.tenant, id: "cls_7" });
    await mine.edit(thing, "cls_1", { set: { hostedOn: second } });
    await mine.write(mine.update(thing, "cls_2", { remove: ["hostedOn"] }), mine.remove(thing, "cls_3"));
    await mine.edit(thing, "cls_4", { remove: ["lookAt"] });
    const left = ids.filter((id) => !["cls_1", "cls_2", "cls_3"].includes(id));
    expect(idsOf(await carried(first)).sort()).toEqual(left.sort());
    expect(idsOf(await carried(second)).sort()).toEqual(["cls_1", "elsewhere", "elsewhere"]);
  });

  test("a cursor that no list across tenants gave is the caller's fault", async () => {
    const { parked, carried } = await one(open);
    for (const position of ["a", '["', "{}", '["a","b"]', '["a","b",""]', '["a","b",1]']) {
      const after = encodeCursor(position);
      await expect(parked({ after })).rejects.toMatchObject({ kind: "invalid" });
      await expect(carried(first, { after })).rejects.toMatchObject({ kind: "invalid" });
    }
    await expect(parked({ limit: 0 })).rejects.toMatchObject({ kind: "invalid" });
  });
}
