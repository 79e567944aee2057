import { expect, test } from "vitest";
import { KubeFault, Refused } from "#core/context.ts";
import { backOff } from "#core/failure.ts";
import { limits, wake } from "#core/lease.ts";
import { kind, newToy } from "./toy.ts";

test("a row that is not there is gone", async () => {
  expect(await newToy().settle()).toEqual({ state: "gone" });
});

test("a row is brought to what is wanted, and then says so and is not due any more", async () => {
  const toy = newToy();
  await toy.begin(7);
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "settled" });
  const row = await toy.row();
  expect(toy.have).toBe(7);
  expect(row).toMatchObject({ observedGeneration: 1, failures: 0, epoch: 1 });
  expect(row.lookAt).toBeUndefined();
  expect(row.holder).toBeUndefined();
});

test("a settled row costs reads alone: no write, no lease", async () => {
  const toy = newToy();
  await toy.begin(7);
  await toy.clock.run(toy.settle());
  const before = { ...toy.tables.calls };
  expect(await toy.settle()).toEqual({ state: "settled" });
  expect(toy.tables.calls).toEqual({ ...before, get: before.get + 1 });
});

test("what a stranger changed is put back", async () => {
  const toy = newToy();
  await toy.begin(7);
  await toy.clock.run(toy.settle());
  toy.have = 3;
  await toy.clock.run(toy.settle());
  expect(toy.have).toBe(7);
});

test("what takes its time is waited for, no longer than patience lasts", async () => {
  const toy = newToy({ slow: true });
  await toy.begin(7);
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "settled" });
  toy.arrives = false;
  await toy.want(8);
  const start = Date.parse(toy.clock.now());
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "waiting", on: ["the number to arrive"] });
  expect((Date.parse(toy.clock.now()) - start) / 1000).toBeCloseTo(limits.patienceSeconds, 0);
  const row = await toy.row();
  expect(row.lookAt).toBeDefined();
  expect(row.observedGeneration).toBe(1);
  expect(row.holder).toBeUndefined();
});

test("what has not come for long holds its worker for seconds alone, and is followed as soon as it moves", async () => {
  const toy = newToy({ slow: true });
  toy.arrives = false;
  await toy.begin(7);
  const took: number[] = [];
  for (let i = 0; i < 6; i += 1) {
    const since = Date.parse(toy.clock.now());
    expect((await toy.clock.run(toy.settle())).state).toBe("waiting");
    took.push(Math.round((Date.parse(toy.clock.now()) - since) / 1000));
  }
  // The first acts, so what it did is waited for as long as what the next three were in vain.
  expect(took).toEqual([40, 40, 40, 40, 5, 5]);
  toy.arrives = true;
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "settled" });
  expect(await toy.row()).not.toHaveProperty("waits");
});

test("a condition keeps when it began and how long it took", async () => {
  const toy = newToy({ slow: true });
  await toy.begin(7);
  await toy.clock.run(toy.settle());
  const [ready] = (await toy.row()).status.conditions;
  expect(ready).toMatchObject({ type: "Ready", status: "True", tookSeconds: 3 });
});

test("a wish that comes while we act is met before we let go", async () => {
  const toy = newToy();
  await toy.begin(7);
  toy.meanwhile = async () => {
    toy.meanwhile = undefined;
    await toy.want(9);
  };
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "settled" });
  expect(toy.have).toBe(9);
  expect((await toy.row()).observedGeneration).toBe(2);
});

test("two workers at once: one acts, the other marks the row and goes", async () => {
  const toy = newToy({ slow: true });
  await toy.begin(7);
  const first = toy.settle("a");
  const second = toy.clock.sleep(100).then(() => toy.settle("b"));
  const outcomes = await toy.clock.run(Promise.all([first, second]));
  expect(outcomes).toEqual([{ state: "settled" }, { state: "busy" }]);
  expect(toy.acts).toEqual([{ worker: "a", value: 7 }]);
  expect(await toy.row()).not.toHaveProperty("dirty");
});

test("a holder that died is replaced after its lease, and never before", async () => {
  const toy = newToy();
  await toy.begin(7);
  // A process that took the lease and is no more.
  const { epoch } = await toy.row();
  await toy.table.edit(kind, toy.id, { set: { holder: "dead", epoch: epoch + 1, beat: 4 } });
  const start = Date.parse(toy.clock.now());
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "settled" });
  expect(Date.parse(toy.clock.now()) - start).toBeGreaterThanOrEqual(limits.leaseSeconds * 1000);
  expect((await toy.row()).epoch).toBe(epoch + 2);
});

test("a worker that was stopped past its lease writes nothing more on the row", async () => {
  const toy = newToy();
  await toy.begin(7);
  let thaw = (): void => {};
  toy.meanwhile = async () => {
    // Worker a stops here, in the middle of an act: from now on nothing of it moves.
    toy.meanwhile = undefined;
    toy.frozen.set("a", new Promise((resolve) => (thaw = resolve)));
    await toy.frozen.get("a");
  };
  const first = toy.settle("a");
  await toy.clock.pass(1_000);
  expect(await toy.clock.run(toy.settle("b"))).toEqual({ state: "settled" });
  await toy.want(8);
  expect(await toy.clock.run(toy.settle("b"))).toEqual({ state: "settled" });
  const row = await toy.row();
  toy.frozen.delete("a");
  thaw();
  expect(await toy.clock.run(first)).toEqual({ state: "busy" });
  expect(await toy.row()).toEqual(row);
});

test("what fails is counted, waits longer each time, and is parked in the end with why", async () => {
  const toy = newToy();
  await toy.begin(7);
  toy.broken = new Error("secret detail");
  const waits: number[] = [];
  for (let i = 0; i < limits.parkedAfterFailures; i++) {
    const outcome = await toy.clock.run(toy.settle());
    const row = await toy.row();
    if (i < limits.parkedAfterFailures - 1) {
      expect(outcome.state).toBe("failed");
      waits.push(Date.parse(row.lookAt ?? "") - Date.parse(toy.clock.now()));
    } else expect(outcome.state).toBe("parked");
  }
  const row = await toy.row();
  expect(row.lookAt).toBeUndefined();
  expect(JSON.stringify(row)).not.toContain("secret detail");
  expect(row.status.conditions.find(({ type }) => type === "Parked")).toMatchObject({ status: "True" });
  expect(waits.at(-1)).toBeGreaterThan(waits[0] ?? 0);
  expect((await toy.settle()).state).toBe("parked");
  expect((await toy.tables.parked()).items.map(({ id }) => id)).toEqual([toy.id]);
  expect(row.parkedAt).toBe(toy.clock.now());
  toy.broken = undefined;
  await toy.table.edit(kind, toy.id, wake(toy.clock.now()));
  expect((await toy.tables.parked()).items).toEqual([]);
  expect(await toy.row()).not.toHaveProperty("parkedAt");
  await toy.want(8);
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "settled" });
  expect((await toy.row()).status.conditions.map(({ type }) => type)).toEqual(["Ready"]);
});

test("what the table refuses an act under our own lease is looked at again, then counted like any failure", async () => {
  const toy = newToy();
  await toy.begin(7);
  toy.broken = new Refused(1);
  expect((await toy.clock.run(toy.settle())).state).toBe("failed");
  const row = await toy.row();
  expect(row).toMatchObject({ failures: 1, lookAt: expect.any(String) });
  expect(row.holder).toBeUndefined();
  for (let i = 1; i < limits.parkedAfterFailures; i++) await toy.clock.run(toy.settle());
  expect((await toy.settle()).state).toBe("parked");
});

test("a row that an older release parked is listed once it is met", async () => {
  const toy = newToy();
  await toy.begin(7);
  toy.broken = new Error("broken");
  for (let i = 0; i < limits.parkedAfterFailures; i++) await toy.clock.run(toy.settle());
  await toy.table.edit(kind, toy.id, { remove: ["parkedAt"] });
  expect((await toy.tables.parked()).items).toEqual([]);
  expect((await toy.settle()).state).toBe("parked");
  expect((await toy.tables.parked()).items.map(({ id }) => id)).toEqual([toy.id]);
});

test("a conflict is looked at again at once, not counted", async () => {
  const toy = newToy();
  await toy.begin(7);
  toy.broken = new KubeFault("conflict", "moved on");
  let times = 0;
  toy.meanwhile = async () => {
    if (++times === 3) toy.broken = undefined;
  };
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "settled" });
  expect((await toy.row()).failures).toBe(0);
});

test("a change that changes nothing does not spin: it fails, and says so", async () => {
  const toy = newToy();
  await toy.begin(7);
  toy.idle = true;
  expect(await toy.clock.run(toy.settle())).toMatchObject({
    state: "failed",
    why: expect.stringContaining("changed nothing"),
  });
  expect(toy.acts.length).toBeLessThanOrEqual(limits.repeatsMax + 1);
});

test("a table that can't be read throws, so that the queue tries again", async () => {
  const toy = newToy();
  await toy.begin(7);
  toy.tables.before = () => {
    throw new Error("no table");
  };
  await expect(toy.clock.run(toy.settle())).rejects.toThrow("no table");
});

test("back-off goes from 5 seconds to 10 minutes, half of it by chance", () => {
  const least = { random: () => Uint8Array.of(0) };
  const most = { random: () => Uint8Array.of(255) };
  expect(backOff(least, 1)).toBe(2.5);
  expect(backOff(most, 1)).toBe(5);
  expect(backOff(most, 4)).toBe(40);
  expect(backOff(most, 50)).toBe(600);
});
