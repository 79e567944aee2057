import { beforeEach, describe, expect, test } from "vitest";
import { newKubeWorld, type KubeWorld, type Server } from "../../world/kube.ts";
import { epochOf, fenced, raised, removeFenced } from "#core/cluster/fence.ts";
import { type Found, type Kube, KubeFault, type Manifest } from "#core/context.ts";

const address = "https://127.0.0.1:6443";
let kube: Kube;
let server: Server;
let space: Found;
beforeEach(async () => {
  let seed = 0;
  const world: KubeWorld = newKubeWorld({
    now: () => "2026-01-01T00:00:00.000Z",
    random: (bytes) => new Uint8Array(bytes).fill((seed += 1)),
    sleep: async () => undefined,
    isBerth: () => true,
  });
  server = world.server(address);
  kube = world.kube({ server: address, authority: "", user: { certificate: "", key: "" } });
  space = await kube.create(fenced({ apiVersion: "v1", kind: "Namespace", metadata: { name: "a" } }, 1));
});

const deployment: Manifest = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "x", namespace: "a" } };
const ref = { apiVersion: "apps/v1", kind: "Deployment", name: "x", namespace: "a" };
const kindOf = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => "fine",
    (error: unknown) => (error instanceof KubeFault ? error.kind : String(error)),
  );
/** A controller writes the status between each look and the next call, so many times. */
const busy = (times: number): void => {
  for (let i = 0; i < times; i += 1)
    server.troubles.push({
      match: ({ verb }) => verb === "annotate",
      fault: new KubeFault("conflict", "moved"),
      when: "before",
      times: 1,
    });
};

test("an epoch is a whole number on an object, and what is none counts below all", () => {
  const of = (text: string): number =>
    epochOf({ ...deployment, metadata: { name: "x", annotations: { "berth.dev/epoch": text } } });
  expect(["0", "12", "", "-1", "1.0", "x", "1e3", "9".repeat(16)].map(of)).toEqual([0, 12, -1, -1, -1, -1, -1, -1]);
  expect(epochOf(deployment)).toBe(-1);
  expect(epochOf(fenced(deployment, 3))).toBe(3);
  expect(deployment.metadata).not.toHaveProperty("annotations");
});

test("raising writes only where a lower epoch is", async () => {
  const before = server.writes;
  expect(await raised(kube, space, 1)).toEqual(space);
  expect(server.writes).toBe(before);
  const next = await raised(kube, space, 2);
  expect([epochOf(next), server.writes]).toEqual([2, before + 1]);
  expect(await kindOf(raised(kube, space, 3))).toBe("conflict");
});

describe("removing", () => {
  test("puts our epoch on the object first, so that a fence at that epoch lets us", async () => {
    const made = await kube.create(fenced(deployment, 1));
    await raised(kube, space, 2);
    expect(await kindOf(kube.remove(ref, { uid: made.metadata.uid }))).toBe("forbidden");
    await removeFenced(kube, made, 2, true);
    expect(await kube.get(ref)).toBeUndefined();
  });

  test("of an object however it stands outlives that it moves, up to a point", async () => {
    const made = await kube.create(fenced(deployment, 1));
    busy(4);
    await removeFenced(kube, made, 2, true);
    expect(await kube.get(ref)).toBeUndefined();
    const other = await kube.create(fenced(deployment, 1));
    busy(5);
    expect(await kindOf(removeFenced(kube, other, 2, true))).toBe("conflict");
    expect(await kube.get(ref)).toEqual(other);
  });

  test("of the version we saw is a conflict when it moved or went; of any version nothing, if it is gone or another by now", async () => {
    const made = await kube.create(fenced(deployment, 1));
    const moved = await kube.apply(fenced({ ...deployment, spec: { replicas: 2 } }, 1), made.metadata.resourceVersion);
    expect(await kindOf(removeFenced(kube, made, 2, false))).toBe("conflict");
    expect(await kube.get(ref)).toEqual(moved);
    await removeFenced(kube, moved, 2, false);
    expect(await kindOf(removeFenced(kube, moved, 2, false))).toBe("conflict");
    expect(await kindOf(removeFenced(kube, moved, 2, true))).toBe("fine");
    const another = await kube.create(fenced(deployment, 1));
    await removeFenced(kube, moved, 2, true);
    expect(await kube.get(ref)).toEqual(another);
  });

  test("of a namespace is bound to the version that its stamp gave it", async () => {
    await kube.create(fenced(deployment, 1));
    await raised(kube, space, 2);
    expect(await kindOf(removeFenced(kube, space, 1, true))).toBe("conflict");
    const there = await kube.get({ apiVersion: "v1", kind: "Namespace", name: "a" });
    await removeFenced(kube, there as Found, 2, true);
    expect(await kube.get({ apiVersion: "v1", kind: "Namespace", name: "a" })).toMatchObject({
      metadata: { deletionTimestamp: expect.any(String) as string },
    });
  });
});
