import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "./stand.ts";
import { act } from "#core/access/act.ts";
import { newLane } from "#core/access/lane.ts";
import { look } from "#core/access/sight.ts";
import * as Cluster from "#core/cluster/index.ts";
import { type ID, kubeName } from "#core/id.ts";
import { grantKind } from "#core/grant/schema.ts";
import * as Project from "#core/project/index.ts";
import { workOf } from "#functions/deps.ts";

const namespace = { apiVersion: "v1", kind: "Namespace" } as const;
const minute = 60_000;
const stateIn = (stand: Stand, cluster: string, project: string): string | undefined =>
  stand.access(cluster).status.projects[project]?.state;
function drop(stand: Stand, cluster: string, name: string): void {
  const { objects } = stand.inside(cluster);
  const found = objects.find({ ...namespace, name });
  objects.remove({ ...namespace, name }, { uid: found?.metadata.uid ?? "" });
  for (let tick = 0; tick < 5; tick += 1) stand.world.kubes.tick();
}
const grants = async ({ world, ada }: Stand) =>
  (await world.deps.home.table(ada.tenant).list(grantKind, { limit: 100 })).items;

test("a namespace that was taken is looked at again each ten minutes, and is the project's once it is free", async () => {
  const stand = await newStand();
  const red = await stand.make();
  stand.inside(red).objects.create({ ...namespace, metadata: { name: "shop" } });
  const shop = await stand.space("shop", [red]);
  expect(stateIn(stand, red, shop)).toBe("Taken");
  const due = stand.access(red).lookAt;
  expect(Date.parse(due ?? "") - Date.parse(stand.world.clock.now())).toBeLessThanOrEqual(10 * minute);
  // Looked at before its time, it is written for nothing by nobody.
  const still = stand.still(red);
  await stand.world.consume(JSON.stringify({ tenant: stand.ada.tenant, id: stand.access(red).id }));
  expect(stand.still(red)).toEqual(still);
  await stand.world.sweep(25);
  const again = stand.access(red);
  expect(stateIn(stand, red, shop)).toBe("Taken");
  expect(Date.parse(again.lookAt ?? "") - Date.parse(due ?? "")).toBe(20 * minute);
  drop(stand, red, "shop");
  await stand.world.sweep(10);
  expect(stateIn(stand, red, shop)).toBe("Ready");
  expect(stand.access(red).lookAt).toBeUndefined();
});

test("what was granted in a project ends with it, though whoever removed it died on the way", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const shop = (await stand.space("shop", [red])) as ID<"project">;
  const { member } = await stand.world.member(stand.ada.tenant, "viewer");
  await stand.give(member, "edit", shop);
  // As the request does, and nothing of what it does after.
  await Project.remove(stand.world.context(stand.ada.tenant), shop, { confirm: "shop" });
  await stand.world.sweep(2);
  expect(await stand.ada.get(`/v1/projects/${shop}`)).toMatchObject({ status: 404 });
  expect(await grants(stand)).toEqual([]);
});

test("what was granted in a project ends with it when its last cluster goes", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const shop = (await stand.space("shop", [red])) as ID<"project">;
  const { member } = await stand.world.member(stand.ada.tenant, "viewer");
  await stand.give(member, "edit", shop);
  await Project.remove(stand.world.context(stand.ada.tenant), shop, { confirm: "shop" });
  await stand.does("DELETE", `/v1/clusters/${red}`, { confirm: "one" });
  await stand.world.sweep(3);
  expect(await stand.ada.get(`/v1/projects/${shop}`)).toMatchObject({ status: 404 });
  expect(await grants(stand)).toEqual([]);
});

test("who owns a project alone is bound to all in its namespace, and to nothing that is no resource", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const shop = await stand.space("shop", [red]);
  const { member } = await stand.world.member(stand.ada.tenant, "viewer");
  await stand.give(member, "owner", shop);
  const bound = stand.kept(red).get(`RoleBinding shop berth:${kubeName(member)}:owner`);
  expect(bound).toMatchObject({ roleRef: { kind: "ClusterRole", name: "berth:owner-project" } });
  const rules = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];
  expect(stand.kept(red).get("ClusterRole berth:owner-project")).toMatchObject({ rules });
});

test("thousands of namespaces that bear our label fill no row, and keep no right from being taken", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const { member } = await stand.world.member(stand.ada.tenant, "viewer");
  const grant = await stand.give(member, "admin", red);
  const labels = { "app.kubernetes.io/managed-by": "berth", "berth.dev/access": kubeName(stand.access(red).id) };
  for (let i = 0; i < 3_000; i += 1) {
    stand.inside(red).objects.create({ ...namespace, metadata: { name: `n-${"x".repeat(50)}-${i}`, labels } });
  }
  await stand.does("DELETE", `/v1/grants/${grant}`);
  expect(stand.names(red, "ServiceAccount").join()).not.toContain(kubeName(member));
  expect(JSON.stringify(stand.access(red)).length).toBeLessThan(40_000);
});

test("however much is taken away at once, few requests are under way", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const labels = { "app.kubernetes.io/managed-by": "berth", "berth.dev/access": kubeName(stand.access(red).id) };
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "berth:view" };
  for (let i = 0; i < 300; i += 1) {
    const metadata = { name: `b-${i}`, namespace: "default", labels };
    stand.inside(red).objects.create({ apiVersion, kind: "RoleBinding", metadata, roleRef, subjects: [] });
  }
  let [now, most] = [0, 0];
  stand.world.outside = ({ kube, when }) => {
    if (kube?.verb !== "remove") return;
    now += when === "before" ? 1 : -1;
    most = Math.max(most, now);
  };
  await stand.world.consume(JSON.stringify({ tenant: stand.ada.tenant, id: stand.access(red).id }));
  stand.world.outside = undefined;
  expect(stand.names(red, "RoleBinding")).toEqual([]);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(50);
});

test("a namespace is deleted by what its project says now, and not by rows that were read before it was made", async () => {
  const stand = await newStand();
  const red = (await stand.make()) as ID<"cluster">;
  await stand.space("shop", [red]);
  const work = await workOf(stand.world.deps, stand.world.context(stand.ada.tenant));
  const [cluster] = await Cluster.inward(work, red, [{ name: "none", schema: undefined as never }, "none"]);
  if (cluster === undefined) throw new Error("there is no cluster");
  const seen = await stand.world.run(look(work, stand.access(red), cluster));
  const found = seen.objects.get("Namespace shop");
  if (found === undefined) throw new Error("there is no namespace");
  const projects = seen.rows.projects.map((project) => ({
    ...project,
    places: project.places.map((place) => ({ ...place, leavingAt: stand.world.clock.now() })),
  }));
  const stale = { ...seen, rows: { ...seen.rows, projects } };
  const deleting = act(work, stand.access(red), { cluster, lane: newLane(1) }, { do: "remove", found }, stale);
  await expect(stand.world.run(deleting)).rejects.toMatchObject({ kind: "conflict" });
  expect(stand.inside(red).objects.find({ ...namespace, name: "shop" })?.metadata).not.toHaveProperty(
    "deletionTimestamp",
  );
});

test("an adoption is of the one namespace that was there: what comes in its place later is taken, not ours", async () => {
  const stand = await newStand();
  const red = await stand.make();
  stand.inside(red).objects.create({ ...namespace, metadata: { name: "shop" } });
  const shop = await stand.space("shop", [red]);
  await stand.does("POST", `/v1/projects/${shop}/adopt`, { cluster: red, confirm: "shop" });
  expect(stateIn(stand, red, shop)).toBe("Ready");
  drop(stand, red, "shop");
  stand.inside(red).objects.create({ ...namespace, metadata: { name: "shop" } });
  await stand.world.consume(JSON.stringify({ tenant: stand.ada.tenant, id: stand.access(red).id }));
  await stand.world.sweep(12);
  expect(stateIn(stand, red, shop)).toBe("Taken");
  await stand.does("DELETE", `/v1/projects/${shop}`, { confirm: "shop" });
  await stand.world.sweep(3);
  expect(stand.inside(red).objects.find({ ...namespace, name: "shop" })).toBeDefined();
});

test("an adopted namespace that was replaced is adopted again on another word", async () => {
  const stand = await newStand();
  const red = await stand.make();
  stand.inside(red).objects.create({ ...namespace, metadata: { name: "shop" } });
  const shop = await stand.space("shop", [red]);
  const adopt = () => stand.does("POST", `/v1/projects/${shop}/adopt`, { cluster: red, confirm: "shop" });
  await adopt();
  drop(stand, red, "shop");
  stand.inside(red).objects.create({ ...namespace, metadata: { name: "shop" } });
  await stand.world.consume(JSON.stringify({ tenant: stand.ada.tenant, id: stand.access(red).id }));
  expect(stateIn(stand, red, shop)).toBe("Taken");
  await adopt();
  expect(stateIn(stand, red, shop)).toBe("Ready");
});
