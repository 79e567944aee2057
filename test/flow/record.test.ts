import { beforeEach, expect, test } from "vitest";
import { newStand, type Stand } from "./stand.ts";
import type { Person } from "../world/index.ts";

let stand: Stand;
let red: string;
let blue: string;
let shop: string;
/** Edits in the project `shop`, which is on both clusters, and has a right nowhere else. */
let bob: Person;
beforeEach(async () => {
  stand = await newStand();
  red = await stand.make();
  blue = await stand.make({ name: "two" });
  shop = await stand.space("shop", [red, blue]);
  bob = await stand.world.member(stand.ada.tenant, "viewer");
  await stand.give(bob.member, "edit", shop);
});

const at = (path: string, id = red): string => `/v1/kube/${id}${path}`;
const maps = "/api/v1/namespaces/shop/configmaps";
const map = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { a: "1" } });

test("each change is on record before it happens, and that one reads, once an hour", async () => {
  const { world, ada } = stand;
  const told = async () =>
    ((await ada.get("/v1/audit?verb=cluster:proxy")).body["items"] as { changes: string[]; actor: object }[]).map(
      ({ changes }) => changes[0],
    );
  await bob.post(at(maps), map("one"));
  await bob.get(at(maps));
  await bob.get(at(`${maps}/one`));
  await bob.delete(at(`${maps}/one`));
  await bob.delete(at("/apis/apps/v1/namespaces/shop/deployments"));
  const all = ["create configmaps", "delete configmaps", "deletecollection deployments.apps", "read"];
  expect(new Set(await told())).toEqual(new Set(all));
  expect(await told()).toHaveLength(4);
  await world.clock.pass(3_600_000);
  await bob.get(at(maps));
  expect((await told()).filter((one) => one === "read")).toHaveLength(2);
  world.tables.before = ({ act }) => {
    if (act === "write") throw new Error("the store is away");
  };
  expect((await bob.post(at(maps), map("two"))).status).toBe(500);
  expect(
    stand
      .inside(red)
      .objects.all()
      .filter(({ metadata }) => metadata.name === "two"),
  ).toEqual([]);
});

test("a change with an idempotency key happens once", async () => {
  const key = { "Idempotency-Key": "one" };
  expect((await bob.post(at(maps), map("one"), key)).status).toBe(201);
  expect((await bob.post(at(maps), map("one"), key)).status).toBe(409);
  const passed = stand.inside(red).calls.filter(({ name }) => name?.startsWith("POST"));
  expect(passed).toHaveLength(1);
});
