import { expect, test } from "vitest";
import { parse } from "#core/queue/index.ts";
import { newQueue } from "../../world/queue.ts";

const tenant = `tnt_0${"1".repeat(25)}` as const;
const id = `cls_0${"2".repeat(25)}` as const;
const nextID = `cls_0${"3".repeat(25)}` as const;

test("pokes are kept, lost or doubled as asked, in the order that is picked", async () => {
  const world = newQueue("lost");
  await world.poke(tenant, id);
  world.pokes = (_, asked) => (asked === id ? "doubled" : "kept");
  await world.poke(tenant, id);
  await world.poke(tenant, nextID);
  world.pick = (count) => count - 1;
  const bodies: string[] = [];
  expect(await world.drain(async (body) => void bodies.push(body))).toEqual({ done: 3, failures: [] });
  expect(bodies.map((body) => parse(body)?.id)).toEqual([nextID, id, id]);
});

test("what a handler throws is told, and a queue that feeds itself is a bug", async () => {
  const world = newQueue();
  const broken = new Error("not today");
  await world.poke(tenant, id);
  expect((await world.drain(() => Promise.reject(broken))).failures).toEqual([broken]);
  await expect(world.drain(async (body) => world.send(body))).rejects.toThrow("does not come to rest");
});
