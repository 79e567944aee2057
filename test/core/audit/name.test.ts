import { expect, test } from "vitest";
import { newStand } from "../../flow/stand.ts";

const lines = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("a search shows what things are called, also when they are gone; an export does only where it is asked to", async () => {
  const stand = await newStand();
  const { ada, world } = stand;
  const cluster = await stand.make();
  const token = String((await ada.post("/v1/tokens", { name: "ci" })).body["id"]);
  await ada.delete(`/v1/clusters/${cluster}`);
  await world.drain();
  expect((await ada.get(`/v1/clusters/${cluster}`)).status).toBe(404);
  const items = (await ada.get("/v1/audit")).body["items"] as Record<string, unknown>[];
  const named = new Map(items.map((each) => [each["target"], each["targetName"]]));
  expect([named.get(cluster), named.get(token)]).toEqual(["one", "ci"]);
  const sealed = lines((await ada.get("/v1/audit/export")).text);
  expect(sealed.length).toBe(items.length);
  for (const each of sealed) expect(each).not.toHaveProperty("targetName");
  expect(lines((await ada.get("/v1/audit/export?names=true")).text)).toEqual([...items].reverse());
  expect((await ada.get("/v1/audit/export?names=yes")).status).toBe(400);
});

test("more ids than one call reads are all named", async () => {
  const { namesOf } = await import("#core/audit/name.ts");
  const { ada, world } = await newStand();
  const people = await Promise.all(Array.from({ length: 120 }, () => world.member(ada.tenant, "viewer")));
  const ids = people.map(({ member }) => member);
  const names = await namesOf(world.context(ada.tenant), [...ids, "mbr_01k00000000000000000000000", "system"]);
  expect([...names.keys()].sort()).toEqual([...ids].sort());
});
