import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "./stand.ts";
import { accessKind } from "#core/access/schema.ts";
import { clusterKind } from "#core/cluster/schema.ts";
import { turns as cycle, round } from "#functions/cron/visit.ts";
import type { Outside } from "../world/index.ts";

const turns = Array.from({ length: cycle }, (_, turn) => turn);
const pokes = ({ world }: Stand): string[] => world.queue.letters.map(({ body }) => body);
const around = async ({ world }: Stand): Promise<void> => {
  for (const turn of turns) await world.run(round(world.deps, turn));
};
/** Every call to what is outside of Berth while `work` runs. */
async function calls({ world }: Stand, work: () => Promise<unknown>): Promise<Outside[]> {
  const seen: Outside[] = [];
  world.outside = (call) => void (call.when === "before" && seen.push(call));
  await work();
  world.outside = undefined;
  return seen;
}

test("a round looks into a cluster with 6 calls at most, the table's included, and writes nothing", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const before = stand.still(id);
  for (const turn of turns) {
    const seen = await calls(stand, () => stand.world.run(round(stand.world.deps, turn)));
    // What is asked once for all clusters is none of theirs; opening a sealed key is a call in the cloud.
    const own = seen.filter(
      ({ table }) => table?.act !== "carried" && !table?.keys.some((key) => key.includes("/host")),
    );
    expect(own.length + 1, `turn ${turn}`).toBeLessThanOrEqual(6);
    expect(own.filter(({ kube }) => kube?.verb === "list").length).toBeGreaterThan(0);
  }
  expect(stand.still(id)).toEqual(before);
  expect(pokes(stand)).toEqual([]);
});

test("all rounds together look at every kind that Berth makes inside", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const seen = await calls(stand, () => around(stand));
  const listed = new Set(seen.flatMap(({ kube }) => (kube?.verb === "list" ? [kube.kind] : [])));
  const made = new Set([...stand.within(id).values()].map(({ kind }) => kind));
  expect([...made].filter((kind) => !listed.has(kind))).toEqual([]);
});

test.each(["Namespace", "ConfigMap", "EndpointSlice", "Role", "RoleBinding", "ClusterRole"])(
  "a %s that is gone or is another inside is poked",
  async (kind) => {
    const stand = await newStand();
    const id = await stand.make();
    const { objects } = stand.inside(id);
    const [one] = objects.all().filter((each) => each.kind === kind && each.metadata.labels?.["berth.dev/cluster"]);
    if (one === undefined) throw new Error(`there is no ${kind}`);
    objects.change({ ...one, metadata: { ...one.metadata, labels: {} } });
    await around(stand);
    expect(pokes(stand).join()).toContain(id);
  },
);

test("every other round looks at rights, so that a taken one is back within the hour where no ear hears of it", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const { objects } = stand.inside(id);
  const owner = (): boolean => stand.names(id, "ClusterRoleBinding").length === 1;
  for (const turn of turns.filter((each) => each % 2 === 1)) {
    const [one] = objects.all().filter(({ kind, metadata }) => {
      return kind === "ClusterRoleBinding" && metadata.labels?.["berth.dev/access"] !== undefined;
    });
    if (one === undefined) throw new Error("the owner is bound to nothing");
    const { apiVersion, kind, metadata } = one;
    objects.remove({ apiVersion, kind, name: metadata.name }, { uid: metadata.uid });
    expect(owner()).toBe(false);
    expect(await stand.world.run(round(stand.world.deps, turn)), `turn ${turn}`).toMatchObject({ poked: 1 });
    await stand.world.drain();
    expect(owner(), `turn ${turn}`).toBe(true);
  }
});

test("rounds are half an hour apart, one for rights and one for what takes turns", async () => {
  const stand = await newStand();
  await stand.make();
  const kinds = async (): Promise<string[]> => {
    const seen = await calls(stand, () => stand.world.run(round(stand.world.deps)));
    return seen.flatMap(({ kube }) => (kube?.verb === "list" ? [String(kube.kind)] : [])).sort();
  };
  const [first, second] = [await kinds(), await stand.world.sweep(30).then(kinds)];
  const rights = ["ClusterRole", "ClusterRoleBinding", "RoleBinding", "ServiceAccount"];
  expect([first, second].filter((one) => JSON.stringify(one) === JSON.stringify(rights))).toHaveLength(1);
});

test("a cluster of before there were rows for rights gets one, and its owners an account, by the next round", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const table = stand.world.deps.home.table(stand.ada.tenant);
  await table.write(table.remove(accessKind, stand.access(id).id));
  for (const one of stand.inside(id).objects.all()) {
    const { apiVersion, kind, metadata } = one;
    if (metadata.labels?.["berth.dev/access"] === undefined) continue;
    stand.inside(id).objects.remove({ apiVersion, kind, ...metadata }, { uid: metadata.uid });
  }
  expect(stand.names(id, "ServiceAccount")).toEqual([]);
  await stand.world.run(round(stand.world.deps, 1));
  await stand.world.drain();
  expect(stand.access(id).status.conditions).toContainEqual(expect.objectContaining({ type: "Ready", status: "True" }));
  expect(stand.names(id, "ServiceAccount")).toHaveLength(1);
});

test("an account that nobody is owed is poked", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const labels = { "app.kubernetes.io/managed-by": "berth", "berth.dev/cluster": id.replace("_", "-") };
  const metadata = { name: "nobody", namespace: "berth-members", labels };
  stand.inside(id).objects.create({ apiVersion: "v1", kind: "ServiceAccount", metadata });
  await around(stand);
  expect(pokes(stand).join()).toContain(id);
});

test("a cluster that does not answer is poked, and holds the others up no longer than its own look takes", async () => {
  const stand = await newStand();
  const ids = [await stand.make(), await stand.make({ name: "two" }), await stand.make({ name: "three" })];
  const [dead = ""] = ids;
  stand.inside(dead).ready = false;
  const since = Date.parse(stand.world.clock.now());
  const { visited, poked } = await stand.world.run(round(stand.world.deps, 0));
  expect({ visited, poked }).toEqual({ visited: 3, poked: 1 });
  expect(pokes(stand).join()).toContain(dead);
  expect(Date.parse(stand.world.clock.now()) - since).toBeLessThanOrEqual(5_000);
});

test("a cluster that failed and waits for its next try is left to the sweep", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", name: "berth:get-nodes" };
  const { objects } = stand.inside(id);
  objects.remove(role, { uid: objects.find(role)?.metadata.uid ?? "" });
  const table = stand.world.deps.home.table(stand.ada.tenant);
  await table.edit(clusterKind, id, { set: { failures: 1 } });
  await around(stand);
  expect(pokes(stand)).toEqual([]);
  await table.edit(clusterKind, id, { set: { failures: 0 } });
  await around(stand);
  expect(pokes(stand).join()).toContain(id);
});

test("a cluster that is being made, or removed, is left to whoever is at it", async () => {
  const stand = await newStand();
  const [made, going] = [await stand.ask(), await stand.ask({ name: "two" })];
  await stand.ada.delete(`/v1/clusters/${going}`);
  stand.world.queue.letters.length = 0;
  expect(await stand.world.run(round(stand.world.deps, 0))).toEqual({ visited: 2, poked: 0 });
  expect(stand.row(made)?.epoch).toBe(0);
});
