import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import type { Outside } from "../world/index.ts";
import { newStand, type Stand } from "./stand.ts";
import { kubeName } from "#core/id.ts";

// Two workers on one cluster. The older one is stopped at one of its calls to the outside, past its lease; the younger
// one works on; then the older one goes on as if nothing had been. None of its writes may land on the host.

/** Seconds on an idle machine; a busy one must not make it fail. */
const long = { timeout: 600_000 };
const deep = process.env["BERTH_DEEP"] !== undefined;
const worker = new AsyncLocalStorage<"older">();
const writing = ["create", "apply", "annotate", "remove"];
const isWrite = ({ kube }: Outside): boolean => writing.includes(kube?.verb ?? "");

interface Scene {
  /** What there is before both come. @returns the cluster's id */
  set(stand: Stand): Promise<string>;
}

const scenes: Record<string, Scene> = {
  create: { set: (stand) => stand.ask() },
  repair: {
    async set(stand) {
      const id = await stand.make();
      const { objects } = stand.kube;
      for (const one of objects.all().filter(({ metadata }) => metadata.namespace === kubeName(id))) {
        const key = `${one.kind} ${one.metadata.name}`;
        const spec = one["spec"] as Record<string, unknown>;
        if (one.kind === "Secret") objects.change({ ...one, data: { ...(one["data"] as object), "tls.crt": "" } });
        if (key === "Deployment kube-scheduler") objects.change({ ...one, spec: { ...spec, replicas: 0 } });
        if (key === "NetworkPolicy to-etcd") objects.change({ ...one, spec: { ...spec, ingress: [{}] } });
        const selector = { ...(spec?.["selector"] as object), stranger: "yes" };
        if (key === "Service etcd") objects.change({ ...one, spec: { ...spec, selector } });
        if (key === "PodDisruptionBudget etcd") objects.remove({ ...one, ...one.metadata }, one.metadata);
      }
      return id;
    },
  },
  removal: {
    async set(stand) {
      const id = await stand.make();
      await stand.ada.delete(`/v1/clusters/${id}`);
      return id;
    },
  },
};

/** The older one's calls when nobody disturbs it, and which of them write to the host. */
async function callsOf({ set }: Scene): Promise<boolean[]> {
  const stand = await newStand();
  const id = await set(stand);
  const calls: boolean[] = [];
  stand.world.outside = (call) => void (call.when === "before" && calls.push(isWrite(call)));
  await stand.world.run(stand.world.consume(bodyOf(stand, id)));
  return calls;
}

const bodyOf = ({ ada }: Stand, id: string): string => JSON.stringify({ tenant: ada.tenant, id });

/** What stands on the host, by uid and version. */
const standing = ({ kube }: Stand, id: string): unknown =>
  kube.objects
    .all()
    .filter(({ metadata: { name, namespace } }) => [name, namespace].includes(kubeName(id)))
    .map(({ kind, metadata: { name, uid, resourceVersion } }) => [kind, name, uid, resourceVersion]);

/** Stops the older one at its nth call, and lets it go when `until` says so of a call of the younger one, or at the end. */
async function race({ set }: Scene, nth: number, until: (call: Outside) => boolean) {
  const stand = await newStand();
  const { world } = stand;
  const id = await set(stand);
  const body = bodyOf(stand, id);
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  let free = false;
  const landed: string[] = [];
  const go = (): void => {
    free = true;
    gate.resolve();
  };
  world.outside = async (call) => {
    if (worker.getStore() !== "older") {
      if (!free && until(call)) go();
    } else if (call.when === "before" && (begun += 1) >= nth) {
      await gate.promise;
    } else if (call.when === "after" && free && isWrite(call) && call.kube?.verb !== "remove") {
      // Removals are left out: of what is gone they are answered well, and what both remove may be the older one's.
      landed.push(JSON.stringify(call.kube));
    }
  };
  const older = worker.run("older", () => world.consume(body));
  await world.clock.pass(1_000);
  const younger = world.consume(body);
  await world.run(younger);
  await world.drain();
  const before = standing(stand, id);
  go();
  await world.run(older);
  return { stand, id, before, landed };
}

const casesOf = (calls: boolean[]): number[] =>
  calls.flatMap((write, at) => (deep || write || at % 5 === 0 ? [at + 1] : []));

describe.each(Object.entries(scenes))("%s", async (name, scene) => {
  const calls = await callsOf(scene);

  test("a worker that wakes when the next one is done changes nothing on the host", long, async () => {
    expect(calls.filter(Boolean).length).toBeGreaterThan(4);
    for (const nth of casesOf(calls)) {
      const { stand, id, before, landed } = await race(scene, nth, () => false);
      expect(landed, `call ${nth}`).toEqual([]);
      expect(standing(stand, id), `call ${nth}`).toEqual(before);
      expect(await stand.phase(id), `call ${nth}`).toBe(name === "removal" ? 404 : "Ready");
    }
  });

  test("nor does one that wakes right after the next one's first write", long, async () => {
    for (const nth of casesOf(calls)) {
      const { stand, id, landed } = await race(scene, nth, (call) => call.when === "after" && isWrite(call));
      expect(landed, `call ${nth}`).toEqual([]);
      expect(await stand.phase(id), `call ${nth}`).toBe(name === "removal" ? 404 : "Ready");
    }
  });
});
