import { expect, test } from "vitest";
import { newStand } from "../../flow/stand.ts";
import { KubeFault } from "#core/context.ts";

test("health tells staff of hosts, late rows, parked rows and unsealed entries, and writes nothing", async () => {
  const stand = await newStand();
  const { world, ada } = stand;
  const staff = await world.staff();
  const ask = async () => (await staff.get("/v1/home/health")).body;
  await stand.make();
  await world.sweep();
  await world.digest();
  // The first use of a token is written.
  await ask();
  const written = (): number => world.tables.calls.write + world.tables.calls.edit;
  const before = written();
  const well = { hosts: { all: 1, healthy: 1 }, overdue: 0, parked: 0, unsealedSeconds: 0 };
  expect(await ask()).toMatchObject(well);
  expect(written()).toBe(before);

  // A cluster is asked for, which is two rows with what people get in it, and nobody works: no sweep, no worker, no sealer; and the host is not looked at.
  await ada.post("/v1/clusters", { name: "late" });
  await world.clock.pass(300_000);
  expect(await ask()).toMatchObject({ hosts: { all: 1, healthy: 0 }, overdue: 2, unsealedSeconds: 300 });

  // What the host refuses ten times waits for a person.
  stand.kube.troubles = [
    { match: ({ verb }) => verb === "create", fault: new KubeFault("invalid", "no"), when: "before" },
  ];
  await world.sweep(120);
  expect(await ask()).toMatchObject({ overdue: 0, parked: 1 });
  expect(world.counted).toContainEqual({ name: "Parked", value: 1, unit: "Count", label: undefined });
});

test("to a tenant's owner health of home is not there", async () => {
  const { ada } = await newStand();
  expect((await ada.get("/v1/home/health")).status).toBe(404);
});
