import { expect, test } from "vitest";
import { Fault } from "#core/error.ts";
import { encodeCursor } from "#core/page.ts";
import { newTenant, one, type Open, other, thing } from "./things.ts";

/** What every table promises of pages, and of several rows in one call. */
export function lists(open: Open): void {
  test("pages follow each other without a gap, in bytes' order, both ways", async () => {
    const { mine } = await one(open);
    const ids = ["a", "b1", "b2", "b3", "c", "Z", "é", "\uff5e", "🚢"];
    await mine.write(...ids.map((id) => mine.insert(thing, id, { name: id })), mine.insert(other, "b", { name: "no" }));
    const ordered = ["Z", "a", "b1", "b2", "b3", "c", "é", "\uff5e", "🚢"];
    const walk = async (options: { limit: number; prefix?: string; newest?: boolean }) => {
      const pages: string[][] = [];
      for (let after: string | undefined; ; ) {
        const page = await mine.list(thing, { ...options, after });
        pages.push(page.items.map(({ name }) => name));
        if (page.next === null) return pages;
        after = page.next;
      }
    };
    expect(await walk({ limit: 4 })).toEqual([ordered.slice(0, 4), ordered.slice(4, 8), ordered.slice(8)]);
    expect((await walk({ limit: 3 })).flat()).toEqual(ordered);
    expect(await walk({ limit: 3 })).toHaveLength(3);
    expect((await walk({ limit: 2, newest: true })).flat()).toEqual(ordered.toReversed());
    expect(await walk({ limit: 2, prefix: "b" })).toEqual([["b1", "b2"], ["b3"]]);
    expect(await walk({ limit: 2, prefix: "b", newest: true })).toEqual([["b3", "b2"], ["b1"]]);
    expect(await walk({ limit: 2, prefix: "x" })).toEqual([[]]);
    await expect(mine.list(thing, { limit: 101 })).rejects.toBeInstanceOf(Fault);
    await expect(mine.list(thing, { limit: 0 })).rejects.toBeInstanceOf(Fault);
  });

  test("a range keeps what lies between two ids, both included, in pages, both ways", async () => {
    const { mine } = await one(open);
    const ids = ["Z", "a", "b", "c", "d", "é", "🚢"];
    await mine.write(...ids.map((id) => mine.insert(thing, id, { name: id })));
    const walk = async (range: { from?: string; to?: string; newest?: boolean }) => {
      const names: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await mine.list(thing, { ...range, limit: 2, after });
        names.push(...page.items.map(({ name }) => name));
        if (page.next === null) return names;
        expect(page.items).toHaveLength(2);
        after = page.next;
      }
    };
    expect(await walk({ from: "b", to: "d" })).toEqual(["b", "c", "d"]);
    expect(await walk({ from: "b", to: "d", newest: true })).toEqual(["d", "c", "b"]);
    expect(await walk({ from: "aa" })).toEqual(["b", "c", "d", "é", "🚢"]);
    expect(await walk({ to: "bb", newest: true })).toEqual(["b", "a", "Z"]);
    expect(await walk({ from: "c", to: "c" })).toEqual(["c"]);
    expect(await walk({ from: "d", to: "b" })).toEqual([]);
    expect(await walk({ from: "\uff5e" })).toEqual(["🚢"]);
    for (const [after, range] of [
      ["a", { from: "b" }],
      ["d", { to: "c" }],
      ["é", { from: "a", to: "d" }],
    ] as const) {
      const outside = mine.list(thing, { ...range, after: encodeCursor(after) });
      await expect(outside).rejects.toMatchObject({ kind: "invalid" });
    }
    const inside = await mine.list(thing, { from: "b", to: "d", after: encodeCursor("b") });
    expect(inside.items.map(({ name }) => name)).toEqual(["c", "d"]);
    await expect(mine.list(thing, { prefix: "b", from: "b" })).rejects.toThrow("a prefix or a range");
    await expect(mine.list(thing, { from: "" })).rejects.toThrow("no id");
  });

  test("a forged cursor cannot leave the tenant, the kind or the prefix", async () => {
    const { table, mine } = await one(open);
    const theirs = table(newTenant());
    await theirs.write(theirs.insert(thing, "secret", { name: "theirs" }));
    await mine.write(mine.insert(thing, "m", { name: "mine" }), mine.insert(other, "o", { name: "o" }));
    for (const position of [
      `${theirs.tenant}/thing`,
      `${theirs.tenant}/thing/a`,
      "\u0000",
      '{"pk":"x"}',
      "..",
      "zzz",
    ]) {
      const { items } = await mine.list(thing, { after: encodeCursor(position) });
      expect(items.every(({ name }) => name === "mine")).toBe(true);
    }
    for (const after of ["", "!", "a", encodeCursor("x".repeat(2000))]) {
      await expect(mine.list(thing, { after })).rejects.toMatchObject({ kind: "invalid" });
    }
    await expect(mine.list(thing, { prefix: "m", after: encodeCursor("a") })).rejects.toMatchObject({
      kind: "invalid",
    });
  });

  test("getAll answers in the order asked, also for what is missing or asked twice", async () => {
    const { mine } = await one(open);
    const ids = Array.from({ length: 40 }, (_, at) => `n${at}`);
    await mine.write(
      ...ids.map((id) => mine.insert(thing, id, { name: id })),
      mine.insert(other, "n1", { name: "other" }),
    );
    const rows = await mine.getAll([
      [thing, "n3"],
      [other, "n1"],
      [thing, "none"],
      [thing, "n1"],
      [thing, "n3"],
    ]);
    expect(rows.map((row) => row?.name)).toEqual(["n3", "other", undefined, "n1", "n3"]);
    const all = await mine.getAll(ids.toReversed().map((id) => [thing, id] as const));
    expect(all.map((row) => row?.name)).toEqual(ids.toReversed());
    expect(await mine.getAll([])).toEqual([]);
    await expect(mine.getAll(Array.from({ length: 101 }, (_, at) => [thing, `x${at}`] as const))).rejects.toThrow(
      "100 rows",
    );
  });
}
