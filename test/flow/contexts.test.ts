import { beforeEach, expect, test } from "vitest";
import { newStand, type Stand } from "./stand.ts";
import { kubeName } from "#core/id.ts";
import type { Caller } from "../world/index.ts";

let stand: Stand;
let red: string;
let blue: string;
let shop: string;
let till: string;
beforeEach(async () => {
  stand = await newStand();
  red = await stand.make();
  blue = await stand.make({ name: "two" });
  shop = await stand.space("shop", [red, blue]);
  till = await stand.space("till", [blue]);
});

interface Item {
  cluster: string;
  groups: string[];
  projects: { name: string; groups: string[] }[];
}
const seen = async (who: Caller) =>
  ((await who.get("/v1/me/contexts")).body["items"] as Item[]).map(({ cluster, groups, projects }) => ({
    cluster,
    groups,
    projects: projects.map(({ name, groups: held }) => `${name}: ${held.join(" ")}`),
  }));

test("an owner finds every cluster and project, and where each cluster answers", async () => {
  expect(await seen(stand.ada)).toEqual([
    { cluster: red, groups: ["owner"], projects: ["shop: owner"] },
    { cluster: blue, groups: ["owner"], projects: ["shop: owner", "till: owner"] },
  ]);
  const { body } = await stand.ada.get("/v1/me/contexts");
  const { status } = stand.row(red) ?? {};
  expect((body["items"] as object[])[0]).toMatchObject({
    name: "one",
    server: status?.endpoint,
    authority: status?.authority,
    serverName: `${kubeName(red)}.berth.internal`,
  });
});

test("others find where they hold something, and by what; whoever holds nothing finds nothing", async () => {
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  expect(await seen(bob)).toEqual([]);
  await stand.give(bob.member, "edit", till);
  expect(await seen(bob)).toEqual([{ cluster: blue, groups: [], projects: ["till: edit"] }]);
  await stand.give(bob.member, "view", red);
  expect(await seen(bob)).toEqual([
    { cluster: red, groups: ["view"], projects: ["shop: view"] },
    { cluster: blue, groups: [], projects: ["till: edit"] },
  ]);
  const mallory = await stand.world.tenant("blue");
  expect(await seen(mallory)).toEqual([]);
});

test("a bound token finds its clusters, and one that is bound to projects none", async () => {
  const { ada, world } = stand;
  const bound = async (more: object): Promise<Caller> => {
    const { body } = await ada.post("/v1/tokens", { name: "ci", ...more });
    return world.as(String(body["token"]));
  };
  expect((await seen(await bound({ clusters: [blue] }))).map(({ cluster }) => cluster)).toEqual([blue]);
  expect(await seen(await bound({ projects: [shop] }))).toEqual([]);
  expect((await (await bound({ scopes: ["cluster:read"] })).get("/v1/me/contexts")).status).toBe(403);
});

test("it comes in pages, without clusters that are being made or removed", async () => {
  await stand.ask({ name: "three" });
  const first = await stand.ada.get("/v1/me/contexts?limit=1");
  expect((first.body["items"] as Item[]).map(({ cluster }) => cluster)).toEqual([red]);
  const next = await stand.ada.get(`/v1/me/contexts?limit=5&after=${String(first.body["next"])}`);
  expect((next.body["items"] as Item[]).map(({ cluster }) => cluster)).toEqual([blue]);
  await stand.ada.delete(`/v1/clusters/${red}`);
  expect((await seen(stand.ada)).map(({ cluster }) => cluster)).toEqual([blue]);
});
