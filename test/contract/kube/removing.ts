import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { configMap, kindOf, refOf, space, version, type Subject } from "./subject.ts";

/** What removing and listing promise. */
export function removing(subject: Subject): void {
  describe("removing", () => {
    test("takes away exactly what was seen, and what is gone is fine", async () => {
      const namespace = await space(subject.api);
      const made = await subject.api.create(configMap(namespace, "one", { a: "1" }));
      const next = await subject.api.apply(configMap(namespace, "one", { a: "2" }), version(made));
      expect(await kindOf(subject.api.remove(refOf(made), { uid: randomUUID() }))).toBe("conflict");
      expect(await kindOf(subject.api.remove(refOf(made), made.metadata))).toBe("conflict");
      expect(await subject.api.get(refOf(made))).toEqual(next);
      await subject.api.remove(refOf(made), { uid: made.metadata.uid });
      expect(await subject.api.get(refOf(made))).toBeUndefined();
      await subject.api.remove(refOf(made), { uid: made.metadata.uid });
    });

    test("a namespace takes nothing new in, and stays with all in it until the controllers come", async () => {
      const namespace = await space(subject.api);
      const ref = { apiVersion: "v1", kind: "Namespace", name: namespace };
      const inside = await subject.api.create(configMap(namespace, "one", { a: "1" }));
      const uid = (await subject.api.get(ref))?.metadata.uid ?? "";
      await subject.api.remove(ref, { uid });
      expect(await subject.api.get(ref)).toMatchObject({
        metadata: { deletionTimestamp: expect.any(String) },
        status: { phase: "Terminating" },
      });
      expect(await kindOf(subject.api.create(configMap(namespace, "two", {})))).toBe("forbidden");
      expect(await kindOf(subject.api.apply(configMap(namespace, "one", { a: "2" }), version(inside)))).toBe("fine");
      await subject.api.remove(ref, { uid });
      expect(await subject.api.get(refOf(inside))).toMatchObject({ data: { a: "2" } });
    });

    test("what has a finalizer stays until nobody holds it", async () => {
      const namespace = await space(subject.api);
      const plain = configMap(namespace, "one", { a: "1" });
      const held = { ...plain, metadata: { ...plain.metadata, finalizers: ["berth.test/held"] } };
      const made = await subject.api.create(held);
      await subject.api.remove(refOf(made), { uid: made.metadata.uid });
      const going = await subject.api.get(refOf(made));
      expect(going?.metadata.deletionTimestamp).toEqual(expect.any(String));
      await subject.api.apply(plain, version(going));
      expect(await subject.api.get(refOf(made))).toBeUndefined();
    });

    test("a volume claim waits for the controllers", async () => {
      const namespace = await space(subject.api);
      const claim = await subject.api.create({
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "data", namespace },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      });
      expect(claim).toMatchObject({ status: { phase: "Pending" } });
      await subject.api.remove(refOf(claim), { uid: claim.metadata.uid });
      expect((await subject.api.get(refOf(claim)))?.metadata.deletionTimestamp).toEqual(expect.any(String));
    });
  });

  describe("listing", () => {
    test("gives the set, sorted, each one saying what it is", async () => {
      const [one, two] = [await space(subject.api), await space(subject.api)].toSorted() as [string, string];
      const mark = { mark: one };
      for (const name of ["b", "a", "c"]) await subject.api.create(configMap(one, name, {}, name === "c" ? {} : mark));
      const other = await subject.api.create(configMap(two, "a", {}, mark));
      const query = { apiVersion: "v1", kind: "ConfigMap", labels: mark };
      const all = await subject.api.list(query);
      expect(all.items.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)).toEqual([
        `ConfigMap ${one}/a`,
        `ConfigMap ${one}/b`,
        `ConfigMap ${two}/a`,
      ]);
      expect(all.items[2]).toEqual(other);
      expect((await subject.api.list({ ...query, namespace: two })).items).toEqual([other]);
      expect((await subject.api.list({ ...query, namespace: "nowhere" })).items).toEqual([]);
      const { labels: _, ...unmarked } = query;
      expect((await subject.api.list({ ...unmarked, namespace: one })).items).toHaveLength(3);
    });

    test("gives more than one page holds", async () => {
      const namespace = await space(subject.api);
      const names = Array.from({ length: 505 }, (_, index) => `n-${String(index).padStart(3, "0")}`);
      await Promise.all(names.map((name) => subject.api.create(configMap(namespace, name, {}))));
      const { items } = await subject.api.list({ apiVersion: "v1", kind: "ConfigMap", namespace });
      expect(items.map(({ metadata }) => metadata.name)).toEqual(names);
    }, 30_000);
  });
}
