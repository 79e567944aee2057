import { expect, test } from "vitest";
import type { Found, Manifest } from "#core/context.ts";
import { kubeName } from "#core/id.ts";
import { refOf } from "../world/apiserver/ref.ts";
import { newStand, type Stand } from "./stand.ts";

type Fields = Record<string, unknown>;
const at = (object: unknown, name: string): Fields => (object as Fields)[name] as Fields;

/** Every object of Berth on the host but the namespace and the volume, whose loss is another story. */
const mine = ({ kube }: Stand, id: string): Found[] =>
  kube.objects
    .all()
    .filter(({ metadata, kind }) => metadata.namespace === kubeName(id) && kind !== "PersistentVolumeClaim");

test("whatever is deleted on the host is made again, each as it was", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const before = stand.onHost(id);
  const kinds = new Set<string>();
  for (const object of mine(stand, id)) {
    stand.kube.objects.remove(refOf(object), { uid: object.metadata.uid });
    kinds.add(object.kind);
    expect(stand.onHost(id)).not.toEqual(before);
    await stand.world.round();
    expect(stand.onHost(id), `${object.kind} ${object.metadata.name}`).toEqual(before);
    expect(await stand.phase(id)).toBe("Ready");
  }
  expect([...kinds].sort()).toEqual([
    "ConfigMap",
    "Deployment",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "ResourceQuota",
    "Secret",
    "Service",
    "StatefulSet",
  ]);
});

test("all of it deleted at once comes back, with the same keys, addresses and node port", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const [before, { authority, endpoint } = {}] = [stand.onHost(id), stand.row(id)?.status];
  for (const object of mine(stand, id)) stand.kube.objects.remove(refOf(object), { uid: object.metadata.uid });
  await stand.world.round();
  expect(stand.onHost(id)).toEqual(before);
  expect(stand.row(id)?.status).toMatchObject({ authority, endpoint });
});

test("even its namespace comes back, once the old one is gone, with the same keys", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const before = stand.onHost(id);
  const ref = { apiVersion: "v1", kind: "Namespace", name: kubeName(id) };
  stand.kube.objects.remove(ref, { uid: stand.kube.objects.find(ref)?.metadata.uid ?? "" });
  await stand.world.round();
  await stand.world.sweep(3);
  expect(stand.onHost(id)).toEqual(before);
  expect(await stand.phase(id)).toBe("Ready");
});

const changes: [string, string, (object: Found) => Fields][] = [
  ["Deployment", "kube-apiserver", (one) => ({ spec: { ...at(one, "spec"), replicas: 0 } })],
  ["StatefulSet", "etcd", (one) => ({ spec: { ...at(one, "spec"), replicas: 0 } })],
  ["Secret", "apiserver", (one) => ({ data: { ...at(one, "data"), "tls.key": "bm9uZQ==" } })],
  ["Secret", "controller-manager", () => ({ data: {} })],
  ["ConfigMap", "apiserver-config", () => ({ data: { "audit.yaml": "{}" } })],
  ["Service", "apiserver", (one) => ({ spec: { ...at(one, "spec"), selector: { nobody: "here" } } })],
  [
    "Service",
    "etcd",
    (one) => ({ spec: { ...at(one, "spec"), selector: { ...at(at(one, "spec"), "selector"), a: "b" } } }),
  ],
  ["Service", "etcd", (one) => ({ spec: { ...at(one, "spec"), ports: [] } })],
  ["NetworkPolicy", "default-deny", () => ({ spec: { podSelector: { matchLabels: { no: "pod" } } } })],
  ["NetworkPolicy", "to-etcd", (one) => ({ spec: { ...at(one, "spec"), ingress: [{}] } })],
  ["NetworkPolicy", "default-deny", (one) => ({ spec: { ...at(one, "spec"), ingress: [{}] } })],
  ["ResourceQuota", "control-plane", () => ({ spec: { hard: { pods: "0" } } })],
  ["PodDisruptionBudget", "etcd", (one) => ({ spec: { ...at(one, "spec"), maxUnavailable: 0 } })],
];

test.each(changes)("what a stranger changed of %s %s is put back", async (kind, name, change) => {
  const stand = await newStand();
  const id = await stand.make();
  const before = stand.onHost(id);
  const found = mine(stand, id).find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error("there is no such object");
  stand.kube.objects.change({ ...found, ...change(found) });
  expect(stand.onHost(id)).not.toEqual(before);
  await stand.world.round();
  expect(stand.onHost(id)).toEqual(before);
  const after = stand.still(id);
  await stand.world.round();
  expect(stand.still(id)).toEqual(after);
});

test("what a stranger took our labels from is found again, and the cluster goes on", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const before = stand.onHost(id);
  for (const object of mine(stand, id)) {
    stand.kube.objects.change({ ...object, metadata: { ...object.metadata, labels: {} } });
  }
  await stand.world.round();
  expect(stand.onHost(id)).toEqual(before);
  expect(await stand.phase(id)).toBe("Ready");
});

test("what strangers add to our objects and beside them is left alone", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const namespace = kubeName(id);
  stand.kube.objects.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "theirs", namespace } });
  const secret = mine(stand, id).find(({ kind }) => kind === "Secret");
  if (secret === undefined) throw new Error("there is no Secret");
  const annotations = { "stranger.example/note": "seen" };
  stand.kube.objects.change({ ...secret, metadata: { ...secret.metadata, annotations } });
  const { writes } = stand.kube;
  // The row learns once what the host looks like now.
  await stand.world.round();
  const before = stand.still(id);
  await stand.world.round();
  expect(stand.still(id)).toEqual(before);
  expect(stand.kube.writes).toBe(writes);
});

test("whatever is deleted inside is made again: bindings, roles, discovery, the API's own address", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const before = stand.within(id);
  expect(before.size).toBe(23);
  for (const one of before.values()) {
    const { objects } = stand.inside(id);
    objects.remove(refOf(one), { uid: objects.find(refOf(one))?.metadata.uid ?? "" });
  }
  stand.world.tick();
  await stand.world.round();
  await stand.world.sweep();
  expect(stand.within(id)).toEqual(before);
  expect(await stand.phase(id)).toBe("Ready");
});

test("a stranger's hand in a binding or role of ours is taken out again", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const before = stand.within(id);
  const { objects } = stand.inside(id);
  const stranger = { kind: "User", name: "eve", apiGroup: "rbac.authorization.k8s.io" };
  for (const one of objects.all().filter(({ kind }) => kind.endsWith("Binding"))) {
    objects.change({ ...one, subjects: [...(one["subjects"] as Manifest[]), stranger] });
  }
  const role = objects.all().find(({ kind, metadata }) => kind === "Role" && metadata.name === "berth:access");
  if (role === undefined) throw new Error("there is no such role");
  objects.change({ ...role, rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] });
  expect(JSON.stringify([...stand.within(id)])).toContain("eve");
  await stand.world.round();
  expect(stand.within(id)).toEqual(before);
});

test("a binding of ours that a stranger made anew for another role is made ours again", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const before = stand.within(id);
  const { objects } = stand.inside(id);
  for (const one of objects.all().filter(({ kind }) => kind.endsWith("Binding"))) {
    const roleRef = { ...at(one, "roleRef"), name: "view" };
    objects.remove(refOf(one), { uid: one.metadata.uid });
    const { name, namespace, labels = {} } = one.metadata;
    objects.create({ ...one, roleRef, metadata: { name, ...(namespace !== undefined && { namespace }), labels } });
  }
  await stand.world.round();
  expect(stand.within(id)).toEqual(before);
  expect(stand.conditions(id)).not.toHaveProperty("Retrying");
});
