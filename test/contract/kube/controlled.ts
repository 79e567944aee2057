import { beforeAll, describe, expect, test, vi } from "vitest";
import { sightOf } from "#core/cluster/index.ts";
import type { Found, Kube, Manifest, Query } from "#core/context.ts";
import { configMap, kindOf, refOf, space, type Subject } from "./subject.ts";

const mark = "berth.dev/epoch";
const at = (epoch: number, manifest: Manifest): Manifest => ({
  ...manifest,
  metadata: { ...manifest.metadata, annotations: { [mark]: String(epoch) } },
});
const long = { timeout: 60_000, interval: 200 };

/** What a host's fence and our digest promise beside Kubernetes' own controllers, which run here for real. */
export function controlled(subject: Subject, control: () => Promise<void>): void {
  describe("beside Kubernetes' controllers", () => {
    let berth: Kube;
    beforeAll(async () => {
      berth = subject.kube(subject.berth);
      await control();
    }, 60_000);

    const spaceAt = async (epoch: number): Promise<Found> => {
      const ref = { apiVersion: "v1", kind: "Namespace", name: await space(subject.api) };
      const { metadata } = (await subject.api.get(ref)) as Found;
      return await berth.annotate(ref, metadata, { [mark]: String(epoch) });
    };
    const there = async (object: Manifest): Promise<Found> => (await subject.api.get(refOf(object))) as Found;
    const count = async (apiVersion: string, kind: string, namespace: string): Promise<number> =>
      (await subject.api.list({ apiVersion, kind, namespace } satisfies Query)).items.length;

    test("the fence stops no ReplicaSet, no garbage collection and no namespace's end, whatever the epochs", async () => {
      const namespace = await spaceAt(1);
      const { name } = namespace.metadata;
      const labels = { app: "x" };
      const manifest = (image: string): Manifest => ({
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "x", namespace: name },
        spec: {
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: "x", image }] } },
        },
      });
      const made = await berth.create(at(1, manifest("one")));
      await berth.create(at(1, configMap(name, "left", {})));
      await vi.waitFor(async () => expect(await count("v1", "Pod", name)).toBe(1), long);
      const later = await berth.annotate(refOf(namespace), namespace.metadata, { [mark]: "2" });
      // Its ReplicaSet and status are still of the first epoch, and go on.
      // Its controller writes its status meanwhile, so the version that was read may be another by then.
      const { api } = subject;
      await vi.waitFor(async () => api.apply(manifest("two"), (await there(made)).metadata.resourceVersion), long);
      await vi.waitFor(async () => {
        expect(await count("apps/v1", "ReplicaSet", name)).toBe(2);
        expect(await there(made)).toMatchObject({ status: { observedGeneration: 2 } });
      }, long);
      await vi.waitFor(async () => {
        const stamped = await berth.annotate(refOf(made), (await there(made)).metadata, { [mark]: "2" });
        expect(await kindOf(berth.remove(refOf(made), { uid: stamped.metadata.uid }))).toBe("fine");
      }, long);
      await vi.waitFor(async () => {
        expect(await count("apps/v1", "ReplicaSet", name)).toBe(0);
        expect(await count("v1", "Pod", name)).toBe(0);
      }, long);
      expect(await kindOf(berth.remove(refOf(later), later.metadata))).toBe("fine");
      await vi.waitFor(async () => expect(await subject.api.get(refOf(later))).toBeUndefined(), long);
    });

    test("the sight of a quota stays when its use is counted, and moves when another writes it", async () => {
      const namespace = await spaceAt(1);
      const quota: Manifest = {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "q", namespace: namespace.metadata.name },
        spec: { hard: { pods: "3", configmaps: "9" } },
      };
      const made = await berth.create(at(1, quota));
      await vi.waitFor(async () => expect(await there(quota)).toHaveProperty("status.used.pods"), long);
      await berth.create(at(1, configMap(namespace.metadata.name, "one", {})));
      const counted = await there(quota);
      expect(counted.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion);
      const query: Query = {
        apiVersion: "v1",
        kind: "ResourceQuota",
        namespace: namespace.metadata.name,
        metadata: true,
      };
      const [metadata] = (await berth.list(query)).items;
      expect([sightOf([counted]), sightOf(metadata ? [metadata] : [])]).toEqual([sightOf([made]), sightOf([made])]);
      const other = { ...quota, spec: { hard: { pods: "0" } } };
      const { api } = subject;
      await vi.waitFor(async () => await api.apply(other, (await there(quota)).metadata.resourceVersion), long);
      expect(sightOf([await there(quota)])).not.toBe(sightOf([made]));
    });
  });
}
