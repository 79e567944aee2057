import { expect, test } from "vitest";
import { Newer } from "#core/context.ts";
import { beginSeconds, one, type Open, other, refusal, thing } from "./things.ts";

/** The same kind as the next release knows it. */
const next = { ...thing, form: 2 };

/** What every table promises while two releases run side by side. */
export function forms(open: Open): void {
  test("a row of a newer release is there, and no call of an older one reads it as its own", async () => {
    const { mine } = await one(open);
    await mine.write(mine.insert(thing, "a", { name: "old" }), mine.insert(next, "b", { name: "new" }));
    for (const read of [
      () => mine.get(thing, "b"),
      () => mine.getAll([[thing, "a"] as const, [thing, "b"] as const]),
      () => mine.list(thing),
    ]) {
      await expect(read()).rejects.toBeInstanceOf(Newer);
      await expect(read()).rejects.toMatchObject({ kind: "unavailable", message: expect.stringContaining("thing b") });
    }
    expect(await mine.get(thing, "a")).toEqual({ name: "old" });
    expect((await mine.list(next)).items).toEqual([{ name: "old" }, { name: "new" }]);
  });

  test("no condition of an older release holds on a newer row, whatever it says", async () => {
    const { mine } = await one(open);
    const row = { name: "new", count: 1 };
    await mine.write(mine.insert(next, "a", row));
    for (const write of [
      () => mine.edit(thing, "a", { set: { name: "old" } }),
      () => mine.edit(thing, "a", { add: { count: 1 }, when: { name: "new" } }),
      () => mine.write(mine.update(thing, "a", { set: { name: "old" } })),
      () => mine.write(mine.update(thing, "a", { set: { name: "old" } }), mine.insert(other, "o", { name: "o" })),
      () => mine.write(mine.remove(thing, "a", { name: "new" })),
      () => mine.write(mine.remove(thing, "a", { flag: { absent: true } })),
      () => mine.write(mine.check(thing, "a", { name: { not: "old" } })),
    ]) {
      const cause = await refusal(write());
      expect([cause.index, cause.found]).toEqual([0, row]);
    }
    expect(await mine.get(next, "a")).toEqual(row);
    expect(await mine.get(other, "o")).toBeUndefined();
  });

  test("the first write of a newer release makes an older row its own; a look does not", async () => {
    const { mine } = await one(open);
    await mine.write(mine.insert(thing, "a", { name: "old" }));
    expect(await mine.get(next, "a")).toEqual({ name: "old" });
    await mine.write(mine.check(next, "a", { name: "old" }));
    expect(await mine.edit(thing, "a", { set: { count: 1 } })).toEqual({ name: "old", count: 1 });
    expect(await mine.edit(next, "a", { add: { count: 1 } })).toEqual({ name: "old", count: 2 });
    await refusal(mine.edit(thing, "a", { set: { count: 3 } }));
    await mine.write(mine.update(next, "a", { set: { flag: true } }));
    await mine.write(mine.remove(next, "a", { flag: true }));
    await mine.write(mine.insert(thing, "a", { name: "again" }));
    expect(await mine.get(thing, "a")).toEqual({ name: "again" });
  });

  test("a newer row whose time has passed is not there for an older release either", async () => {
    const { mine, clock } = await one(open);
    await mine.write(mine.insert(next, "a", { name: "new", ttl: beginSeconds + 1 }));
    clock.now = "2027-03-01T12:00:02.000Z";
    expect(await mine.get(thing, "a")).toBeUndefined();
    await mine.write(mine.insert(thing, "a", { name: "old" }));
    expect(await mine.get(thing, "a")).toEqual({ name: "old" });
  });
}
