import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "./stand.ts";
import { keyKind, keepKey, openKey } from "#core/cluster/keys.ts";
import { type Kube, KubeFault, type Manifest, ours, type Place, type Ref } from "#core/context.ts";
import { kubeName } from "#core/id.ts";
import { workOf } from "#functions/deps.ts";
import { listen } from "#functions/watch/ear.ts";
import { hostServer, hostToken } from "../world/index.ts";

const accessOf = (id: string): string => id.replace("cls_", "acc_");
const rbac = "rbac.authorization.k8s.io/v1";

/** An ear on the stand's host that listens inside of clusters too; what it says is kept, a list per poke. */
async function newEar({ world, host }: Stand, more: { poke?: (pokes: Place[]) => Promise<void> } = {}) {
  const stop = new AbortController();
  const said: Place[][] = [];
  const target = { server: hostServer(host), authority: "a host's authority", user: { token: hostToken } };
  const ended = listen({
    kube: (): Kube => world.kubes.kube(target),
    inside: (inner) => world.kubes.kube(inner),
    poke: more.poke ?? (async (pokes) => void said.push(pokes)),
    log: world.deps.log,
    sleep: (ms, signal) => world.clock.sleep(ms, signal),
    random: world.deps.random,
    signal: stop.signal,
  });
  await world.clock.pass(2_000);
  return {
    said,
    async stop(): Promise<void> {
      stop.abort();
      await ended;
    },
  };
}

/** A binding in a project's namespace, as Berth makes them. */
const binding = (id: string, name = "bob"): Manifest => ({
  apiVersion: rbac,
  kind: "RoleBinding",
  metadata: { name, namespace: "shop", labels: { ...ours, "berth.dev/access": kubeName(accessOf(id)) } },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "berth:view" },
  subjects: [],
});
const refOf = ({ apiVersion, kind, metadata: { name, namespace = "" } }: Manifest): Ref => ({
  apiVersion,
  kind,
  name,
  namespace,
});
/** A cluster with a binding in it. */
async function withBinding(stand: Stand, name = "one"): Promise<string> {
  const id = await stand.make({ name });
  const { objects } = stand.inside(id);
  objects.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  objects.create(binding(id));
  return id;
}
function drop(stand: Stand, id: string): void {
  const { objects } = stand.inside(id);
  objects.remove(refOf(binding(id)), { uid: objects.find(refOf(binding(id)))?.metadata.uid ?? "" });
}
/** A member's write, as a real server notes it. */
function touch(stand: Stand, id: string, time = stand.world.clock.now()): void {
  const { objects } = stand.inside(id);
  const found = objects.find(refOf(binding(id)));
  if (found === undefined) throw new Error("there is no binding");
  const hand = { manager: "kubectl-edit", operation: "Update", time, fieldsV1: { "f:subjects": {} } };
  objects.change({ ...found, metadata: { ...found.metadata, managedFields: [hand] } });
}
const placeOf = ({ ada }: Stand, id: string) => ({ tenant: ada.tenant, id: accessOf(id) });

test("a binding that a tenant deletes or changes is heard within two seconds, as what its cluster grants", async () => {
  const stand = await newStand();
  const id = await withBinding(stand);
  const ear = await newEar(stand);
  touch(stand, id);
  await stand.world.clock.pass(2_000);
  expect(ear.said).toEqual([[placeOf(stand, id)]]);
  drop(stand, id);
  await stand.world.clock.pass(2_000);
  expect(ear.said).toEqual([[placeOf(stand, id)], [placeOf(stand, id)]]);
  await ear.stop();
});

test("what Berth itself makes there, and what is not its own, is not heard", async () => {
  const stand = await newStand();
  const id = await withBinding(stand);
  const ear = await newEar(stand);
  const { objects } = stand.inside(id);
  objects.create(binding(id, "eve"));
  const { labels: _, ...plain } = binding(id, "own").metadata;
  objects.create({ ...binding(id), metadata: plain });
  objects.remove(refOf(binding(id, "own")), { uid: objects.find(refOf(binding(id, "own")))?.metadata.uid ?? "" });
  await stand.world.clock.pass(5_000);
  expect(ear.said).toEqual([]);
  await ear.stop();
});

test("a label that names another tenant's cluster pokes nothing there: whose a cluster is, its host says", async () => {
  const stand = await newStand();
  const [id, other] = [await withBinding(stand), await withBinding(stand, "two")];
  const ear = await newEar(stand);
  const { objects } = stand.inside(id);
  const forged = { ...binding(other, "forged") };
  objects.create(forged);
  objects.remove(refOf(forged), { uid: objects.find(refOf(forged))?.metadata.uid ?? "" });
  await stand.world.clock.pass(5_000);
  expect(ear.said.flat()).toEqual([]);
  await ear.stop();
});

test("a token for ears may poke what a cluster grants, and nothing is thought of where there is none", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const staff = await stand.world.staff();
  const answer = await staff.post("/v1/home/pokes", {
    pokes: [placeOf(stand, id), placeOf(stand, `${id.slice(0, -1)}0`)],
  });
  expect([answer.status, answer.body]).toEqual([202, { pokes: 2 }]);
  expect(stand.world.queue.letters.map(({ body }) => (JSON.parse(body) as Place).id)).toContain(accessOf(id));
  expect(await stand.world.drain()).toEqual([]);
});

test("clusters that come are listened in, and those that go no more", async () => {
  const stand = await newStand();
  const ear = await newEar(stand);
  const id = await withBinding(stand);
  await stand.world.clock.pass(120_000);
  touch(stand, id);
  await stand.world.clock.pass(2_000);
  expect(ear.said.flat()).toEqual([placeOf(stand, id)]);
  await stand.ada.delete(`/v1/clusters/${id}`);
  await stand.world.drain();
  // Whoever would still listen would ask the host how to come in, again and again.
  const asked = () => stand.kube.calls.filter(({ kind, name }) => kind === "Secret" && name === "ear").length;
  const before = asked();
  await stand.world.clock.pass(900_000);
  expect([before > 0, asked() - before]).toEqual([true, 0]);
  await ear.stop();
});

test("a dead cluster is asked less and less often, and others are heard as ever", async () => {
  const stand = await newStand();
  const [dead, well] = [await withBinding(stand), await withBinding(stand, "two")];
  const fault = new KubeFault("unavailable", "list: no answer");
  stand.inside(dead).troubles.push({ match: () => true, fault, when: "before" });
  const ear = await newEar(stand);
  await stand.world.clock.pass(600_000);
  expect(stand.inside(dead).calls.length).toBeLessThan(8 * 30);
  expect(stand.world.lines.filter(({ message }) => message === "an ear lost a cluster").length).toBe(1);
  touch(stand, well);
  await stand.world.clock.pass(2_000);
  expect(ear.said.flat()).toEqual([placeOf(stand, well)]);
  stand.inside(dead).troubles.length = 0;
  await stand.world.clock.pass(120_000);
  // Found again, it is looked at: a right may have been taken while it was away.
  const told = () => ear.said.flat().filter(({ id }) => id === placeOf(stand, dead).id).length;
  expect(told()).toBe(1);
  touch(stand, dead);
  await stand.world.clock.pass(2_000);
  expect(told()).toBe(2);
  await ear.stop();
});

test("a tenant that changes its bindings without end is a trickle by the time it reaches home", async () => {
  const stand = await newStand();
  const id = await withBinding(stand);
  const ear = await newEar(stand);
  for (let second = 0; second < 600; second += 1) {
    touch(stand, id, `t${second}`);
    await stand.world.clock.pass(1_000);
  }
  expect(ear.said.length).toBeLessThan(10 + 600 / 30 + 2);
  expect(ear.said.length).toBeGreaterThan(10);
  const before = ear.said.length;
  await stand.world.clock.pass(60_000);
  // The last change is told, however late.
  expect(ear.said.length).toBeGreaterThan(before);
  await ear.stop();
});

test("leaves of an older release get an ear's certificate beside them, and no Pod is replaced for it", async () => {
  const stand = await newStand();
  const { world } = stand;
  const id = await stand.make();
  const row = stand.row(id);
  if (row === undefined) throw new Error("there is no such cluster");
  const work = await workOf(world.deps, world.context(stand.ada.tenant));
  const leaves = await openKey(work, row, "leaves");
  const { ear: _, ...older } = leaves?.value ?? {};
  await keepKey(work, row, "leaves", older as never, { once: false, expiresAt: leaves?.expiresAt ?? "" });
  stand.kube.objects.remove(
    { apiVersion: "v1", kind: "Secret", name: "ear", namespace: kubeName(id) },
    { uid: stand.onHost(id).has(`Secret ${kubeName(id)} ear`) ? uidOf(stand, id) : "" },
  );
  const pods = JSON.stringify([...stand.onHost(id).values()].filter(({ kind }) => kind === "Deployment"));
  await world.lap();
  const after = await openKey(work, row, "leaves");
  expect(after?.value).toEqual({ ...older, ear: expect.objectContaining({ key: expect.any(String) }) });
  expect(after?.expiresAt).toBe(leaves?.expiresAt);
  expect(await work.table.get(keyKind, `${id}/leaves`)).toBeDefined();
  expect(stand.onHost(id).has(`Secret ${kubeName(id)} ear`)).toBe(true);
  expect(JSON.stringify([...stand.onHost(id).values()].filter(({ kind }) => kind === "Deployment"))).toBe(pods);
  const ear = await newEar(stand);
  await ear.stop();
});
const uidOf = (stand: Stand, id: string): string =>
  stand.kube.objects.find({ apiVersion: "v1", kind: "Secret", name: "ear", namespace: kubeName(id) })?.metadata.uid ??
  "";
