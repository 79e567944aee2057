import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Found, Kube, Manifest } from "#core/context.ts";
import { configMap, kindOf, refOf, space, type Subject, version } from "./subject.ts";

const mark = "berth.dev/epoch";
const at = (epoch: number | string | undefined, manifest: Manifest): Manifest => ({
  ...manifest,
  metadata: { ...manifest.metadata, ...(epoch === undefined ? {} : { annotations: { [mark]: String(epoch) } }) },
});

/** As `kindOf`, but a refusal of the fence, rather than of the role, is `fenced`. */
const endOf = async (call: Promise<unknown>): Promise<string> =>
  (await call.then(String, String)).includes("berth-fence") ? "fenced" : await kindOf(call);

/** What the fence of a host (docs/host-role.yaml) promises: whoever is late comes too late. */
export function fence(subject: Subject): void {
  describe("the fence of a host", () => {
    let berth: Kube;
    beforeAll(async () => {
      berth = subject.kube(subject.berth);
      // A policy takes a moment to be heard of.
      const bare = configMap("default", "probe", {});
      const refused = async (): Promise<void> =>
        expect(await endOf(berth.create(bare, { dryRun: true }))).toBe("fenced");
      await vi.waitFor(refused, { timeout: 60_000 });
    }, 70_000);

    /** A namespace that stands at this epoch, as Berth would make it. */
    const spaceAt = async (epoch: number): Promise<Found> => {
      const name = await space(subject.api);
      const ref = { apiVersion: "v1", kind: "Namespace", name };
      const found = (await subject.api.get(ref)) as Found;
      return await berth.annotate(ref, found.metadata, { [mark]: String(epoch) });
    };
    // Of a kind that Berth may remove as well.
    const one = (namespace: Found, name = "one", podSelector = {}): Manifest => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name, namespace: namespace.metadata.name },
      spec: { podSelector },
    });
    const other = { matchLabels: { app: "x" } };

    /** A later lease stamps the namespace; a server hears of it a moment later. */
    const raise = async (namespace: Found, epoch: number): Promise<Found> => {
      const found = await berth.annotate(refOf(namespace), namespace.metadata, { [mark]: String(epoch) });
      const late = at(epoch - 1, one(namespace, "probe"));
      await expect.poll(() => endOf(berth.create(late, { dryRun: true })), { timeout: 10_000 }).toBe("fenced");
      return found;
    };

    test("what Berth writes carries a whole number, and nothing else passes for one", async () => {
      const namespace = await spaceAt(0);
      for (const epoch of [undefined, "", "one", "-1", "1.5", "12345678901234567"])
        expect(await endOf(berth.create(at(epoch, one(namespace)))), String(epoch)).toBe("fenced");
      expect(await endOf(berth.create(at(0, one(namespace))))).toBe("fine");
      const bare = { apiVersion: "v1", kind: "Namespace", metadata: { name: `${namespace.metadata.name}-bare` } };
      expect(await endOf(berth.create(bare))).toBe("fenced");
    });

    test("the message says which epoch met which", async () => {
      const namespace = await spaceAt(7);
      await expect(berth.create(at(6, one(namespace)))).rejects.toThrow(
        "epoch 6 of this write is below the namespace's 7",
      );
    });

    test("an object is changed under its own epoch or a higher one, never under a lower", async () => {
      const namespace = await spaceAt(1);
      const first = await berth.create(at(3, one(namespace)));
      expect(await endOf(berth.apply(at(2, one(namespace)), version(first)))).toBe("fenced");
      expect(await endOf(berth.annotate(refOf(first), first.metadata, { [mark]: "2" }))).toBe("fenced");
      expect(await endOf(berth.apply(one(namespace), version(first)))).toBe("fenced");
      const next = await berth.apply(at(4, one(namespace, "one", other)), version(first));
      expect(next).toMatchObject({ spec: { podSelector: other }, metadata: { annotations: { [mark]: "4" } } });
    });

    test("what somebody stripped or broke is no epoch, and is mended under any", async () => {
      const namespace = await spaceAt(1);
      const made = await berth.create(at(5, one(namespace)));
      const broken = await subject.api.annotate(refOf(made), made.metadata, { [mark]: "soon" });
      expect(await endOf(berth.apply(at(2, one(namespace)), version(broken)))).toBe("fine");
    });

    test("once the namespace is at a later epoch, the older one makes, changes and removes nothing in it", async () => {
      const namespace = await spaceAt(1);
      const made = await berth.create(at(1, one(namespace)));
      await raise(namespace, 2);
      expect(await endOf(berth.create(at(1, one(namespace, "two"))))).toBe("fenced");
      expect(await endOf(berth.apply(at(1, one(namespace, "one", other)), version(made)))).toBe("fenced");
      expect(await endOf(berth.annotate(refOf(made), made.metadata, { other: "x" }))).toBe("fenced");
      expect(await endOf(berth.remove(refOf(made), made.metadata))).toBe("fenced");
      expect(await endOf(berth.remove(refOf(made), { uid: made.metadata.uid }))).toBe("fenced");
      expect(await subject.api.get(refOf(made))).toEqual(made);
    });

    test("whoever put the present epoch on an object removes it, by its uid alone if need be", async () => {
      const namespace = await spaceAt(1);
      const made = await berth.create(at(1, one(namespace)));
      await raise(namespace, 2);
      const ours = await berth.annotate(refOf(made), made.metadata, { [mark]: "2" });
      expect(await endOf(berth.remove(refOf(ours), { uid: ours.metadata.uid }))).toBe("fine");
      expect(await subject.api.get(refOf(made))).toBeUndefined();
    });

    test("a namespace is removed by the version that was seen, and its stamp is such a version", async () => {
      const namespace = await spaceAt(1);
      const { uid } = namespace.metadata;
      expect(await endOf(berth.remove(refOf(namespace), { uid }))).toBe("fenced");
      const later = await raise(namespace, 2);
      expect(await endOf(berth.remove(refOf(namespace), namespace.metadata))).toBe("conflict");
      expect(await endOf(berth.annotate(refOf(namespace), later.metadata, { [mark]: "1" }))).toBe("fenced");
      expect((await subject.api.get(refOf(namespace)))?.metadata.deletionTimestamp).toBeUndefined();
      expect(await endOf(berth.remove(refOf(namespace), later.metadata))).toBe("fine");
    });

    test("whoever is not Berth is not asked for any epoch", async () => {
      const namespace = await spaceAt(5);
      const made = await berth.create(at(5, one(namespace)));
      const changed = await subject.api.apply(one(namespace, "one", other), version(made));
      expect(await endOf(subject.api.create(one(namespace, "two")))).toBe("fine");
      expect(await endOf(subject.api.remove(refOf(changed), changed.metadata))).toBe("fine");
      const { uid } = namespace.metadata;
      expect(await endOf(subject.api.remove(refOf(namespace), { uid }))).toBe("fine");
    });
  });
}
