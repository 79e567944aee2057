import { expect, test } from "vitest";
import type { Refused } from "#core/context.ts";
import { dueShards, shardOf } from "#core/table/index.ts";
import { begin, beginSeconds, newTenant, one, type Open, other, refusal, thing } from "./things.ts";

/** What every table promises of due rows, of expiry and of many at once. */
export function time(open: Open): void {
  test("lookAt alone places a row in the due index, whoever writes it, and takes it out", async () => {
    const { table, mine, due } = await one(open);
    const theirs = table(newTenant());
    const all = async (before: string) => {
      const pages = await Promise.all(Array.from({ length: dueShards }, (_, shard) => due(shard, before)));
      return pages.flatMap(({ items }) => items.map(({ tenant, id }) => `${tenant} ${id}`)).sort();
    };
    await mine.write(mine.insert(thing, "a", { name: "a", lookAt: "2027-03-01T12:00:05Z" }));
    await theirs.write(
      theirs.insert(thing, "b", { name: "b" }),
      theirs.insert(thing, "c", { name: "c", lookAt: begin }),
    );
    expect(await all("2027-03-01T12:00:04.999Z")).toEqual([`${theirs.tenant} c`]);
    expect(await all("2027-03-01T12:00:05.000Z")).toEqual([`${mine.tenant} a`, `${theirs.tenant} c`].sort());
    await theirs.edit(thing, "b", { set: { lookAt: begin } });
    await theirs.edit(thing, "c", { remove: ["lookAt"], set: { flag: true } });
    await mine.write(mine.update(thing, "a", { set: { lookAt: "2028-01-01T00:00:00.000Z" } }));
    expect(await all("2027-12-31T00:00:00Z")).toEqual([`${theirs.tenant} b`]);
    await mine.write(mine.update(thing, "a", { remove: ["lookAt"] }), theirs.remove(thing, "b"));
    expect(await all("2099-01-01T00:00:00Z")).toEqual([]);
    expect(await theirs.get(thing, "c")).toEqual({ name: "c", flag: true });
  });

  test("due rows come oldest first, each from one shard, in pages", async () => {
    const { mine, due } = await one(open);
    const ids = Array.from({ length: 40 }, (_, at) => `cls_${at}`);
    const at = (n: number): string => new Date(Date.parse(begin) + ((n * 17) % 40) * 1000).toISOString();
    await mine.write(...ids.map((id, n) => mine.insert(thing, id, { name: id, lookAt: at(n) })));
    const seen: string[] = [];
    for (let shard = 0; shard < dueShards; shard += 1) {
      const ours: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await due(shard, "2027-03-01T13:00:00Z", { limit: 3, after });
        ours.push(...page.items.map(({ id }) => id));
        if (page.next === null) break;
        expect(page.items).toHaveLength(3);
        after = page.next;
      }
      const mineOf = ids.filter((id) => shardOf(id) === shard);
      expect(mineOf.length).toBeGreaterThan(3);
      expect(ours).toEqual(mineOf.toSorted((a, b) => at(ids.indexOf(a)).localeCompare(at(ids.indexOf(b)))));
      seen.push(...ours);
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
    await expect(due(dueShards, begin)).rejects.toThrow("no due shard");
  });

  test("a row whose time has passed is not there, for any call", async () => {
    const { mine, clock } = await one(open);
    const old = { name: "old", ttl: beginSeconds + 60 };
    await mine.write(...["a", "b", "c", "d", "e"].map((id) => mine.insert(thing, id, old)));
    await refusal(mine.write(mine.insert(thing, "a", { name: "new" })));
    clock.now = "2027-03-01T12:00:59.999Z";
    expect(await mine.get(thing, "a")).toEqual(old);
    clock.now = "2027-03-01T12:01:00.000Z";
    expect(await mine.get(thing, "a")).toBeUndefined();
    expect(await mine.getAll([[thing, "a"]])).toEqual([undefined]);
    expect((await mine.list(thing)).items).toEqual([]);
    expect((await refusal(mine.edit(thing, "a", { set: { name: "x" } }))).found).toBeUndefined();
    await refusal(mine.write(mine.update(thing, "a", { set: { name: "x" } }), mine.insert(thing, "z", { name: "z" })));
    expect((await refusal(mine.write(mine.check(thing, "b", { name: "old" })))).found).toBeUndefined();
    await mine.write(mine.check(thing, "b", { name: { absent: true } }));
    await mine.write(mine.check(thing, "b", { name: { not: "old" } }), mine.insert(thing, "a", { name: "new" }));
    await mine.write(mine.insert(thing, "c", { name: "new" }));
    expect((await mine.list(thing)).items).toEqual([{ name: "new" }, { name: "new" }]);
    await mine.edit(thing, "a", { set: { ttl: beginSeconds + 61 } });
    clock.now = "2027-03-01T12:01:01.000Z";
    expect((await mine.list(thing)).items).toEqual([{ name: "new" }]);
  });

  test("expired rows neither shorten a page nor look like its end", async () => {
    const { mine, clock } = await one(open);
    const rows = Array.from({ length: 90 }, (_, at) =>
      mine.insert(thing, `n${String(at).padStart(2, "0")}`, {
        name: String(at),
        ...(at % 30 !== 29 && { ttl: beginSeconds + 1 }),
      }),
    );
    await mine.write(...rows);
    clock.now = "2027-03-01T12:00:02.000Z";
    const first = await mine.list(thing, { limit: 2 });
    expect(first.items.map(({ name }) => name)).toEqual(["29", "59"]);
    const second = await mine.list(thing, { limit: 2, after: first.next ?? "" });
    expect([second.items.map(({ name }) => name), second.next]).toEqual([["89"], null]);
    expect((await mine.list(thing, { limit: 3 })).next).toBeNull();
  });

  test("twenty sums at once are all counted", async () => {
    const { mine } = await one(open);
    await mine.write(mine.insert(thing, "a", { name: "x" }), mine.insert(thing, "b", { name: "x" }));
    await Promise.all(Array.from({ length: 20 }, () => mine.edit(thing, "a", { add: { count: 1 } })));
    expect((await mine.get(thing, "a"))?.count).toBe(20);
    await Promise.all(Array.from({ length: 20 }, () => mine.write(mine.update(thing, "b", { add: { count: 1 } }))));
    expect((await mine.get(thing, "b"))?.count).toBe(20);
  });

  test("of twenty transactions on one row each is written whole or refused whole", async () => {
    const { mine } = await one(open);
    await mine.write(mine.insert(thing, "seats", { name: "x", count: 0 }));
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, at) =>
        mine.write(
          mine.update(thing, "seats", { add: { count: 1 }, when: { count: { below: 12 } } }),
          mine.insert(other, `o${String(at).padStart(2, "0")}`, { name: String(at) }),
        ),
      ),
    );
    const failed = results.filter((result) => result.status === "rejected");
    expect(failed.map(({ reason }) => (reason as Refused).index)).toEqual(Array<number>(8).fill(0));
    expect((await mine.get(thing, "seats"))?.count).toBe(12);
    const won = results.flatMap((result, at) => (result.status === "fulfilled" ? [String(at)] : []));
    expect((await mine.list(other)).items.map(({ name }) => name)).toEqual(won);
  });

  test("of twenty inserts of one id one is made", async () => {
    const { mine } = await one(open);
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, at) => mine.write(mine.insert(thing, "a", { name: String(at) }))),
    );
    const won = results.flatMap((result, at) => (result.status === "fulfilled" ? [String(at)] : []));
    expect(won).toHaveLength(1);
    expect((await mine.get(thing, "a"))?.name).toBe(won[0]);
  });
}
