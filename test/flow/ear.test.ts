import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "./stand.ts";
import { type Found, type Kube, KubeFault, type Place, type Ref } from "#core/context.ts";
import { kubeName } from "#core/id.ts";
import { listen } from "#functions/watch/ear.ts";
import { hostServer, hostToken } from "../world/index.ts";

/** An ear on the stand's host; what it says is kept, a list per poke. */
async function newEar({ world, host }: Stand, more: { poke?: (pokes: Place[]) => Promise<void> } = {}) {
  const stop = new AbortController();
  const said: Place[][] = [];
  const target = { server: hostServer(host), authority: "a host's authority", user: { token: hostToken } };
  const ended = listen({
    kube: (): Kube => world.kubes.kube(target),
    poke: more.poke ?? (async (pokes) => void said.push(pokes)),
    log: world.deps.log,
    sleep: (ms, signal) => world.clock.sleep(ms, signal),
    random: world.deps.random,
    signal: stop.signal,
  });
  await world.clock.pass(2_000);
  return {
    said,
    async stop(): Promise<void> {
      stop.abort();
      await ended;
    },
  };
}

const inside = (id: string, apiVersion: string, kind: string, name: string): Ref => ({
  apiVersion,
  kind,
  name,
  namespace: kubeName(id),
});
function found({ kube }: Stand, ref: Ref): Found {
  const one = kube.objects.find(ref);
  if (one === undefined) throw new Error(`there is no ${ref.kind} ${ref.name}`);
  return one;
}
const drop = (stand: Stand, ref: Ref): void => stand.kube.objects.remove(ref, { uid: found(stand, ref).metadata.uid });
/** A stranger's write, as a real server notes it. */
function touch(stand: Stand, ref: Ref): void {
  const one = found(stand, ref);
  const hand = { manager: "eve", operation: "Update", time: stand.world.clock.now(), fieldsV1: { "f:data": {} } };
  stand.kube.objects.change({ ...one, metadata: { ...one.metadata, managedFields: [hand] } });
}

test("a whole create, with Kubernetes' controllers at work, is not heard", async () => {
  const stand = await newStand();
  const ear = await newEar(stand);
  await stand.make();
  await stand.world.clock.pass(10_000);
  expect(ear.said).toEqual([]);
  await ear.stop();
});

test("what is deleted of ours is heard within two seconds, and is back after the poke", async () => {
  const stand = await newStand();
  const { world, ada } = stand;
  const id = await stand.make();
  const before = stand.onHost(id);
  const ear = await newEar(stand, {
    poke: async (pokes) => {
      for (const place of pokes) await world.deps.home.poke(place.tenant, place.id);
    },
  });
  drop(stand, inside(id, "networking.k8s.io/v1", "NetworkPolicy", "default-deny"));
  await world.clock.pass(2_000);
  expect(world.queue.letters.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([
    { tenant: ada.tenant, id },
  ]);
  await world.drain();
  expect(stand.onHost(id)).toEqual(before);
  await ear.stop();
});

test("what a stranger changed is heard, and what happens to one cluster in a second is said once", async () => {
  const stand = await newStand();
  const [id, other] = [await stand.make(), await stand.make({ name: "two" })];
  const ear = await newEar(stand);
  for (const name of ["apiserver", "etcd"]) touch(stand, inside(id, "v1", "Service", name));
  touch(stand, inside(id, "v1", "ConfigMap", "apiserver-config"));
  await stand.world.clock.pass(3_000);
  expect(ear.said).toEqual([[{ tenant: stand.ada.tenant, id }]]);
  touch(stand, inside(other, "v1", "Service", "etcd"));
  await stand.world.clock.pass(3_000);
  expect(ear.said.length).toBe(2);
  await ear.stop();
});

test("a control plane that gets less ready is heard", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const ear = await newEar(stand);
  stand.kube.runs = ({ metadata }) => metadata.name !== "kube-scheduler";
  stand.world.tick();
  await stand.world.clock.pass(2_000);
  expect(ear.said).toEqual([[{ tenant: stand.ada.tenant, id }]]);
  await ear.stop();
});

test.each<[string, (stand: Stand, id: string) => void]>([
  ["deleted", (stand, id) => drop(stand, inside(id, "v1", "Service", "etcd"))],
  ["changed", (stand, id) => touch(stand, inside(id, "v1", "ConfigMap", "apiserver-config"))],
])("after cut connections and forgotten history it hears what was %s meanwhile", async (_, act) => {
  const stand = await newStand();
  const id = await stand.make();
  const ear = await newEar(stand);
  const fault = new KubeFault("unavailable", "watch: no answer");
  stand.kube.troubles.push({ match: ({ verb }) => verb === "watch", when: "before", fault });
  stand.kube.cut();
  await stand.world.clock.pass(5_000);
  act(stand, id);
  stand.kube.objects.forget();
  await stand.world.clock.pass(60_000);
  expect(ear.said).toEqual([]);
  stand.kube.troubles.length = 0;
  await stand.world.clock.pass(120_000);
  expect(ear.said.flat()).toContainEqual({ tenant: stand.ada.tenant, id });
  await ear.stop();
});

test("while its server is away it asks less and less often", async () => {
  const stand = await newStand();
  const fault = new KubeFault("unavailable", "list: no answer");
  stand.kube.troubles.push({ match: () => true, when: "before", fault });
  const ear = await newEar(stand);
  const before = stand.kube.calls.length;
  await stand.world.clock.pass(600_000);
  expect(stand.kube.calls.length - before).toBeLessThan(40);
  await ear.stop();
});

test("pokes that home does not take are kept and said again", async () => {
  const stand = await newStand();
  const id = await stand.make();
  let away = true;
  const said: Place[][] = [];
  const ear = await newEar(stand, {
    poke: async (pokes) => {
      if (away) throw new Error("home is away");
      said.push(pokes);
    },
  });
  drop(stand, inside(id, "v1", "Service", "etcd"));
  await stand.world.clock.pass(600_000);
  away = false;
  await stand.world.clock.pass(15_000);
  expect(said).toEqual([[{ tenant: stand.ada.tenant, id }]]);
  await ear.stop();
});

test("it asks for no Secret, and for no more than metadata but of workloads", async () => {
  const stand = await newStand();
  await stand.make();
  const before = stand.kube.calls.length;
  const ear = await newEar(stand);
  const asked = stand.kube.calls.slice(before);
  expect(asked.map(({ kind }) => kind)).not.toContain("Secret");
  expect(new Set(asked.map(({ verb }) => verb))).toEqual(new Set(["list", "watch"]));
  await ear.stop();
});
