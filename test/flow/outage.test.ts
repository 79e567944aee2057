import { expect, test } from "vitest";
import { KubeFault } from "#core/context.ts";
import { newWorld } from "../world/index.ts";

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
