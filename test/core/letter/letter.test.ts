import { expect, test } from "vitest";
import { bodyOf } from "#core/queue/index.ts";
import { newWorld } from "../../world/index.ts";

test("dead letters are listed and sent again; what is not ours is told without its words and stays", async () => {
  const world = newWorld();
  await world.host();
  const staff = await world.staff();
  const ada = await world.tenant("red");
  const id = String((await ada.post("/v1/clusters", { name: "one" })).body["id"]) as `cls_${string}`;
  world.queue.letters.splice(0);
  await world.queue.bury(bodyOf(ada.tenant, id), "of old");
  await world.queue.bury("words of a stranger", "it does not parse");
  const listed = await staff.get("/v1/home/letters");
  expect(listed.body).toMatchObject({
    items: [
      { reason: "of old", names: { tenant: ada.tenant, id } },
      { reason: "it does not parse", names: null },
    ],
    next: null,
  });
  expect(listed.text).not.toContain("stranger");
  expect((await staff.get("/v1/home/letters?limit=1")).body["items"]).toHaveLength(1);
  expect((await staff.post("/v1/home/letters/redrive", {})).body).toEqual({ redriven: 1 });
  expect((await staff.post("/v1/home/letters/redrive", {})).body).toEqual({ redriven: 0 });
  await world.drain();
  expect((await ada.get(`/v1/clusters/${id}`)).body).toMatchObject({ status: { phase: "Ready" } });
  expect(world.queue.dead).toEqual([{ body: "words of a stranger", reason: "it does not parse" }]);
});

test("what is asked is on record even when the queue then fails", async () => {
  const world = newWorld();
  const staff = await world.staff();
  world.queue.redrive = () => Promise.reject(new Error("the queue is away"));
  expect((await staff.post("/v1/home/letters/redrive", { limit: 5 })).status).toBe(500);
  expect([...world.tables.rows().values()].map((row) => row["verb"])).toContain("letter:redrive");
});
