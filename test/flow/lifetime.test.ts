import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "./stand.ts";
import { accessKind } from "#core/access/schema.ts";
import { KubeFault } from "#core/context.ts";
import { kubeName } from "#core/id.ts";
import { refOf } from "#core/kube/index.ts";

// What is kept for people and projects in a cluster, from the cluster's first minute to its last.

const placesOf = async (stand: Stand, project: string) =>
  ((await stand.ada.get(`/v1/projects/${project}`)).body["status"] as { places: object[] } | undefined)?.places;

test("a cluster that is removed takes its places and its grants along, and no row is left of it", async () => {
  const stand = await newStand();
  const [red, blue] = [await stand.make(), await stand.make({ name: "two" })];
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  const shop = await stand.space("shop", [red, blue]);
  await stand.give(bob.member, "view", red);
  await stand.does("DELETE", `/v1/clusters/${red}`);
  await stand.world.sweep(2);
  const rows = [...stand.world.tables.rows().keys()];
  expect(rows.filter((key) => /\/(access|outbox|grant)\//.test(key))).toEqual([
    expect.stringContaining(blue.replace("cls", "acc")),
  ]);
  expect(await placesOf(stand, shop)).toHaveLength(1);
});

test("a cluster of before there were such rows gets one with its next look, and with it all that is granted", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const table = stand.world.deps.home.table(stand.ada.tenant);
  await table.write(table.remove(accessKind, stand.access(red).id));
  const before = stand.kept(red);
  for (const one of stand
    .inside(red)
    .objects.all()
    .filter(({ metadata }) => metadata.labels?.["berth.dev/access"]))
    stand.inside(red).objects.remove(refOf(one), { uid: one.metadata.uid });
  await stand.world.round();
  expect(stand.kept(red)).toEqual(before);
  expect(stand.access(red).observedGeneration).toBe(1);
});

test("what comes before our own namespace is there is tried again, and is no failure to be parked for", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  const { troubles } = stand.inside(red);
  const fault = new KubeFault("missing", "namespaces berth-members not found", { status: 404 });
  troubles.push({ match: ({ verb, kind }) => verb === "create" && kind === "ServiceAccount", fault, when: "before" });
  await stand.give(bob.member, "view", red);
  // Tried at once, and again for whoever waits for the answer.
  expect(stand.access(red)).toMatchObject({ failures: 2, strikes: 0 });
  troubles.length = 0;
  await stand.world.sweep();
  expect(stand.names(red, "ServiceAccount")).toContain(`berth-members/${kubeName(bob.member)}`);
});

test("a change while a cluster is being made holds there from its first minute, and is not waited for", async () => {
  const stand = await newStand();
  const red = await stand.ask();
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  const answer = await stand.ada.post("/v1/grants", { subject: bob.member, group: "view", scope: red });
  expect(answer.body["confirmation"]).toEqual({ confirmed: [red], pending: [] });
  await stand.world.drain();
  expect(stand.names(red, "ServiceAccount")).toContain(`berth-members/${kubeName(bob.member)}`);
});
