import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand, type World } from "./stand.ts";
import { clusterKind } from "#core/cluster/schema.ts";
import { KubeFault, type Ref } from "#core/context.ts";
import type { Audit } from "#core/audit/schema.ts";
import { type Host, hostKind } from "#core/host/schema.ts";
import { kubeName } from "#core/id.ts";
import { lap } from "#functions/cron/survey.ts";

const bodies = ({ queue }: World): string[] => queue.letters.map(({ body }) => body);
const namespaceOf = (id: string) => ({ apiVersion: "v1", kind: "Namespace", name: kubeName(id) });
const secretOf = (id: string) => ({ apiVersion: "v1", kind: "Secret", name: "etcd", namespace: kubeName(id) });
/** As a person with rights on the host would. */
const drop = ({ kube }: Stand, ref: Ref): void =>
  kube.objects.remove(ref, { uid: kube.objects.find(ref)?.metadata.uid ?? "" });
/** A namespace with the labels of a cluster, as one that came back from a host's backup. */
const revive = ({ kube, ada }: Stand, id: string, tenant: string = ada.tenant): void => {
  const labels = {
    "app.kubernetes.io/managed-by": "berth",
    "berth.dev/cluster": kubeName(id),
    "berth.dev/tenant": kubeName(tenant),
  };
  const metadata = { name: kubeName(id), labels };
  kube.objects.create({ apiVersion: "v1", kind: "Namespace", metadata });
};
const hostRow = async ({ world, host }: Stand): Promise<Host | undefined> =>
  await world.deps.home.table(world.deps.home.tenant).get(hostKind, host.id);

test("a lap over clusters that are as they were pokes nothing and writes nothing", async () => {
  const stand = await newStand();
  const ids = [await stand.make(), await stand.make({ name: "two" })];
  const before = ids.map((id) => stand.still(id));
  await stand.world.run(lap(stand.world.deps));
  expect(bodies(stand.world)).toEqual([]);
  expect(ids.map((id) => stand.still(id))).toEqual(before);
});

test("what is gone or changed on the host is poked, and its neighbour is not", async () => {
  const stand = await newStand();
  const [one, two] = [await stand.make(), await stand.make({ name: "two" })];
  drop(stand, secretOf(one));
  await stand.world.run(lap(stand.world.deps));
  expect(bodies(stand.world).join()).toContain(one);
  expect(bodies(stand.world).join()).not.toContain(two);
});

test("a cluster that waits for a person is not poked, however it is by now", async () => {
  const stand = await newStand();
  const { world, ada } = stand;
  const id = await stand.make();
  drop(stand, secretOf(id));
  const set = { failures: 10, parkedAt: world.clock.now() };
  await world.deps.home.table(ada.tenant).edit(clusterKind, id, { set });
  await world.run(lap(world.deps));
  expect(bodies(world)).toEqual([]);
});

test("a copy of an object of ours in a namespace of others is no news of the cluster", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const found = stand.kube.objects.find(secretOf(id));
  const { name, labels = {} } = found?.metadata ?? { name: "" };
  stand.kube.objects.create({
    ...found,
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, labels, namespace: "default" },
  });
  await stand.world.run(lap(stand.world.deps));
  expect(bodies(stand.world)).toEqual([]);
});

test("a lap asks a host once for each kind, in metadata alone, however many clusters it carries", async () => {
  const stand = await newStand();
  for (const name of ["one", "two", "three"]) await stand.make({ name });
  const before = stand.kube.calls.length;
  await stand.world.run(lap(stand.world.deps));
  const calls = stand.kube.calls.slice(before);
  expect(calls.map(({ verb }) => verb)).toEqual(Array(10).fill("list"));
  expect(new Set(calls.map(({ kind }) => kind)).size).toBe(10);
});

test("the namespace of a cluster that was ended for good is deleted, and the tenant's audit says so", async () => {
  const stand = await newStand();
  const { world, ada, kube } = stand;
  const id = await stand.make();
  await ada.delete(`/v1/clusters/${id}`);
  await world.drain();
  expect((await ada.get(`/v1/clusters/${id}/receipt`)).status).toBe(200);
  revive(stand, id);
  await world.run(lap(world.deps));
  world.tick();
  expect(kube.objects.find(namespaceOf(id))).toBeUndefined();
  const entries = [...world.tables.rows()].filter(([key]) => key.startsWith(`${ada.tenant}/audit/`));
  const cleared = entries.map(([, row]) => row as unknown as Audit).filter(({ verb }) => verb === "cluster:clear");
  expect(cleared).toMatchObject([{ target: id, actor: { member: "system" } }]);
});

test("a namespace of which the table knows nothing is never deleted, and staff sees it on the host until it is gone", async () => {
  const stand = await newStand();
  const { world, kube } = stand;
  const lost = `cls_${"0".repeat(26)}`;
  revive(stand, lost);
  const { strangers } = await world.run(lap(world.deps));
  expect(strangers).toBe(1);
  expect(kube.objects.find(namespaceOf(lost))).toBeDefined();
  expect(kube.writes).toBe(0);
  expect((await hostRow(stand))?.strangers).toEqual([kubeName(lost)]);
  expect(world.lines.filter(({ level }) => level === "error")).toMatchObject([
    { fields: { namespace: kubeName(lost) } },
  ]);
  drop(stand, namespaceOf(lost));
  world.tick();
  await world.run(lap(world.deps));
  expect((await hostRow(stand))?.strangers).toEqual([]);
});

test("a cluster that the index has not heard of is read from its row, poked, and left standing", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const { home } = stand.world.deps;
  home.carried = async () => ({ items: [], next: null });
  await stand.world.run(lap(stand.world.deps));
  expect(bodies(stand.world).join()).toContain(id);
  expect(stand.kube.objects.find(namespaceOf(id))).toBeDefined();
});

test.each(["fails", "hangs"])("a host that %s costs the others nothing", async (how) => {
  const stand = await newStand();
  const { world } = stand;
  const id = await stand.make();
  const bad = await world.host({ name: "south", address: "192.0.2.20" });
  const fault = new KubeFault("unavailable", "list: no answer");
  if (how === "fails") world.on(bad).troubles.push({ match: ({ verb }) => verb === "list", when: "before", fault });
  else hang(stand, bad.address);
  drop(stand, secretOf(id));
  await world.run(lap(world.deps));
  expect(bodies(world).join()).toContain(id);
  expect(world.lines.filter(({ message }) => message === "a host could not be lapped")).toMatchObject([
    { fields: { host: bad.id } },
  ]);
});

/** Lists of one host are never answered. */
function hang({ world }: Stand, address: string): void {
  const { tools } = world.deps;
  world.deps.tools = async () => {
    const { kube, ...rest } = await tools();
    return {
      ...rest,
      kube: (target) =>
        target.server.includes(address) ? { ...kube(target), list: () => new Promise(() => undefined) } : kube(target),
    };
  };
}
