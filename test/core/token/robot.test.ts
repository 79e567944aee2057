import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newWorld } from "../../world/index.ts";

test("a robot that is suspended gets no token, and one that is active again does", async () => {
  const world = newWorld();
  const ada = await world.tenant("red");
  const { body } = await ada.post("/v1/members", { name: "ci", kind: "robot", role: "viewer" });
  const member = String(body["id"]);
  const ask = async () => (await ada.post("/v1/tokens", { name: "ci", member })).status;
  const set = async (state: string) => (await world.run(ada.patch(`/v1/members/${member}`, { state }))).status;
  expect(await set("suspended")).toBe(200);
  expect(await ask()).toBe(409);
  expect(await set("active")).toBe(200);
  expect(await ask()).toBe(201);
});
