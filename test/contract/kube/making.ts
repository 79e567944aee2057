import { describe, expect, test } from "vitest";
import { configMap, kindOf, refOf, space, version, type Subject } from "./subject.ts";

/** What creating and applying promise. */
export function making(subject: Subject): void {
  describe("creating", () => {
    test("an object is found as it was made, with an identity of its own", async () => {
      const namespace = await space(subject.api);
      const one = await subject.api.create(configMap(namespace, "one", { a: "1" }, { colour: "red" }));
      const two = await subject.api.create(configMap(namespace, "two", { a: "1" }));
      expect(await subject.api.get(refOf(one))).toEqual(one);
      expect(one).toMatchObject({ kind: "ConfigMap", data: { a: "1" }, metadata: { labels: { colour: "red" } } });
      expect(one.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      expect(one.metadata.uid).not.toBe(two.metadata.uid);
      expect(Number(version(two))).toBeGreaterThan(Number(version(one)));
      expect(one.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    });

    test("what is kept is nobody's to change but by a call", async () => {
      const namespace = await space(subject.api);
      const manifest = configMap(namespace, "one", { a: "1" });
      const made = await subject.api.create(manifest);
      const before = structuredClone(made);
      Object.assign(manifest["data"] as object, { a: "2" });
      Object.assign(made["data"] as object, { a: "3" });
      expect(await subject.api.get(refOf(made))).toEqual(before);
    });

    test("one that exists is a conflict and stays as it is", async () => {
      const namespace = await space(subject.api);
      const made = await subject.api.create(configMap(namespace, "one", { a: "1" }));
      expect(await kindOf(subject.api.create(configMap(namespace, "one", { a: "2" })))).toBe("conflict");
      expect(await subject.api.get(refOf(made))).toEqual(made);
    });

    test("nothing is made in a namespace that is not there, or under a name that is none", async () => {
      const namespace = await space(subject.api);
      expect(await kindOf(subject.api.create(configMap("nowhere", "one", {})))).toBe("missing");
      expect(await kindOf(subject.api.create(configMap(namespace, "One_", {})))).toBe("invalid");
    });

    test("a Secret's plain texts are kept as data", async () => {
      const namespace = await space(subject.api);
      const secret = await subject.api.create({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "s", namespace },
        stringData: { word: "abc" },
      });
      expect(secret).toMatchObject({ type: "Opaque", data: { word: "YWJj" } });
      expect(secret).not.toHaveProperty("stringData");
    });

    test("a namespace is active and carries its name as a label", async () => {
      const name = await space(subject.api);
      expect(await subject.api.get({ apiVersion: "v1", kind: "Namespace", name })).toMatchObject({
        metadata: { labels: { "kubernetes.io/metadata.name": name } },
        status: { phase: "Active" },
      });
    });
  });

  test("what is not there is undefined, and an unknown kind or an empty name is a bug", async () => {
    const namespace = await space(subject.api);
    const ref = { apiVersion: "v1", kind: "ConfigMap", name: "none", namespace };
    expect(await subject.api.get(ref)).toBeUndefined();
    expect(await kindOf(subject.api.get({ ...ref, kind: "Widget" }))).toMatch(/^no KubeFault: .*Widget/);
    expect(await kindOf(subject.api.remove({ ...ref, name: "" }, { uid: "x" }))).toMatch(/^no KubeFault/);
    expect(await kindOf(subject.api.get({ apiVersion: "v1", kind: "ConfigMap", name: "none" }))).toMatch(
      /^no KubeFault/,
    );
    expect(await kindOf(subject.api.get({ ...ref, kind: "Node" }))).toMatch(/^no KubeFault/);
  });

  describe("applying", () => {
    test("changes what it looked at, and is a conflict when that moved on", async () => {
      const namespace = await space(subject.api);
      const first = await subject.api.create(configMap(namespace, "one", { a: "1" }));
      const second = await subject.api.apply(configMap(namespace, "one", { a: "2" }), version(first));
      expect(second).toMatchObject({ data: { a: "2" }, metadata: { uid: first.metadata.uid } });
      expect(await kindOf(subject.api.apply(configMap(namespace, "one", { a: "3" }), version(first)))).toBe("conflict");
      expect(await subject.api.get(refOf(first))).toEqual(second);
    });

    test("what it does not change keeps its version", async () => {
      const namespace = await space(subject.api);
      const first = await subject.api.create(configMap(namespace, "one", { a: "1" }));
      expect(version(await subject.api.apply(configMap(namespace, "one", { a: "1" }), version(first)))).toBe(
        version(first),
      );
    });

    test("what it no longer names goes, also what the creation had made", async () => {
      const namespace = await space(subject.api);
      const made = await subject.api.create(
        configMap(namespace, "one", { a: "1", b: "1" }, { colour: "red", size: "s" }),
      );
      const next = await subject.api.apply(
        configMap(namespace, "one", { b: "2", c: "2" }, { size: "s" }),
        version(made),
      );
      expect(next).toMatchObject({ data: { b: "2", c: "2" }, metadata: { labels: { size: "s" } } });
      expect(next["data"]).not.toHaveProperty("a");
      const last = await subject.api.apply(configMap(namespace, "one", { b: "2" }), version(next));
      expect(last["data"]).toEqual({ b: "2" });
      expect(last.metadata.labels ?? {}).toEqual({});
    });

    test("what is gone is made anew under an old version, unless the uid is asked for", async () => {
      const namespace = await space(subject.api);
      const made = await subject.api.create(configMap(namespace, "one", { a: "1" }));
      await subject.api.remove(refOf(made), made.metadata);
      const again = configMap(namespace, "one", { a: "2" });
      const bound = { ...again, metadata: { ...again.metadata, uid: made.metadata.uid } };
      expect(await kindOf(subject.api.apply(bound, version(made)))).toBe("conflict");
      expect(await subject.api.get(refOf(made))).toBeUndefined();
      const other = await subject.api.apply(again, version(made));
      expect(other.metadata.uid).not.toBe(made.metadata.uid);
      expect(await kindOf(subject.api.apply(bound, version(other)))).toBe("invalid");
      expect(await kindOf(subject.api.apply(configMap("nowhere", "one", {}), version(made)))).toBe("missing");
    });

    test("without a version nothing is applied", async () => {
      const namespace = await space(subject.api);
      expect(await kindOf(subject.api.apply(configMap(namespace, "one", {}), ""))).toBe("invalid");
    });
  });
}
