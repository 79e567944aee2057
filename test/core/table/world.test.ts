import { expect, test } from "vitest";
import * as z from "zod";
import type { Kind } from "#core/context.ts";
import { newTable } from "../../world/table.ts";

const tenant = `tnt_0${"1".repeat(25)}` as const;
const thing: Kind<{ name: string }> = { name: "thing", schema: z.object({ name: z.string() }) };

test("a fault before a call leaves nothing, a fault after it leaves the write; both are counted", async () => {
  const world = newTable({ now: () => "2027-03-01T12:00:00.000Z" });
  const mine = world.table(tenant);
  world.before = ({ keys }) => {
    if (keys.includes(`${tenant}/thing/a`)) throw new Error("refused");
  };
  world.after = ({ act }) => {
    if (act === "write") throw new Error("reply lost");
  };
  await expect(mine.write(mine.insert(thing, "a", { name: "a" }))).rejects.toThrow("refused");
  await expect(mine.write(mine.insert(thing, "b", { name: "b" }))).rejects.toThrow("reply lost");
  expect([...world.rows()]).toEqual([[`${tenant}/thing/b`, { name: "b" }]]);
  const none = { get: 0, getAll: 0, list: 0, edit: 0, due: 0, parked: 0, unsealed: 0, carried: 0 };
  expect(world.calls).toEqual({ ...none, write: 2 });
});
