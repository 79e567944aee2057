import { expect, test } from "vitest";
import { Newer } from "#core/context.ts";
import { limits } from "#core/lease.ts";
import { kind, newToy, next } from "./toy.ts";

test("what was seen is written once, when it is news, and costs nothing from then on", async () => {
  const toy = newToy();
  await toy.begin(7);
  toy.sight = "one";
  await toy.clock.run(toy.settle());
  expect((await toy.row()).sight).toBe("one");
  toy.sight = "two";
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "settled" });
  const row = await toy.row();
  expect(row).toMatchObject({ sight: "two", epoch: 2 });
  expect(row).not.toHaveProperty("holder");
  expect(await toy.settle()).toEqual({ state: "settled" });
  expect(await toy.row()).toEqual(row);
});

test("a plan that says nothing of what was seen leaves the row's sight as it is, and is quiet", async () => {
  const toy = newToy();
  await toy.begin(7);
  toy.sight = "one";
  await toy.clock.run(toy.settle());
  toy.sight = undefined;
  const row = await toy.row();
  expect(await toy.settle()).toEqual({ state: "settled" });
  expect(await toy.row()).toEqual(row);
});

test("a row that a newer release wrote is left as it is, and the log says so", async () => {
  const toy = newToy();
  await toy.begin(7);
  await toy.table.edit(next, toy.id, { set: { want: 9 } });
  const row = await toy.table.get(next, toy.id);
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "newer" });
  expect(await toy.table.get(next, toy.id)).toEqual(row);
  expect(toy.have).toBeUndefined();
  expect(toy.warnings).toEqual(["left to a newer release"]);
});

test("a newer release that writes the row while we act has it from then on", async () => {
  const toy = newToy();
  await toy.begin(7);
  let left: unknown;
  toy.meanwhile = async () => {
    await toy.table.edit(next, toy.id, { set: { want: 9, generation: 2 } });
    left = await toy.table.get(next, toy.id);
  };
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "newer" });
  expect(await toy.table.get(next, toy.id)).toEqual(left);
});

test("what needs another row that is newer waits for the newer release: not held, not counted, still due", async () => {
  const toy = newToy();
  await toy.begin(7);
  toy.blind = new Newer("key", "authorities");
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "newer" });
  const row = await toy.row();
  expect(row).toMatchObject({ failures: 0, observedGeneration: 0, lookAt: expect.any(String) });
  expect(row).not.toHaveProperty("holder");
  toy.blind = undefined;
  await toy.clock.run(toy.settle());
  toy.blind = new Newer("key", "authorities");
  const settled = await toy.row();
  expect(await toy.settle()).toEqual({ state: "newer" });
  expect(await toy.row()).toEqual(settled);
});

test("who is told to end waits no longer, and leaves the row free and due at once", async () => {
  const toy = newToy({ slow: true });
  await toy.begin(7);
  toy.arrives = false;
  const work = toy.settle();
  await toy.clock.pass(2_000);
  expect((await toy.row()).holder).toBeDefined();
  const told = toy.clock.now();
  toy.ending.abort();
  expect(await toy.clock.run(work)).toEqual({ state: "waiting", on: ["the number to arrive"] });
  expect(toy.clock.now()).toBe(told);
  const row = await toy.row();
  expect(row).toMatchObject({ lookAt: told, failures: 0 });
  expect(row).not.toHaveProperty("holder");
});

test("who is told to end in the middle of an act ends it, begins no other, and lets go", async () => {
  const toy = newToy();
  await toy.begin(7);
  toy.meanwhile = async () => {
    toy.ending.abort();
    await toy.want(9);
  };
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "waiting", on: [] });
  expect(toy.acts.map(({ value }) => value)).toEqual([7]);
  const row = await toy.row();
  expect(row.lookAt).toBe(toy.clock.now());
  expect(row).not.toHaveProperty("holder");
});

test("who is told to end while it watches another's lease takes nothing over", async () => {
  const toy = newToy();
  await toy.begin(7);
  await toy.table.edit(kind, toy.id, { set: { holder: "alive", epoch: 5, beat: 4 } });
  const work = toy.settle();
  await toy.clock.pass(1_000);
  const told = toy.clock.now();
  toy.ending.abort();
  expect(await toy.clock.run(work)).toEqual({ state: "busy" });
  expect(toy.clock.now()).toBe(told);
  expect(await toy.row()).toMatchObject({ holder: "alive", epoch: 5 });
  expect(limits.recheckSeconds).toBeGreaterThan(1);
});

/** Does `work` just before the first edit that takes `name` away and nothing of `but`. */
function before(toy: ReturnType<typeof newToy>, name: string, but: string, work: () => Promise<unknown>): void {
  toy.tables.before = async ({ changes = [] }) => {
    const gone = changes[0]?.edit?.remove ?? [];
    if (!gone.includes(name) || gone.includes(but)) return;
    toy.tables.before = undefined;
    await work();
  };
}

test("a poke that comes while we let go is met before we do", async () => {
  const toy = newToy();
  await toy.begin(7);
  before(toy, "holder", "dirty", async () => {
    toy.have = 3;
    await toy.table.edit(kind, toy.id, { set: { dirty: true } });
  });
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "settled" });
  expect(toy.have).toBe(7);
  expect(await toy.row()).not.toHaveProperty("dirty");
});

test("a wish that comes while we note a poke is met before we let go", async () => {
  const toy = newToy();
  await toy.begin(7);
  toy.meanwhile = async () => {
    toy.meanwhile = undefined;
    await toy.table.edit(kind, toy.id, { set: { dirty: true } });
    before(toy, "dirty", "holder", () => toy.want(9));
  };
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "settled" });
  expect(toy.have).toBe(9);
  expect(await toy.row()).toMatchObject({ generation: 2, observedGeneration: 2 });
});

test("a held row is not due while its holder is heard of, and 25 seconds after its last beat it is", async () => {
  const toy = newToy({ slow: true });
  toy.arrives = false;
  await toy.begin(7);
  const due: number[] = [];
  const watching = (async () => {
    for (let i = 0; i < 6; i += 1) {
      await toy.clock.sleep(5_500);
      const { lookAt = "", holder } = await toy.row();
      if (holder !== undefined) due.push((Date.parse(lookAt) - Date.parse(toy.clock.now())) / 1000);
    }
  })();
  await toy.clock.run(Promise.all([toy.settle(), watching]));
  expect(due.length).toBeGreaterThan(3);
  expect(Math.min(...due)).toBeGreaterThan(15);
  expect(Math.max(...due)).toBeLessThanOrEqual(limits.leaseSeconds + limits.beatSeconds);
});

test("a beat that arrives after its lease was let go of makes nothing due", async () => {
  const toy = newToy();
  await toy.begin(7);
  let late = 0;
  toy.meanwhile = async () => {
    toy.meanwhile = undefined;
    await toy.clock.sleep(limits.beatSeconds * 1000 + 1);
  };
  toy.tables.before = async ({ changes = [] }) => {
    if (changes[0]?.edit?.add?.["beat"] === undefined) return;
    late += 1;
    while ((await toy.row()).holder !== undefined) await toy.clock.sleep(10);
  };
  expect(await toy.clock.run(toy.settle())).toEqual({ state: "settled" });
  expect(late).toBe(1);
  expect(await toy.row()).not.toHaveProperty("lookAt");
});
