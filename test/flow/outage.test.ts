import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand } from "./stand.ts";
import { newWorld } from "../world/index.ts";
import { clusterKind } from "#core/cluster/schema.ts";
import { KubeFault } from "#core/context.ts";
import type { ID } from "#core/id.ts";
import { beat } from "#functions/cron/beat.ts";
import { lap } from "#functions/cron/survey.ts";

const silence = new KubeFault("unavailable", "no answer in time");

/** One host that answers nobody and carries `count` clusters, and one that is well. */
async function begin(count: number) {
  const world = newWorld();
  const dead = await world.host({
    name: "south",
    region: "south",
    address: "192.0.2.20",
    ports: { from: 30_000, to: 30_099 },
  });
  await world.host({ name: "north", region: "north", ports: { from: 30_000, to: 30_009 } });
  // One tenant may have twenty clusters.
  const people = await Promise.all(["red", "blue", "green", "grey"].map((name) => world.tenant(name)));
  const owners = new Map<string, (typeof people)[number]>();
  const server = world.on(dead);
  server.troubles.push({ match: () => true, fault: silence, when: "before" });
  const ask = async (region: string, name: string): Promise<string> => {
    const owner = people[owners.size % people.length];
    if (owner === undefined) throw new Error("there is nobody to ask");
    const { status, body, text } = await owner.post("/v1/clusters", { name, region });
    if (status !== 201) throw new Error(text);
    owners.set(String(body["id"]), owner);
    return String(body["id"]);
  };
  const lost: string[] = [];
  for (let i = 0; i < count; i += 1) lost.push(await ask("south", `lost-${i}`));
  const status = async (id: string) =>
    (await owners.get(id)?.get(`/v1/clusters/${id}`))?.body["status"] as {
      phase: string;
      conditions: { type: string; message: string }[];
    };
  /** Each call that the dead host is asked takes as long as one may take. */
  world.outside = async ({ kube, when }) => {
    const name = kube?.namespace ?? kube?.name ?? "";
    if (when === "before" && lost.some((id) => id.replace("_", "-") === name)) await world.clock.sleep(10_000);
  };
  const poke = async (id: string): Promise<void> => {
    const owner = owners.get(id);
    if (owner !== undefined) await world.queue.poke(owner.tenant, id as `cls_${string}`);
  };
  return { world, dead, server, ask, lost, status, poke };
}

test("a dead host with 50 clusters costs the others nothing, and its clusters say since when they wait", async () => {
  const { world, dead, server, ask, lost, status, poke } = await begin(50);
  const lastWell = dead.healthyAt;
  await world.sweep(5);
  const asked = server.calls.filter(({ verb }) => verb !== "ready").length;
  const healthy: string[] = [];
  for (let i = 0; i < 5; i += 1) healthy.push(await ask("north", `well-${i}`));
  // The dead ones stand before the healthy in the queue.
  world.queue.letters.splice(0);
  for (const id of [...lost, ...healthy]) await poke(id);
  const began = Date.parse(world.clock.now());
  await world.drain();
  for (const id of healthy) expect((await status(id)).phase).toBe("Ready");
  const seconds = (Date.parse(world.clock.now()) - began) / 1000;
  // Measured: 5 s, all of them the healthy ones' own. Without the host's silence known it is 10 s for each of the dead.
  expect(seconds).toBeLessThan(60);
  expect(server.calls.filter(({ verb }) => verb !== "ready")).toHaveLength(asked);
  const waiting = (await status(lost[0] ?? "")).conditions.find(({ type }) => type === "Retrying");
  expect(waiting?.message).toBe(
    `The cluster's host, in the region south, has not answered since ${lastWell}. The cluster is looked at again as soon as it does.`,
  );
});

test("when a dead host answers again, its clusters are looked at within the minute, whatever they had backed off", async () => {
  const { world, server, lost, status } = await begin(3);
  await world.sweep(30);
  server.troubles.splice(0);
  world.outside = undefined;
  await world.sweep(1);
  for (const id of lost) expect((await status(id)).phase).toBe("Ready");
});

/** A host that carries three clusters which are ready, and then answers nobody. */
async function fallen() {
  const stand = await newStand();
  const ids: string[] = [];
  for (const name of ["one", "two", "three"]) ids.push(await stand.make({ name }));
  // The sweep was there while all was well.
  await stand.world.sweep(1);
  const lastWell = stand.world.clock.now();
  stand.kube.troubles.push({ match: () => true, fault: silence, when: "before" });
  const said = (id: string) => stand.conditions(id)["Ready"];
  const phases = () => Promise.all(ids.map((id) => stand.phase(id)));
  return { ...stand, stand, ids, lastWell, said, phases };
}

test("a few minutes after a host fell silent its clusters say that nobody knows, since when, and not on which host", async () => {
  const { stand, world, ids, host, lastWell, said, phases } = await fallen();
  await world.sweep(3);
  expect(await phases()).toEqual(["Ready", "Ready", "Ready"]);
  await world.sweep(2);
  expect(await phases()).toEqual(["Degraded", "Degraded", "Degraded"]);
  const since = Date.parse(lastWell);
  for (const id of ids) {
    const { status, reason, message = "" } = said(id) ?? {};
    expect([status, reason]).toEqual(["Unknown", "Unreachable"]);
    const told = /^It could not be reached in the region (\S+) since (\S+); whether it runs is not known\.$/.exec(
      message,
    );
    expect(told?.[1]).toBe(host.region);
    expect(Math.abs(Date.parse(told?.[2] ?? "") - since)).toBeLessThan(10_000);
    const shown = JSON.stringify((await stand.ada.get(`/v1/clusters/${id}`)).body["status"]);
    expect(shown).not.toContain(`"${host.name}"`);
  }
  const { body } = await world.run(stand.ada.get(`/v1/clusters/${ids[0]}?wait=5&for=Ready`));
  expect((body["status"] as { phase: string }).phase).toBe("Degraded");
});

test("when it answers again they are ready within one sweep, and no duration is made of the silence", async () => {
  const { world, kube, ids, said, phases } = await fallen();
  await world.sweep(90);
  expect(await phases()).toEqual(["Degraded", "Degraded", "Degraded"]);
  kube.troubles.splice(0);
  world.counted.splice(0);
  await world.sweep(1);
  expect(await phases()).toEqual(["Ready", "Ready", "Ready"]);
  for (const id of ids) expect(said(id)?.status).toBe("True");
  expect(world.counted.filter(({ name }) => name === "StepSeconds")).toEqual([]);
});

test("clusters of a silent host cost each a pass in five minutes at most, once they have backed off", async () => {
  const { world, ids } = await fallen();
  await world.sweep(60);
  world.counted.splice(0);
  for (let turn = 0; turn < 6; turn += 1) {
    await world.sweep(10);
    await world.lap();
  }
  const passes = world.counted.filter(({ name }) => name === "Passes").length;
  expect(passes).toBeGreaterThan(0);
  expect(passes).toBeLessThanOrEqual(ids.length * 12);
});

test("who was not reached by the sweep's poke is told by the next lap", async () => {
  const { world, phases } = await fallen();
  world.queue.pokes = "lost";
  await world.sweep(5);
  world.queue.pokes = "kept";
  await world.sweep(5);
  expect(await phases()).toEqual(["Ready", "Ready", "Ready"]);
  await world.lap();
  expect(await phases()).toEqual(["Degraded", "Degraded", "Degraded"]);
  // Once told, they are poked no more.
  await world.run(lap(world.deps));
  expect(world.queue.letters).toEqual([]);
});

test("a sweep pokes a host's clusters when it falls silent, and not while it stays so", async () => {
  const { world } = await fallen();
  const poked: number[] = [];
  for (let minute = 0; minute < 8; minute += 1) {
    await world.clock.pass(60_000);
    await world.run(beat(world.deps));
    poked.push(world.queue.letters.splice(0).length);
  }
  expect(poked.filter((count) => count > 0)).toEqual([3]);
});

test("a host that says it is well and can't be read is doubted after the third time in a row", async () => {
  const { stand, world, ids, kube, said } = await fallen();
  const [id = ""] = ids;
  kube.troubles.splice(0, 1, { match: ({ verb }) => verb !== "ready", fault: silence, when: "before" });
  const states: unknown[] = [];
  for (let i = 0; i < 4; i += 1) {
    await world.run(world.consume(JSON.stringify({ tenant: stand.ada.tenant, id })));
    states.push(said(id)?.status);
  }
  expect(states).toEqual(["True", "True", "Unknown", "Unknown"]);
});

test("a cluster that an older release made is listed with its host from the first lap on, and then left alone", async () => {
  const stand = await newStand();
  const { world, host } = stand;
  const id = await stand.make();
  const carried = async () => (await world.deps.home.carried(host.id)).items.map((each) => each.id);
  await world.deps.home.table(stand.ada.tenant).edit(clusterKind, id, { remove: ["hostedOn", "sight"] });
  expect(await carried()).toEqual([]);
  await world.lap();
  expect(await carried()).toEqual([id as ID]);
  await world.run(lap(world.deps));
  expect(world.queue.letters).toEqual([]);
});

test("a removal that is asked for while the host is away keeps its seat, and ends once the host is back", async () => {
  const { stand, world, ids, kube, host } = await fallen();
  const [id = ""] = ids;
  const seats = () => [...world.tables.rows().keys()].filter((key) => key.includes(`/seat/${host.id}/`)).length;
  await world.sweep(5);
  expect((await stand.ada.delete(`/v1/clusters/${id}`)).status).toBeLessThan(300);
  await world.sweep(20);
  expect([await stand.phase(id), seats()]).toEqual(["Deleting", 3]);
  kube.troubles.splice(0);
  await world.sweep(3);
  expect([await stand.phase(id), seats()]).toEqual([404, 2]);
  expect(stand.onHost(id).size).toBe(0);
});
