import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "./stand.ts";
import { kubeName } from "#core/id.ts";
import { refOf } from "#core/kube/index.ts";

const role = (name: string, kind = "ClusterRole") => ({ apiGroup: "rbac.authorization.k8s.io", kind, name });
const nameOf = (member: string, group: string): string => `berth:${kubeName(member)}:${group}`;

async function both(stand: Stand) {
  const red = await stand.make();
  const blue = await stand.make({ name: "two" });
  const shop = await stand.space("shop", [red, blue]);
  return { red, blue, shop };
}
/** Nothing moves in a round, nor in a sweep after it. */
async function still({ world, ...stand }: Stand, id: string): Promise<void> {
  await world.round();
  const before = stand.still(id);
  await world.round();
  await world.sweep();
  expect(stand.still(id)).toEqual(before);
}

test("what strangers change of rights and projects is put back by the next round, whatever they did", async () => {
  const stand = await newStand();
  const { red, shop } = await both(stand);
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  await stand.give(bob.member, "admin", "tenant");
  await stand.give(bob.member, "view", shop);
  await stand.world.round();
  const before = stand.kept(red);
  const { objects } = stand.inside(red);
  const real = () => objects.all().filter(({ metadata }) => metadata.labels?.["berth.dev/access"] !== undefined);
  for (const one of real()) {
    const { kind, metadata } = one;
    const next =
      kind === "Namespace"
        ? {
            ...one,
            metadata: {
              ...metadata,
              labels: { ...metadata.labels, "pod-security.kubernetes.io/enforce": "privileged" },
            },
          }
        : kind.endsWith("Binding")
          ? { ...one, subjects: [{ kind: "User", name: "eve" }] }
          : kind === "ClusterRole"
            ? { ...one, rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }] }
            : { ...one, metadata: { ...metadata, annotations: { "berth.dev/name": "eve", "berth.dev/wanted": "x" } } };
    objects.change(next);
  }
  await stand.world.round();
  expect(stand.kept(red)).toEqual(before);
  // Labels gone: never seen in a list again, and yet found.
  for (const one of real()) objects.change({ ...one, metadata: { ...one.metadata, labels: {} } });
  await stand.world.round();
  expect(stand.kept(red)).toEqual(before);
  for (const one of real()) if (one.kind !== "Namespace") objects.remove(refOf(one), { uid: one.metadata.uid });
  await stand.world.round();
  expect(stand.kept(red)).toEqual(before);
  await still(stand, red);
});

test("a binding of our name for another role is made ours; one with our labels that nobody is owed goes", async () => {
  const stand = await newStand();
  const { red, shop } = await both(stand);
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  await stand.give(bob.member, "view", shop);
  await stand.world.round();
  const before = stand.kept(red);
  const { objects } = stand.inside(red);
  const ref = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", namespace: "shop" };
  const one = objects.find({ ...ref, name: nameOf(bob.member, "view") });
  if (one === undefined) throw new Error("there is no binding");
  const { uid, labels = {}, name } = one.metadata;
  const rest = { subjects: one["subjects"], roleRef: role("cluster-admin") };
  objects.remove({ ...ref, name }, { uid });
  objects.create({ apiVersion: one.apiVersion, kind: one.kind, metadata: { name, namespace: "shop" }, ...rest });
  for (const kind of ["ClusterRole", "ClusterRoleBinding"]) {
    const more = kind === "ClusterRole" ? { rules: [] } : rest;
    objects.create({ apiVersion: one.apiVersion, kind, metadata: { name: "berth:left", labels }, ...more });
  }
  await stand.world.round();
  expect(stand.kept(red)).toEqual(before);
  // The same with our labels on it, and a role that would take in what others' roles say.
  const again = objects.find({ ...ref, name });
  objects.remove({ ...ref, name }, { uid: again?.metadata.uid ?? "" });
  const metadata = { name, namespace: "shop", labels };
  objects.create({ apiVersion: one.apiVersion, kind: one.kind, metadata, ...rest });
  const held = objects.find({ apiVersion: one.apiVersion, kind: "ClusterRole", name: "berth:view" });
  if (held === undefined) throw new Error("there is no role");
  objects.change({ ...held, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { all: "true" } }] } });
  await stand.world.round();
  expect(stand.kept(red)).toEqual(before);
});
