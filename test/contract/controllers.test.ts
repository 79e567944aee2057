import { beforeEach, expect, test } from "vitest";
import type { Kube, Manifest, Ref } from "#core/context.ts";
import { newKubeWorld, type KubeWorld } from "../world/kube.ts";

// What Kubernetes' controllers do has no counterpart on a bare kube-apiserver: these hold the fake's alone.
const address = "https://127.0.0.1:6443";
let world: KubeWorld;
let kube: Kube;
let seed: number;
beforeEach(async () => {
  seed = 0;
  world = newKubeWorld({
    now: () => "2026-01-01T00:00:00.000Z",
    random: (bytes) => new Uint8Array(bytes).fill((seed += 1)),
    sleep: async () => undefined,
  });
  kube = world.kube({ server: address, authority: "", user: { certificate: "", key: "" } });
  await kube.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "a" } });
});

const selector = { matchLabels: { app: "x" } };
const template = { metadata: { labels: { app: "x" } }, spec: { containers: [] } };
const deployment: Manifest = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "x", namespace: "a" },
  spec: { replicas: 2, selector, template },
};
const set: Manifest = {
  ...deployment,
  kind: "StatefulSet",
  spec: {
    replicas: 1,
    selector,
    template,
    volumeClaimTemplates: [{ metadata: { name: "data", labels: { "berth.dev/cluster": "c" } }, spec: {} }],
  },
};
const ref = (apiVersion: string, kind: string, name: string): Ref => ({ apiVersion, kind, name, namespace: "a" });
const space = { apiVersion: "v1", kind: "Namespace", name: "a" };

test("a workload runs one tick after it was asked for or changed, and then is left alone", async () => {
  const made = await kube.create(deployment);
  expect(made).not.toHaveProperty("status");
  world.tick();
  const ready = await kube.get(ref("apps/v1", "Deployment", "x"));
  expect(ready).toMatchObject({ status: { observedGeneration: 1, readyReplicas: 2, availableReplicas: 2 } });
  world.tick();
  expect(await kube.get(ref("apps/v1", "Deployment", "x"))).toEqual(ready);
  const spec = { replicas: 3, selector, template };
  const changed = await kube.apply({ ...deployment, spec }, ready?.metadata.resourceVersion ?? "");
  expect(changed).toMatchObject({ metadata: { generation: 2 }, status: { observedGeneration: 1, readyReplicas: 2 } });
  world.tick();
  expect(await kube.get(ref("apps/v1", "Deployment", "x"))).toMatchObject({
    status: { observedGeneration: 2, readyReplicas: 3 },
  });
});

test("a workload that the world does not let run is seen, and not ready", async () => {
  world.server(address).runs = ({ kind }) => kind !== "Deployment";
  await kube.create(deployment);
  await kube.create(set);
  world.tick();
  expect(await kube.get(ref("apps/v1", "Deployment", "x"))).toMatchObject({
    status: { observedGeneration: 1, readyReplicas: 0 },
  });
  expect(await kube.get(ref("apps/v1", "StatefulSet", "x"))).toMatchObject({ status: { readyReplicas: 1 } });
});

test("a StatefulSet's claims are made and bound, carry its labels, and outlive it", async () => {
  const made = await kube.create(set);
  world.tick();
  const claim = ref("v1", "PersistentVolumeClaim", "data-x-0");
  expect(await kube.get(claim)).toMatchObject({
    status: { phase: "Bound" },
    metadata: { labels: { "berth.dev/cluster": "c", app: "x" } },
  });
  await kube.remove(ref("apps/v1", "StatefulSet", "x"), { uid: made.metadata.uid });
  world.tick();
  const found = await kube.get(claim);
  expect(found).toBeDefined();
  await kube.remove(claim, { uid: found?.metadata.uid ?? "" });
  world.tick();
  expect(await kube.get(claim)).toBeUndefined();
});

test("a namespace goes with all in it, and waits for what somebody holds", async () => {
  await kube.create(set);
  const held = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "h", namespace: "a", finalizers: ["x/y"] } };
  await kube.create(held);
  world.tick();
  await kube.remove(space, { uid: (await kube.get(space))?.metadata.uid ?? "" });
  world.tick();
  expect(await kube.get(ref("v1", "PersistentVolumeClaim", "data-x-0"))).toBeUndefined();
  expect(await kube.get(ref("apps/v1", "StatefulSet", "x"))).toBeUndefined();
  expect(await kube.get(space)).toMatchObject({ status: { phase: "Terminating" } });
  const left = await kube.get(ref("v1", "ConfigMap", "h"));
  const { finalizers: _, ...free } = held.metadata;
  await kube.apply({ ...held, metadata: free }, left?.metadata.resourceVersion ?? "");
  world.tick();
  expect(await kube.get(space)).toBeUndefined();
});

test("nothing happens where the controllers are down", async () => {
  world.server(address).controllers = false;
  const made = await kube.create(deployment);
  await kube.remove(space, { uid: (await kube.get(space))?.metadata.uid ?? "" });
  world.tick();
  expect(await kube.get(ref("apps/v1", "Deployment", "x"))).toEqual(made);
});
