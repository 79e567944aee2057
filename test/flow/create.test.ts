import { expect, test } from "vitest";
import { KubeFault } from "#core/context.ts";
import { kubeName } from "#core/id.ts";
import { hostServer } from "../world/index.ts";
import { countAuthorities, newStand } from "./stand.ts";

const steps = ["KeysReady", "NamespaceReady", "EtcdReady", "APIServerReady", "BootstrapReady", "ControllersReady"];

test("a new cluster is answered in its first state at once, and then made step by step", async () => {
  const { world, ada, conditions, row, make } = await newStand();
  const made = await ada.post("/v1/clusters", { name: "red", version: "1.34", labels: { tier: "web" } });
  expect(made).toMatchObject({
    status: 201,
    body: {
      name: "red",
      generation: 1,
      observedGeneration: 0,
      spec: { version: "1.34.4", region: "north", labels: { tier: "web" }, deletionProtection: false },
      status: { phase: "Pending" },
    },
  });
  const id = String(made.body["id"]);
  expect(Object.values(conditions(id)).map(({ type, status }) => [type, status])).toEqual([
    ["Placed", "True"],
    ...steps.map((type) => [type, "False"]),
    ["Ready", "False"],
  ]);
  const waiting = ada.get(`/v1/clusters/${id}?wait=25`);
  await world.drain();
  const ready = await world.run(waiting);
  expect(ready).toMatchObject({ status: 200, body: { observedGeneration: 1, status: { phase: "Ready" } } });
  for (const { type, status, at, startedAt, tookSeconds } of Object.values(conditions(id))) {
    expect([type, status]).toEqual([type, "True"]);
    expect(Date.parse(at) - Date.parse(startedAt ?? "")).toBe((tookSeconds ?? -1) * 1000);
  }
  expect(conditions(id)["EtcdReady"]?.tookSeconds).toBeGreaterThan(0);
  expect(conditions(id)["NamespaceReady"]?.at).toBe(row(id)?.createdAt);
  expect(row(id)).not.toHaveProperty("holder");
  await make({ name: "blue" });
});

test("what is settled is left alone: round and sweep write nothing, in the table, on the host and inside", async () => {
  const { world, make, still } = await newStand();
  const id = await make();
  const before = still(id);
  await world.round();
  await world.sweep(3);
  expect(still(id)).toEqual(before);
});

test("a cluster settles even if every poke is lost, and then is left alone", async () => {
  const { world, ask, phase, row, still } = await newStand({ pokes: "lost" });
  const id = await ask();
  await world.drain();
  expect(row(id)?.observedGeneration).toBe(0);
  // The sweep speaks to the same queue; its pokes come through.
  world.queue.pokes = "kept";
  await world.sweep();
  expect([await phase(id), row(id)?.observedGeneration]).toEqual(["Ready", 1]);
  const before = still(id);
  await world.sweep();
  expect(still(id)).toEqual(before);
});

test("pokes that come twice and out of order do nothing twice", async () => {
  const calm = await newStand();
  await calm.make({ name: "one" });
  await calm.make({ name: "two" });
  const { world, kube, ask, phase } = await newStand({ pokes: "doubled" });
  const authorities = countAuthorities(world);
  world.queue.pick = (count) => count - 1;
  const ids = [await ask({ name: "one" }), await ask({ name: "two" })];
  const waiting = world.queue.letters.map(({ body }) => body);
  for (const body of waiting) world.queue.send(body);
  await world.drain();
  for (const id of ids) expect(await phase(id)).toBe("Ready");
  expect(kube.writes).toBe(calm.kube.writes);
  expect(authorities()).toBe(2);
});

test.each([1, 2, 3, 4])("three workers at once make one cluster, with one set of keys (seed %i)", async (seed) => {
  const calm = await newStand();
  const one = await calm.make();
  const { world, kube, ask, phase, onHost, row } = await newStand({ seed });
  const id = await ask();
  world.outside = async () => await world.clock.sleep(world.deps.random(1)[0] ?? 0);
  const authorities = countAuthorities(world);
  const [letter] = world.queue.letters.splice(0);
  const bodies = [0, 1, 2].map(() => letter?.body ?? "");
  await world.run(Promise.all(bodies.map((body) => world.consume(body))));
  world.outside = undefined;
  await world.sweep(2);
  expect([await phase(id), authorities()]).toEqual(["Ready", 1]);
  expect([...onHost(id).keys()].map((key) => key.replaceAll(kubeName(id), "x"))).toEqual(
    [...calm.onHost(one).keys()].map((key) => key.replaceAll(kubeName(one), "x")),
  );
  expect(kube.count("create")).toBe(calm.kube.count("create"));
  expect(row(id)).not.toHaveProperty("holder");
});

test("nothing crash-loops: the controllers are made once the API server answers, and it not without its etcd's files", async () => {
  const { world, kube, ask, phase, onHost, conditions } = await newStand();
  kube.runs = ({ metadata }) => metadata.name !== "kube-apiserver";
  const id = await ask();
  const found = (): string[] =>
    [...onHost(id).keys()].filter((key) => /^Deployment .* kube-(controller|scheduler)/.test(key));
  await world.drain();
  expect(found()).toEqual([]);
  expect(onHost(id).has(`Secret ${kubeName(id)} etcd`)).toBe(true);
  expect(conditions(id)).toMatchObject({
    EtcdReady: { status: "True" },
    APIServerReady: { status: "False", reason: "InProgress" },
    ControllersReady: { status: "False", reason: "Waiting" },
    Ready: { status: "False", message: expect.stringContaining("the API server to answer") },
  });
  kube.runs = () => true;
  world.tick();
  world.inside({ address: "192.0.2.10" }, id).ready = false;
  await world.sweep();
  expect([found(), await phase(id)]).toEqual([[], "Pending"]);
  world.inside({ address: "192.0.2.10" }, id).ready = true;
  await world.sweep();
  expect(found()).toHaveLength(2);
  expect(await phase(id)).toBe("Ready");
});

test("each Secret and ConfigMap that a Pod mounts is there before or with it", async () => {
  const { world, kube, make } = await newStand();
  const late: string[] = [];
  world.outside = ({ kube: call, when }) => {
    if (when !== "after" || call?.verb !== "create") return;
    for (const one of kube.objects.all().filter(({ kind }) => kind === "Deployment")) {
      if (one.metadata.name === "kube-apiserver") continue;
      const secret = { apiVersion: "v1", kind: "Secret", name: one.metadata.name.replace("kube-", "") };
      const namespace = one.metadata.namespace ?? "";
      const soon = kube.calls.some((made) => made.verb === "create" && made.name === secret.name);
      if (kube.objects.find({ ...secret, namespace }) === undefined && !soon) late.push(secret.name);
    }
  };
  await make();
  expect(late).toEqual([]);
});

test("what never gets ready waits visibly, and is neither parked nor given up", async () => {
  const { world, kube, ask, phase, conditions } = await newStand();
  kube.runs = () => false;
  const id = await ask();
  await world.sweep(12);
  expect(await phase(id)).toBe("Pending");
  expect(conditions(id)).not.toHaveProperty("Parked");
  expect(conditions(id)["EtcdReady"]).toMatchObject({ status: "False", message: "etcd is starting." });
  kube.runs = () => true;
  await world.sweep();
  expect(await phase(id)).toBe("Ready");
});

test("an outage of the host is waited out, however long, and says so meanwhile", async () => {
  const { world, kube, host, ask, phase, conditions } = await newStand();
  const fault = new KubeFault("unavailable", "the host does not answer");
  kube.troubles.push({ match: () => true, fault, when: "before" });
  const id = await ask();
  await world.drain();
  expect(conditions(id)["Retrying"]).toMatchObject({ status: "True", message: "the host does not answer" });
  await world.sweep(90);
  expect(conditions(id)).not.toHaveProperty("Parked");
  kube.troubles.length = 0;
  await world.sweep(11);
  expect(await phase(id)).toBe("Ready");
  expect(conditions(id)).not.toHaveProperty("Retrying");
  expect(world.on(host)).toBe(world.kubes.server(hostServer(host)));
});

test("one tenant's poisoned row is parked with its reason; all others go on, and a new wish wakes it", async () => {
  const { world, ada, ask, phase, row, conditions } = await newStand();
  const id = await ask({ name: "one" });
  const other = await ask({ name: "two" });
  world.outside = ({ kube, when }) => {
    if (when === "before" && kube?.namespace === kubeName(id) && kube.verb === "create")
      throw new KubeFault("invalid", "the host refuses it");
  };
  await world.sweep(90);
  expect([await phase(id), await phase(other)]).toEqual(["Parked", "Ready"]);
  expect(conditions(id)["Parked"]).toMatchObject({ status: "True", message: "the host refuses it" });
  expect(row(id)).not.toHaveProperty("lookAt");
  world.outside = undefined;
  await ada.patch(`/v1/clusters/${id}`, { labels: { again: "yes" } });
  await world.drain();
  expect(await phase(id)).toBe("Ready");
});
