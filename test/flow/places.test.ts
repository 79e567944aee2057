import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "./stand.ts";
import { KubeFault } from "#core/context.ts";
import { kubeName } from "#core/id.ts";

const space = (name: string) => ({ apiVersion: "v1", kind: "Namespace", name });
const seen = (stand: Stand, id: string, project: string) => stand.access(id).status.projects[project];
const placesOf = async (stand: Stand, project: string) =>
  ((await stand.ada.get(`/v1/projects/${project}`)).body["status"] as { places: object[] } | undefined)?.places;

test("a project is a namespace on each of its clusters, with limits and a closed network, and told as ready", async () => {
  const stand = await newStand();
  const [red, blue] = [await stand.make(), await stand.make({ name: "two" })];
  const shop = await stand.space("shop", [red, blue], { limits: { cpu: "4", pods: 20 }, defaults: { cpuLimit: "1" } });
  for (const id of [red, blue]) {
    const own = [...stand.kept(id).keys()].filter((key) => key.includes("shop"));
    expect(own).toEqual([
      "LimitRange shop berth",
      "Namespace shop",
      "NetworkPolicy shop berth-isolated",
      "ResourceQuota shop berth",
      "ServiceAccount shop default",
    ]);
    const hard = { "requests.cpu": "2", pods: "10" };
    expect(stand.kept(id).get("ResourceQuota shop berth")).toMatchObject({ spec: { hard } });
    expect(seen(stand, id, shop)).toMatchObject({ state: "Ready", generation: 1 });
    await stand.world.round();
    const before = stand.still(id);
    await stand.world.round();
    await stand.world.sweep();
    expect(stand.still(id)).toEqual(before);
  }
  expect(await placesOf(stand, shop)).toMatchObject([{ state: "Ready" }, { state: "Ready" }]);
});

test("what a project does not want any more of limits and openings goes, and nothing else of it", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const shop = await stand.space("shop", [red], { limits: { pods: 20 } });
  const { objects } = stand.inside(red);
  const own = { name: "own", namespace: "shop" };
  objects.create({ apiVersion: "v1", kind: "ResourceQuota", metadata: own, spec: { hard: { pods: "1" } } });
  await stand.does("PATCH", `/v1/projects/${shop}`, { limits: {}, network: { mode: "open", openings: [] } });
  expect([...stand.kept(red).keys()].filter((key) => key.includes("shop"))).toEqual([
    "Namespace shop",
    "ServiceAccount shop default",
  ]);
  expect(objects.list({ apiVersion: "v1", kind: "ResourceQuota", namespace: "shop" })).toHaveLength(1);
});

test("a namespace that was there before is left alone and told of, its other clusters go on, and word takes it over", async () => {
  const stand = await newStand();
  const [red, blue] = [await stand.make(), await stand.make({ name: "two" })];
  const { objects } = stand.inside(red);
  const made = objects.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  objects.change({ ...made, metadata: { ...made.metadata, labels: { whose: "eve" } } });
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  const shop = await stand.space("shop", [red, blue], { limits: { pods: 20 } });
  await stand.give(bob.member, "edit", shop);
  expect(seen(stand, red, shop)).toMatchObject({
    state: "Taken",
    message: expect.stringContaining("was there before"),
  });
  expect(seen(stand, blue, shop)).toMatchObject({ state: "Ready" });
  expect(objects.all().filter(({ metadata }) => metadata.namespace === "shop")).toEqual([]);
  expect(objects.find(space("shop"))?.metadata.labels).toMatchObject({ whose: "eve" });
  expect(stand.names(blue, "RoleBinding")).toHaveLength(1);
  await stand.world.sweep(3);
  expect(stand.access(red).failures).toBe(0);
  await stand.does("POST", `/v1/projects/${shop}/adopt`, { cluster: red, confirm: "shop" });
  expect(seen(stand, red, shop)).toMatchObject({ state: "Ready" });
  expect(stand.names(red, "RoleBinding")).toHaveLength(1);
  // Whose it was keeps what it said.
  expect(objects.find(space("shop"))?.metadata.labels).toMatchObject({
    whose: "eve",
    "berth.dev/project": kubeName(shop),
  });
});

test("a place that is taken away loses its namespace, and a removed project leaves a receipt once all are gone", async () => {
  const stand = await newStand();
  const [red, blue] = [await stand.make(), await stand.make({ name: "two" })];
  const shop = await stand.space("shop", [red, blue]);
  await stand.does("PATCH", `/v1/projects/${shop}`, { places: [{ cluster: blue }], confirm: "shop" });
  expect(stand.inside(red).objects.find(space("shop"))).toBeUndefined();
  expect(stand.inside(blue).objects.find(space("shop"))).toBeDefined();
  expect(await placesOf(stand, shop)).toHaveLength(1);
  await stand.does("DELETE", `/v1/projects/${shop}?confirm=shop`);
  expect(stand.inside(blue).objects.find(space("shop"))).toBeUndefined();
  expect((await stand.ada.get(`/v1/projects/${shop}`)).status).toBe(404);
  const receipt = (await stand.ada.get(`/v1/projects/${shop}/receipt`)).body;
  expect(receipt["clusters"]).toEqual(expect.arrayContaining([blue]));
  expect(stand.access(red).status.projects).toEqual({});
});

test("a namespace that will not end is told of, with what holds it; rights in it are gone all the same", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  const shop = await stand.space("shop", [red]);
  const grant = await stand.give(bob.member, "edit", "tenant");
  const { objects } = stand.inside(red);
  const held = { name: "held", namespace: "shop", finalizers: ["example.com/never"] };
  objects.create({ apiVersion: "v1", kind: "ConfigMap", metadata: held });
  await stand.does("DELETE", `/v1/projects/${shop}?confirm=shop`);
  const there = objects.find(space("shop"));
  if (there === undefined) throw new Error("it has gone");
  const message = "Some content in the namespace has finalizers remaining: example.com/never in 1 resource instances";
  const conditions = [{ type: "NamespaceFinalizersRemaining", status: "True", message }];
  objects.change({ ...there, status: { phase: "Terminating", conditions } });
  await stand.world.sweep(2);
  expect(seen(stand, red, shop)).toMatchObject({ state: "Leaving", message: expect.stringContaining(message) });
  expect(stand.names(red, "RoleBinding")).toEqual([]);
  // What waits for one namespace keeps no right from going.
  const { confirmation } = await stand.does("DELETE", `/v1/grants/${grant}`);
  expect(confirmation).toEqual({ confirmed: [red], pending: [] });
  const one = objects.find({ apiVersion: "v1", kind: "ConfigMap", name: "held", namespace: "shop" });
  if (one !== undefined) objects.change({ ...one, metadata: { ...one.metadata, finalizers: [] } });
  await stand.world.sweep(2);
  expect((await stand.ada.get(`/v1/projects/${shop}`)).status).toBe(404);
});

test("a namespace is deleted by the word of its project alone: what no project is known of is left and listed", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const shop = await stand.space("shop", [red]);
  const { objects } = stand.inside(red);
  const labels = objects.find(space("shop"))?.metadata.labels ?? {};
  objects.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "other", labels } });
  // As after a table of yesterday was put back: the row is gone, its namespace is not.
  await stand.world.deps.home
    .table(stand.ada.tenant)
    .write(stand.world.deps.home.table(stand.ada.tenant).remove({ name: "project", schema: undefined as never }, shop));
  await stand.world.round();
  await stand.world.sweep();
  expect(objects.find(space("shop"))).toBeDefined();
  expect(objects.find(space("other"))).toBeDefined();
  expect(stand.access(red).status.strangers).toEqual(["other", "shop"]);
});

test("what a cluster's own webhooks refuse of one project holds up neither rights nor others, and is tried again", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  const { troubles } = stand.inside(red);
  const fault = new KubeFault("forbidden", 'admission webhook "eve" denied the request', { status: 403 });
  troubles.push({ match: ({ verb, namespace }) => verb === "create" && namespace === "shop", fault, when: "before" });
  const shop = await stand.space("shop", [red]);
  const till = await stand.space("till", [red]);
  await stand.give(bob.member, "view", till);
  expect(seen(stand, red, shop)).toMatchObject({ state: "Pending", message: expect.stringContaining("webhook") });
  expect(seen(stand, red, till)).toMatchObject({ state: "Ready" });
  expect(stand.names(red, "RoleBinding")).toHaveLength(1);
  expect(stand.access(red).failures).toBe(0);
  await stand.world.sweep(30);
  expect(stand.access(red).parkedAt).toBeUndefined();
  troubles.length = 0;
  await stand.world.sweep(3);
  expect(seen(stand, red, shop)).toMatchObject({ state: "Ready" });
});

test("a namespace that somebody deleted is made again, with the rights in it", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  const shop = await stand.space("shop", [red]);
  await stand.give(bob.member, "view", shop);
  const before = stand.kept(red);
  const { objects } = stand.inside(red);
  const there = objects.find(space("shop"));
  objects.remove(space("shop"), { uid: there?.metadata.uid ?? "" });
  await stand.world.round();
  await stand.world.sweep(2);
  expect(stand.kept(red)).toEqual(before);
  expect(objects.find(space("shop"))?.metadata.uid).not.toBe(there?.metadata.uid);
});

test("the session of a token that has ended loses its Secret, and with it all that was issued on it", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  await stand.give(bob.member, "view", red);
  const secrets = (): string[] =>
    stand
      .inside(red)
      .objects.list({ apiVersion: "v1", kind: "Secret", namespace: "berth-members" })
      .map(({ metadata }) => metadata.labels?.["berth.dev/member"] ?? "");
  for (const each of [stand.ada, bob]) {
    const { status, text } = await stand.world.run(each.post(`/v1/kube/clusters/${red}/token`, {}));
    expect([status, text]).toEqual([expect.any(Number), expect.stringContaining("expiresAt")]);
  }
  expect(secrets().sort()).toEqual([kubeName(bob.member), kubeName(stand.ada.member)].sort());
  await stand.does("DELETE", `/v1/tokens/${bob.token.id}`);
  expect(secrets()).toEqual([kubeName(stand.ada.member)]);
  // A Secret of nobody's, as an older worker would leave it.
  const { objects } = stand.inside(red);
  const labels = { "app.kubernetes.io/managed-by": "berth", "berth.dev/member": "mbr-01k0000000000000000000d1ed" };
  objects.create({ apiVersion: "v1", kind: "Secret", metadata: { name: "old", namespace: "berth-members", labels } });
  await stand.does("PATCH", `/v1/members/${bob.member}`, { state: "suspended" });
  expect(secrets()).toEqual([kubeName(stand.ada.member)]);
});
