import { describe, expect, test } from "vitest";
import type { Query, Seen } from "#core/context.ts";
import { configMap, gather, kindOf, refOf, space, version, type Subject } from "./subject.ts";

/** What watching promises. */
export function watching(subject: Subject): void {
  describe("watching", () => {
    const take = async (query: Query, resourceVersion: string, count: number): Promise<string[]> => {
      const seen: string[] = [];
      const stop = new AbortController();
      for await (const { type, object } of subject.api.watch(query, {
        resourceVersion,
        seconds: 20,
        signal: stop.signal,
      })) {
        seen.push(`${type} ${object.metadata.name} ${JSON.stringify(object["data"])}`);
        if (seen.length === count) stop.abort();
      }
      return seen;
    };

    test("tells every change since a list, in order, those that come later too", async () => {
      const namespace = await space(subject.api);
      const query = { apiVersion: "v1", kind: "ConfigMap", namespace };
      await subject.api.create(configMap(namespace, "old", { a: "0" }));
      const { resourceVersion } = await subject.api.list(query);
      const one = await subject.api.create(configMap(namespace, "one", { a: "1" }));
      const watching = take(query, resourceVersion, 3);
      const two = await subject.api.apply(configMap(namespace, "one", { a: "2" }), version(one));
      await subject.api.remove(refOf(two), two.metadata);
      expect(await watching).toEqual(['ADDED one {"a":"1"}', 'MODIFIED one {"a":"2"}', 'DELETED one {"a":"2"}']);
    });

    test("tells of what comes into the set and leaves it by its labels", async () => {
      const namespace = await space(subject.api);
      const query = { apiVersion: "v1", kind: "ConfigMap", namespace, labels: { in: "yes" } };
      const { resourceVersion } = await subject.api.list(query);
      const out = await subject.api.create(configMap(namespace, "one", { a: "1" }));
      const into = await subject.api.apply(configMap(namespace, "one", { a: "2" }, { in: "yes" }), version(out));
      await subject.api.apply(configMap(namespace, "one", { a: "3" }), version(into));
      expect(await take(query, resourceVersion, 2)).toEqual(['ADDED one {"a":"2"}', 'DELETED one {"a":"2"}']);
    });

    test("ends when it is told to, or when its time is over", async () => {
      const namespace = await space(subject.api);
      const query = { apiVersion: "v1", kind: "ConfigMap", namespace };
      const { resourceVersion } = await subject.api.list(query);
      const all = async (seconds: number, signal: AbortSignal): Promise<Seen[]> =>
        await gather(subject.api.watch(query, { resourceVersion, seconds, signal }));
      expect(await all(20, AbortSignal.abort())).toEqual([]);
      expect(await all(20, AbortSignal.timeout(50))).toEqual([]);
      expect(await all(1, new AbortController().signal)).toEqual([]);
    });

    test("a version too old to go on from is expired", async () => {
      const namespace = await space(subject.api);
      const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "one", namespace } };
      const made = await subject.api.create({ ...lease, spec: { holderIdentity: "a" } });
      const next = await subject.api.apply({ ...lease, spec: { holderIdentity: "b" } }, version(made));
      await subject.api.apply({ ...lease, spec: { holderIdentity: "c" } }, version(next));
      await subject.forget();
      const query = { apiVersion: lease.apiVersion, kind: lease.kind, namespace };
      const options = { resourceVersion: version(made), seconds: 5, signal: new AbortController().signal };
      expect(await kindOf(gather(subject.api.watch(query, options)))).toBe("expired");
      const { resourceVersion } = await subject.api.list(query);
      expect(await kindOf(gather(subject.api.watch(query, { ...options, resourceVersion, seconds: 1 })))).toBe("fine");
    });
  });
}
