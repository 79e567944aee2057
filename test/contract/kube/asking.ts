import { describe, expect, test } from "vitest";
import type { Manifest, Seen } from "#core/context.ts";
import { configMap, kindOf, refOf, space, type Subject, version } from "./subject.ts";

/** What is promised of calls that ask for less than all, only try, or touch annotations alone. */
export function asking(subject: Subject): void {
  describe("metadata alone", () => {
    test("is listed under the kind that was asked for, without what the object holds", async () => {
      const namespace = await space(subject.api);
      const made = await subject.api.create(configMap(namespace, "one", { a: "1" }, { colour: "red" }));
      await subject.api.create(configMap(namespace, "two", {}));
      const query = {
        apiVersion: "v1",
        kind: "ConfigMap",
        namespace,
        labels: { colour: "red" },
        metadata: true,
      } as const;
      const { items, resourceVersion } = await subject.api.list(query);
      expect(items).toEqual([{ apiVersion: "v1", kind: "ConfigMap", metadata: made.metadata }]);
      expect(Number(resourceVersion)).toBeGreaterThanOrEqual(Number(version(made)));
    });

    test("is watched the same way", async () => {
      const namespace = await space(subject.api);
      const query = { apiVersion: "v1", kind: "ConfigMap", namespace, metadata: true } as const;
      const { resourceVersion } = await subject.api.list(query);
      const made = await subject.api.create(configMap(namespace, "one", { a: "1" }));
      const over = new AbortController();
      const seen: Seen[] = [];
      for await (const change of subject.api.watch(query, { resourceVersion, seconds: 10, signal: over.signal })) {
        seen.push(change);
        over.abort();
      }
      const object = { apiVersion: "v1", kind: "ConfigMap", metadata: made.metadata };
      expect(seen).toEqual([{ type: "ADDED", object }]);
    });
  });

  test("what is only tried is judged as if it were made, and is not", async () => {
    const namespace = await space(subject.api);
    const manifest = configMap(namespace, "one", { a: "1" });
    expect(await subject.api.create(manifest, { dryRun: true })).toMatchObject({ data: { a: "1" } });
    expect(await subject.api.get(refOf(manifest))).toBeUndefined();
    expect(await kindOf(subject.api.create(configMap("nowhere", "one", {}), { dryRun: true }))).toBe("missing");
    await subject.api.create(manifest);
    expect(await kindOf(subject.api.create(manifest, { dryRun: true }))).toBe("conflict");
  });

  describe("annotating", () => {
    test("adds and changes what is named and leaves all else, through later applies too", async () => {
      const namespace = await space(subject.api);
      const manifest = configMap(namespace, "one", { a: "1" }, { colour: "red" });
      const annotated = { ...manifest, metadata: { ...manifest.metadata, annotations: { kept: "k", old: "1" } } };
      const made = await subject.api.create(annotated);
      const next = await subject.api.annotate(refOf(made), made.metadata, { old: "2", new: "1" });
      expect(next).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data: { a: "1" } });
      expect(next.metadata).toMatchObject({
        labels: { colour: "red" },
        annotations: { kept: "k", old: "2", new: "1" },
      });
      const last = await subject.api.apply(annotated, version(next));
      expect(last.metadata.annotations).toMatchObject({ kept: "k", old: "1", new: "1" });
    });

    test("touches exactly what was seen: a conflict when it moved on or is another by now, missing when it is gone", async () => {
      const namespace = await space(subject.api);
      const manifest = configMap(namespace, "one", { a: "1" });
      const first = await subject.api.create(manifest);
      const second = await subject.api.apply({ ...manifest, data: { a: "2" } }, version(first));
      expect(await kindOf(subject.api.annotate(refOf(first), first.metadata, { x: "1" }))).toBe("conflict");
      await subject.api.remove(refOf(second), second.metadata);
      expect(await kindOf(subject.api.annotate(refOf(first), second.metadata, { x: "1" }))).toBe("missing");
      const other = await subject.api.create(manifest);
      expect(await kindOf(subject.api.annotate(refOf(first), second.metadata, { x: "1" }))).toBe("conflict");
      expect(await subject.api.get(refOf(other))).toEqual(other);
      const unseen = { uid: other.metadata.uid, resourceVersion: "" };
      expect(await kindOf(subject.api.annotate(refOf(other), unseen, { x: "1" }))).toBe("invalid");
    });

    test("does not count as another generation", async () => {
      const namespace = await space(subject.api);
      const policy: Manifest = {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: "one", namespace },
        spec: { podSelector: {} },
      };
      const made = await subject.api.create(policy);
      const next = await subject.api.annotate(refOf(made), made.metadata, { x: "1" });
      expect(next.metadata["generation"]).toBe(made.metadata["generation"]);
      expect(version(next)).not.toBe(version(made));
    });
  });

  describe("logs", () => {
    const all = { lines: 100, bytes: 10_000 };

    test("are the newest lines, at most so many bytes of them, and nothing before the first", async () => {
      const pod = await subject.pod("c");
      expect(await subject.api.logs(pod, all)).toBe("");
      subject.say(pod, "one\ntwo\nthree\n");
      expect(await subject.api.logs(pod, all)).toBe("one\ntwo\nthree\n");
      expect(await subject.api.logs(pod, { ...all, lines: 2 })).toBe("two\nthree\n");
      expect(await subject.api.logs(pod, { ...all, bytes: 5 })).toBe("one\nt");
      expect(await subject.api.logs(pod, { ...all, since: "2026-01-01T00:00:00Z", previous: true })).toContain("one");
    });

    test("of no Pod are missing, and not for everybody", async () => {
      const pod = await subject.pod("c");
      expect(await kindOf(subject.api.logs({ ...pod, name: "none" }, all))).toBe("missing");
      expect(await kindOf(subject.kube(subject.weak).logs(pod, all))).toBe("forbidden");
    });
  });
}
