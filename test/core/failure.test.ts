import { expect, test } from "vitest";
import { KubeFault } from "#core/context.ts";
import { Fault } from "#core/error.ts";
import { limits, wake } from "#core/lease.ts";
import { kind, newToy } from "./toy.ts";

test.each([new KubeFault("unavailable", "no answer"), new Fault("unavailable", "The table does not answer.")])(
  "an outage backs off but never parks a row: %s",
  async (outage) => {
    const toy = newToy();
    await toy.begin(7);
    toy.broken = outage;
    for (let i = 0; i < 3 * limits.parkedAfterFailures; i++)
      expect((await toy.clock.run(toy.settle())).state).toBe("failed");
    toy.broken = undefined;
    expect(await toy.clock.run(toy.settle())).toEqual({ state: "settled" });
    expect((await toy.row()).failures).toBe(0);
  },
);

test("what fails once after a long outage is tried again, and not parked", async () => {
  const toy = newToy();
  await toy.begin(7);
  toy.broken = new KubeFault("unavailable", "no answer");
  for (let i = 0; i < 2 * limits.parkedAfterFailures; i++) await toy.clock.run(toy.settle());
  toy.broken = new KubeFault("forbidden", "not yet");
  for (let i = 1; i < limits.parkedAfterFailures; i++) expect((await toy.clock.run(toy.settle())).state).toBe("failed");
  expect((await toy.clock.run(toy.settle())).state).toBe("parked");
  await toy.table.edit(kind, toy.id, wake(toy.clock.now()));
  expect((await toy.clock.run(toy.settle())).state).toBe("failed");
  toy.broken = undefined;
  await toy.clock.run(toy.settle());
  expect(await toy.row()).not.toHaveProperty("strikes");
});
