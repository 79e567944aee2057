import { beforeEach, expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "./stand.ts";
import { KubeFault } from "#core/context.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await newStand();
});
interface Shown {
  status: {
    phase: string;
    expiry?: string;
    warnings: string[];
    places: { cluster: string; clusterName?: string; state: string; message: string; share: Record<string, string> }[];
  };
}
const show = async (project: string): Promise<Shown["status"]> =>
  ((await stand.ada.get(`/v1/projects/${project}`)).body as unknown as Shown).status;
const space = (name: string) => ({ apiVersion: "v1", kind: "Namespace", name });
const hard = (cluster: string, name = "shop"): unknown =>
  (stand.kept(cluster).get(`ResourceQuota ${name} berth`)?.["spec"] as { hard?: unknown } | undefined)?.hard;
const fields = (body: Record<string, unknown>): string[] =>
  ((body["errors"] ?? []) as { field: string }[]).map(({ field }) => field);

test("a project is answered in its first state, and a wait for it ends when it is ready on all of its clusters", async () => {
  const { ada } = stand;
  const [red, blue] = [await stand.make(), await stand.make({ name: "two" })];
  const places = [{ cluster: red }, { cluster: blue, weight: 3 }];
  const made = await ada.post("/v1/projects", { name: "shop", places, limits: { cpu: "40" }, reservePercent: 20 });
  expect([made.status, made.headers.get("etag")]).toEqual([201, '"1"']);
  expect(made.body).toMatchObject({
    status: {
      phase: "Pending",
      reserve: { cpu: "8" },
      places: [
        { clusterName: "one", state: "Pending", share: { cpu: "8" } },
        { clusterName: "two", state: "Pending", share: { cpu: "24" } },
      ],
    },
  });
  const path = made.headers.get("location") ?? "";
  const waited = await stand.world.answered(ada.get(`${path}?wait=25`));
  expect(waited.body).toMatchObject({ status: { phase: "Ready", places: [{ state: "Ready" }, { state: "Ready" }] } });
  expect([hard(red), hard(blue)]).toEqual([{ "requests.cpu": "8" }, { "requests.cpu": "24" }]);
  // Shares move as soon as weights do.
  await stand.does("PATCH", path, { places: [{ cluster: red }, { cluster: blue, weight: 1 }] });
  expect([hard(red), hard(blue)]).toEqual([{ "requests.cpu": "16" }, { "requests.cpu": "16" }]);
});

test("a wait for what does not come ends with its time, and says where it hangs", async () => {
  const red = await stand.make();
  stand.inside(red).objects.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  const shop = await stand.space("shop", [red]);
  const before = Date.parse(stand.world.clock.now());
  const { status, body } = await stand.world.answered(stand.ada.get(`/v1/projects/${shop}?wait=3`));
  expect([status, (body as unknown as Shown).status.phase]).toEqual([200, "Degraded"]);
  expect(Date.parse(stand.world.clock.now()) - before).toBeGreaterThanOrEqual(3_000);
  expect((await stand.ada.get(`/v1/projects/${shop}?wait=26`)).status).toBe(400);
});

test("a cluster that does not answer is told, the other goes on, and it follows when it is back", async () => {
  const [red, blue] = [await stand.make(), await stand.make({ name: "two" })];
  const inside = stand.inside(red);
  const away = new KubeFault("unavailable", "connect: refused");
  inside.troubles.push({ match: () => true, fault: away, when: "before" });
  const shop = await stand.space("shop", [red, blue]);
  await stand.world.sweep(2);
  expect((await show(shop)).phase).toBe("Degraded");
  expect((await show(shop)).places).toMatchObject([{ state: "Unreachable" }, { state: "Ready" }]);
  inside.troubles.length = 0;
  await stand.world.sweep(12);
  expect((await show(shop)).phase).toBe("Ready");
});

test("limits over HTTP are refused by their fields, and a split is shown without making anything", async () => {
  const { ada } = stand;
  const red = await stand.make();
  const wrong = { name: "Shop", limits: { cpu: "many" }, places: [{ cluster: "one" }], reservePercent: 99 };
  const refused = await ada.post("/v1/projects", wrong);
  expect(refused.status).toBe(400);
  expect(fields(refused.body).sort()).toEqual(["limits.cpu", "name", "places.0.cluster", "reservePercent"]);
  const stranger = await stand.world.tenant("blue");
  const foreign = await stranger.post("/v1/projects", { name: "shop", places: [{ cluster: red }] });
  expect([foreign.status, fields(foreign.body)]).toEqual([404, ["places.0.cluster"]]);
  const before = [...stand.world.tables.rows().keys()];
  const split = await ada.post("/v1/projects/split", {
    limits: { pods: 10 },
    reservePercent: 15,
    places: [{ cluster: red }],
  });
  expect(split.body).toEqual({
    places: [{ cluster: red, clusterName: "one", share: { pods: "8" } }],
    reserve: { pods: "2" },
  });
  expect([...stand.world.tables.rows().keys()]).toEqual(before);
});

test("a change on condition is refused with what is there, and a repeat with one key is one project", async () => {
  const { ada } = stand;
  const key = { "Idempotency-Key": "once" };
  const [one, two] = [
    await ada.post("/v1/projects", { name: "shop" }, key),
    await ada.post("/v1/projects", { name: "shop" }, key),
  ];
  expect([one.status, two.status, two.body["id"]]).toEqual([201, 201, one.body["id"]]);
  const path = `/v1/projects/${String(one.body["id"])}`;
  const changed = await ada.patch(path, { title: "Shop" }, { "If-Match": '"1"' });
  expect([changed.status, changed.headers.get("etag")]).toEqual([200, '"2"']);
  for (const late of [
    await ada.patch(path, { title: "Store" }, { "If-Match": '"1"' }),
    await ada.delete(`${path}?confirm=shop`, undefined, { "If-Match": '"1"' }),
  ])
    expect([late.status, late.headers.get("etag")]).toEqual([412, '"2"']);
  expect((await ada.delete(path)).status).toBe(400);
  expect((await ada.delete(path, { confirm: "shop" })).status).toBe(202);
  expect((await ada.get(path)).status).toBe(404);
  expect((await ada.get(`${path}/receipt`)).body).toMatchObject({ name: "shop", clusters: [] });
});

test("the guard holds a project and each of its namespaces until it is taken away", async () => {
  const { ada } = stand;
  const red = await stand.make();
  const shop = await stand.space("shop", [red], { deletionProtection: true });
  const path = `/v1/projects/${shop}`;
  const refusals = [
    await ada.delete(path, { confirm: "shop" }),
    await ada.patch(path, { places: [], confirm: "shop" }),
  ];
  for (const { status, body } of refusals) expect([status, fields(body)]).toEqual([409, ["deletionProtection"]]);
  await stand.world.sweep();
  expect(stand.inside(red).objects.find(space("shop"))?.metadata.deletionTimestamp).toBeUndefined();
  await stand.does("PATCH", path, { deletionProtection: false });
  const bob = await stand.world.member(ada.tenant, "viewer");
  await stand.give(bob.member, "edit", shop);
  await stand.does("DELETE", path, { confirm: "shop" });
  expect((await ada.get("/v1/grants")).body["items"]).toEqual([]);
  await stand.world.sweep();
  expect(stand.inside(red).objects.find(space("shop"))).toBeUndefined();
  expect((await ada.get(`${path}/receipt`)).body).toMatchObject({ name: "shop", clusters: [red] });
});

test("a move makes the new namespace first, and the old one goes once that is ready", async () => {
  const { ada, world } = stand;
  const [red, blue] = [await stand.make(), await stand.make({ name: "two" })];
  const shop = await stand.space("shop", [red], { limits: { pods: 10 } });
  const taken = stand.inside(blue).objects.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  const moved = await ada.post(`/v1/projects/${shop}/move`, { from: red, to: blue, confirm: "shop" });
  expect(moved.status).toBe(200);
  await world.drain();
  await world.sweep(3);
  // The new place is another's, so nothing leaves the old one.
  expect(stand.inside(red).objects.find(space("shop"))?.metadata.deletionTimestamp).toBeUndefined();
  expect((await show(shop)).places).toMatchObject([{ state: "Ready", movingTo: blue }, { state: "Taken" }]);
  stand.inside(blue).objects.remove(space("shop"), { uid: taken.metadata.uid });
  // What was another's is looked at again with the next change of the project.
  await stand.does("PATCH", `/v1/projects/${shop}`, { title: "Shop" });
  await world.sweep(4);
  expect(stand.inside(red).objects.find(space("shop"))).toBeUndefined();
  expect((await show(shop)).places).toMatchObject([{ cluster: blue, state: "Ready", share: { pods: "10" } }]);
});

test("an end that comes stops new Pods, shuts people out and deletes nothing, and a later end opens it again", async () => {
  const { world, ada } = stand;
  const red = await stand.make();
  const bob = await world.member(ada.tenant, "viewer");
  const expiresAt = new Date(Date.parse(world.clock.now()) + 600_000).toISOString();
  const shop = await stand.space("shop", [red], { limits: { cpu: "4" }, expiresAt });
  await stand.give(bob.member, "edit", shop);
  expect((await show(shop)).expiry).toBe("Expiring");
  expect(stand.names(red, "RoleBinding")).toHaveLength(1);
  await world.sweep(12);
  expect(hard(red)).toEqual({ "requests.cpu": "4", pods: "0" });
  expect(stand.names(red, "RoleBinding")).toEqual([]);
  expect((await show(shop)).phase).toBe("Expired");
  expect(stand.inside(red).objects.find(space("shop"))?.metadata.deletionTimestamp).toBeUndefined();
  await stand.does("PATCH", `/v1/projects/${shop}`, { expiresAt: null });
  expect(hard(red)).toEqual({ "requests.cpu": "4" });
  expect(stand.names(red, "RoleBinding")).toHaveLength(1);
  expect((await show(shop)).phase).toBe("Ready");
});

test("50 projects on one cluster are 50 namespaces, listed in one read of it", async () => {
  const { ada, world } = stand;
  const red = await stand.make();
  for (let n = 0; n < 50; n += 1) {
    expect((await ada.post("/v1/projects", { name: `p${n}`, places: [{ cluster: red }] })).status).toBe(201);
  }
  await world.drain();
  await world.sweep();
  const { calls } = world.tables;
  const before = { ...calls };
  const { body } = await ada.get("/v1/projects?limit=100");
  const items = body["items"] as Shown[];
  expect(items).toHaveLength(50);
  expect(new Set(items.map(({ status }) => status.phase))).toEqual(new Set(["Ready"]));
  expect(stand.names(red, "Namespace")).toHaveLength(50);
  // Who is asked, the page, and one look at the clusters and their rows.
  const reads = Object.entries(calls).reduce(
    (sum, [op, count]) => sum + count - (before[op as keyof typeof before] ?? 0),
    0,
  );
  expect(reads).toBeLessThanOrEqual(5);
});

test("only an owner opens a project to privileged Pods, at its making and later; closing it again is any editor's", async () => {
  const eve = await stand.world.member(stand.ada.tenant, "editor");
  const asked = { podSecurity: "privileged" };
  for (const answer of [
    await eve.post("/v1/projects", { name: "shop", ...asked }),
    await eve.patch(`/v1/projects/${await stand.space("mill", [])}`, asked),
  ])
    expect([answer.status, fields(answer.body)]).toEqual([403, ["podSecurity"]]);
  const root = await stand.ada.post("/v1/projects", { name: "root", ...asked });
  expect(root.status).toBe(201);
  const path = root.headers.get("location") ?? "";
  expect((await eve.patch(path, { title: "Root" })).status).toBe(200);
  expect((await eve.patch(path, { podSecurity: "baseline" })).status).toBe(200);
  expect((await eve.patch(path, asked)).status).toBe(403);
  expect((await stand.ada.patch(path, asked)).status).toBe(200);
});
