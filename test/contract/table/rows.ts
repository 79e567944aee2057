import { expect, test } from "vitest";
import * as z from "zod";
import type { Kind } from "#core/context.ts";
import { begin, newTenant, one, type Open, other, refusal, thing } from "./things.ts";

/** What every table promises of single rows, conditions and transactions. */
export function rows(open: Open): void {
  test("a row comes back as it was written, whatever the letters", async () => {
    const { mine } = await one(open);
    const row = {
      name: "Grüße 東京 🚢 \u0000",
      count: -1.5,
      flag: false,
      deep: { none: null, list: [1, "", { a: [] }], "a.b": "" },
    };
    await mine.write(mine.insert(thing, "ключ/🚢", row));
    expect(await mine.get(thing, "ключ/🚢")).toEqual(row);
    expect(await mine.get(thing, "ключ/🚢", { stale: true })).toEqual(row);
    expect(await mine.get(other, "ключ/🚢")).toBeUndefined();
  });

  test("a second row with the same id is refused and tells what stands there", async () => {
    const { mine } = await one(open);
    await mine.write(mine.insert(thing, "a", { name: "first", lookAt: begin }));
    const cause = await refusal(mine.write(mine.insert(thing, "a", { name: "second" })));
    expect([cause.index, cause.found]).toEqual([0, { name: "first", lookAt: begin }]);
    expect(await mine.get(thing, "a")).toEqual({ name: "first", lookAt: begin });
  });

  test("a row of one tenant is not there for another", async () => {
    const { table, mine } = await one(open);
    const theirs = table(newTenant());
    await mine.write(mine.insert(thing, "a", { name: "mine" }));
    expect(await theirs.get(thing, "a")).toBeUndefined();
    expect((await theirs.list(thing)).items).toEqual([]);
    expect(await theirs.getAll([[thing, "a"]])).toEqual([undefined]);
    await theirs.write(theirs.remove(thing, "a"));
    await refusal(theirs.edit(thing, "a", { set: { name: "theirs" } }));
    expect(await mine.get(thing, "a")).toEqual({ name: "mine" });
  });

  test("an edit sets, removes and adds, and answers with the row afterwards", async () => {
    const { mine } = await one(open);
    await mine.write(mine.insert(thing, "a", { name: "x", flag: true, deep: { old: 1 } }));
    const row = await mine.edit(thing, "a", { set: { deep: { new: 2 } }, remove: ["flag"], add: { count: 3 } });
    expect(row).toEqual({ name: "x", deep: { new: 2 }, count: 3 });
    expect(await mine.get(thing, "a")).toEqual(row);
    await mine.write(mine.update(thing, "a", { add: { count: -5 } }));
    expect((await mine.get(thing, "a"))?.count).toBe(-2);
  });

  test("a row that is not there can't be edited", async () => {
    const { mine } = await one(open);
    const gone = await refusal(mine.edit(thing, "a", { set: { name: "x" } }));
    expect([gone.index, gone.found]).toEqual([0, undefined]);
    await refusal(mine.write(mine.update(thing, "a", { set: { name: "x" } })));
    await refusal(mine.write(mine.update(thing, "a", { set: { name: "x" } }), mine.insert(other, "a", { name: "y" })));
    await refusal(mine.edit(thing, "a", {}));
    expect(
      await mine.getAll([
        [thing, "a"],
        [other, "a"],
      ]),
    ).toEqual([undefined, undefined]);
  });

  test.each([
    ["equality", { name: "x" }, { name: "y" }],
    ["a number", { count: 5 }, { count: 6 }],
    ["a number as text", { count: 5 }, { count: "5" }],
    ["a flag", { flag: false }, { flag: true }],
    ["absent", { ttl: { absent: true } }, { name: { absent: true } }],
    ["present", { name: { present: true } }, { ttl: { present: true } }],
    ["below", { count: { below: 6 } }, { count: { below: 5 } }],
    ["below where there is no number", { name: "x" }, { ttl: { below: 5 } }],
    ["below where there is a text", { name: "x" }, { name: { below: 5 } }],
    ["not", { name: { not: "y" } }, { name: { not: "x" } }],
    ["not where there is nothing", { ttl: { not: 1 } }, { count: { not: 5 } }],
    ["all of several", { name: "x", count: 5 }, { name: "x", count: 6 }],
    ["a name that is a reserved word", { deep: { present: true } }, { size: { present: true } }],
  ] as const)("a condition holds or refuses: %s", async (_title, met, unmet) => {
    const { mine } = await one(open);
    const row = { name: "x", count: 5, flag: false, deep: {} };
    await mine.write(mine.insert(thing, "a", row), mine.insert(thing, "b", row));
    for (const act of [
      () => mine.edit(thing, "a", { set: { name: "z" }, when: unmet }),
      () => mine.write(mine.update(thing, "a", { set: { name: "z" }, when: unmet })),
      () => mine.write(mine.remove(thing, "a", unmet)),
      () => mine.write(mine.check(thing, "a", unmet)),
    ]) {
      const cause = await refusal(act());
      expect([cause.index, cause.found]).toEqual([0, row]);
    }
    expect(await mine.get(thing, "a")).toEqual(row);
    await mine.write(mine.check(thing, "a", met));
    expect(await mine.edit(thing, "a", { set: { deep: { z: 1 } }, when: met })).toEqual({ ...row, deep: { z: 1 } });
    await mine.write(mine.remove(thing, "b", met));
    expect(await mine.get(thing, "b")).toBeUndefined();
  });

  test("a row that is not there has no attributes, and to remove it is fine", async () => {
    const { mine } = await one(open);
    await mine.write(mine.remove(thing, "a"));
    await mine.write(mine.check(thing, "a", { name: { absent: true } }));
    await mine.write(mine.check(thing, "a", { name: { not: "x" } }));
    await mine.write(mine.remove(thing, "a", { name: { absent: true } }));
    expect((await refusal(mine.write(mine.remove(thing, "a", { name: "x" })))).found).toBeUndefined();
    await refusal(mine.write(mine.check(thing, "a", { name: { present: true } })));
  });

  test("a transaction over two tenants is written whole, or refused whole with index and row", async () => {
    const { table, mine } = await one(open);
    const theirs = table(newTenant());
    await theirs.write(theirs.insert(thing, "seat", { name: "host", count: 1 }));
    const take = (id: string) => [
      mine.insert(thing, id, { name: id }),
      mine.check(other, "gone", { name: { absent: true } }),
      theirs.update(thing, "seat", { add: { count: 1 }, when: { count: { below: 2 } } }),
    ];
    await mine.write(...take("a"));
    const cause = await refusal(mine.write(...take("b")));
    expect([cause.index, cause.found]).toEqual([2, { name: "host", count: 2 }]);
    expect((await mine.list(thing)).items).toEqual([{ name: "a" }]);
    expect(await theirs.get(thing, "seat")).toEqual({ name: "host", count: 2 });
    const first = await refusal(mine.write(...take("a")));
    expect([first.index, first.found]).toEqual([0, { name: "a" }]);
  });

  test("a hundred changes are one write, a hundred and one are none", async () => {
    const { mine } = await one(open);
    const changes = Array.from({ length: 101 }, (_, at) => mine.insert(thing, `n${at}`, { name: "x" }));
    await expect(mine.write(...changes)).rejects.toThrow("100 changes at most");
    expect((await mine.list(thing)).items).toEqual([]);
    await mine.write(...changes.slice(1));
    expect((await mine.list(thing, { limit: 100 })).items).toHaveLength(100);
    expect((await mine.list(thing, { limit: 100 })).next).toBeNull();
    await mine.write();
  });

  test("what is not a row is a bug that is found before anything is sent", async () => {
    const { mine } = await one(open);
    const put = (row: Record<string, unknown>) => mine.write(mine.insert(thing, "a", row as { name: string }));
    await expect(put({ name: undefined })).rejects.toThrow("thing a: name is not JSON");
    await expect(put({ name: "x", deep: { at: new Date(0) } })).rejects.toThrow("thing a: deep is not JSON");
    await expect(put({ name: "x", deep: { list: [{ "": 1 }] } })).rejects.toThrow("thing a: deep is not JSON");
    await expect(put({ name: "x", count: Number.NaN })).rejects.toThrow("thing a: count is not JSON");
    await expect(put({ name: "x", pk: "tnt_other/thing" })).rejects.toThrow("belongs to the table");
    await expect(put({ name: "x", ttl: Date.parse(begin) })).rejects.toThrow("whole epoch seconds");
    await expect(put({ name: "x", lookAt: "soon" })).rejects.toThrow("ISO 8601");
    await expect(put({ name: "x", parkedAt: "soon" })).rejects.toThrow("ISO 8601");
    await expect(put({ name: "x", unsealed: 5 })).rejects.toThrow("ISO 8601");
    await expect(put({ name: "x", hostedOn: "" })).rejects.toThrow("the id of a host");
    await expect(put({ name: "x", lookAt: begin, parkedAt: begin })).rejects.toThrow("waits for lookAt and parkedAt");
    await expect(put({ name: "x", form: 2 })).rejects.toThrow("belongs to the table");
    await expect(mine.edit(thing, "a", { add: { parkedAt: 1 } })).rejects.toThrow("parkedAt is not a number");
    await expect(mine.edit(thing, "a", { remove: ["lapKey"] })).rejects.toThrow("belongs to the table");
    await expect(mine.edit(thing, "a", { remove: ["sk"] })).rejects.toThrow("belongs to the table");
    await expect(mine.edit(thing, "a", { set: { count: 1 }, add: { count: 1 } })).rejects.toThrow("changed twice");
    const twice = [mine.insert(thing, "a", { name: "x" }), mine.remove(thing, "a")];
    await expect(mine.write(...twice)).rejects.toThrow("changed twice in one write");
    await expect(mine.get(thing, "")).rejects.toThrow("1 to 1024 bytes");
    expect((await mine.list(thing)).items).toEqual([]);
  });

  test("a row that does not parse is named by kind, id and attribute, and no value is told", async () => {
    const { mine } = await one(open);
    const loose: Kind<{ name: string; more: string }> = {
      name: "other",
      schema: z.object({ name: z.string(), more: z.string() }),
    };
    await mine.write(mine.insert(loose, "a", { name: "x", more: "hunter2" }));
    const said = { name: "Error", message: "the row other a does not parse: the row" };
    await expect(mine.get(other, "a")).rejects.toMatchObject(said);
    await expect(mine.getAll([[other, "a"]])).rejects.toMatchObject(said);
    await expect(mine.list(other)).rejects.toMatchObject(said);
    const numbers: Kind<{ name: number }> = { name: "other", schema: z.object({ name: z.number() }) };
    await expect(mine.get(numbers, "a")).rejects.toMatchObject({ message: "the row other a does not parse: name" });
  });

  test("what a caller does to a row afterwards does not reach the table", async () => {
    const { mine } = await one(open);
    const row = { name: "x", deep: { list: [1] } };
    await mine.write(mine.insert(thing, "a", row));
    row.deep.list.push(2);
    const read = await mine.get(thing, "a");
    Object.assign(read?.deep ?? {}, { list: "changed" });
    expect(await mine.get(thing, "a")).toEqual({ name: "x", deep: { list: [1] } });
  });
}
