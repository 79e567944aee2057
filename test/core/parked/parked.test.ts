import { beforeEach, expect, test } from "vitest";
import { KubeFault } from "#core/context.ts";
import { type Caller, newWorld, type Person, type World } from "../../world/index.ts";

let world: World;
let staff: Caller;
let ada: Person;
let id: string;
let mend: () => void;

/** A cluster that failed until it was parked. */
beforeEach(async () => {
  world = newWorld();
  const host = await world.host();
  ada = await world.tenant("red");
  staff = await world.staff();
  const fault = new KubeFault("invalid", "the host says no");
  const { troubles } = world.on(host);
  troubles.push({ match: ({ verb }) => verb === "create" || verb === "apply", fault, when: "before" });
  mend = () => void troubles.splice(0);
  id = String((await ada.post("/v1/clusters", { name: "one" })).body["id"]);
  await world.sweep(60);
});

const items = async (): Promise<unknown> => (await staff.get("/v1/home/parked")).body["items"];
const phase = async (): Promise<unknown> =>
  ((await ada.get(`/v1/clusters/${id}`)).body["status"] as { phase: string }).phase;
const release = () => staff.post(`/v1/home/parked/${id}/release`, { tenant: ada.tenant });

test("what is parked is listed with whose it is, its name, why and since when", async () => {
  expect(await phase()).toBe("Parked");
  expect(await items()).toEqual([
    { tenant: ada.tenant, id, noun: "cluster", name: "one", why: "the host says no", since: expect.any(String) },
  ]);
});

test("what is released is looked at at once and anew, and staff's record has it", async () => {
  mend();
  expect((await release()).body).toEqual({ tenant: ada.tenant, id, released: true });
  expect(await items()).toEqual([]);
  await world.drain();
  expect(await phase()).toBe("Ready");
  const entries = [...world.tables.rows()].filter(([, row]) => row["verb"] === "parked:release");
  expect(entries.map(([key, row]) => [key.split("/")[0], row["target"]])).toEqual([[world.deps.home.tenant, id]]);
});

test("a released row whose poke is lost is found by the sweep", async () => {
  mend();
  world.queue.pokes = "lost";
  await release();
  world.queue.pokes = "kept";
  await world.sweep(1);
  expect(await phase()).toBe("Ready");
});

test("releasing what is not parked does nothing and says so, and what never was is not there", async () => {
  mend();
  await release();
  await world.drain();
  const before = JSON.stringify([...world.tables.rows()].filter(([key]) => key.includes("/cluster/")));
  expect((await release()).body).toMatchObject({ released: false });
  expect(JSON.stringify([...world.tables.rows()].filter(([key]) => key.includes("/cluster/")))).toBe(before);
  expect(world.queue.letters).toEqual([]);
  const other = await world.tenant("blue");
  const stray = await staff.post(`/v1/home/parked/${id}/release`, { tenant: other.tenant });
  expect(stray).toMatchObject({ status: 404, body: { detail: "There is no such cluster." } });
});
