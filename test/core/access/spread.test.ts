import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "../../flow/stand.ts";
import * as Access from "#core/access/index.ts";
import type { ID } from "#core/id.ts";
import * as Outbox from "#core/outbox/index.ts";

const context = ({ world, ada }: Stand) => world.context(ada.tenant);
const note = async (stand: Stand, whom: Outbox.Whom): Promise<void> => {
  const ctx = context(stand);
  await ctx.table.write(Outbox.note(ctx, whom));
};
const pokes = ({ world }: Stand): string[] =>
  world.queue.letters.map(({ body }) => (JSON.parse(body) as { id: string }).id);

test("each note comes to its clusters and no others, and is gone once they were told", async () => {
  const stand = await newStand();
  const red = (await stand.make()) as ID<"cluster">;
  const blue = (await stand.make({ name: "two" })) as ID<"cluster">;
  const generations = () => [red, blue].map((id) => stand.access(id).generation);
  const [a = 0, b = 0] = generations();
  await note(stand, [red]);
  expect(await Access.spread(context(stand))).toEqual([red]);
  expect(generations()).toEqual([a + 1, b]);
  expect(pokes(stand)).toEqual([Access.accessOf(red)]);
  await note(stand, "all");
  await note(stand, [blue]);
  expect((await Access.spread(context(stand))).sort()).toEqual([red, blue].sort());
  expect(generations()).toEqual([a + 2, b + 1]);
  expect(await Outbox.pending(context(stand))).toEqual([]);
  expect(await Access.spread(context(stand))).toEqual([]);
});

test("a note to a cluster that is gone is no trouble, and stays with its tenant", async () => {
  const stand = await newStand();
  await note(stand, ["cls_01k00000000000000000000000"]);
  const other = await stand.world.tenant("blue");
  expect(await Access.spread(stand.world.context(other.tenant))).toEqual([]);
  expect(await Outbox.pending(context(stand))).toHaveLength(1);
  await Access.spread(context(stand));
  expect(await Outbox.pending(context(stand))).toEqual([]);
});

test("what was told wakes a row that had given up, and a change that comes while one works is not missed", async () => {
  const stand = await newStand();
  const red = (await stand.make()) as ID<"cluster">;
  const table = stand.world.deps.home.table(stand.ada.tenant);
  const set = { parkedAt: stand.world.clock.now(), failures: 10 };
  await table.edit(Access.accessKind, Access.accessOf(red), { set });
  await note(stand, [red]);
  await Access.spread(context(stand));
  expect(stand.access(red)).toMatchObject({ failures: 0, lookAt: stand.world.clock.now() });
  expect(stand.access(red).parkedAt).toBeUndefined();
  await stand.world.drain();
  const { generation, observedGeneration } = stand.access(red);
  expect(observedGeneration).toBe(generation);
});

test("a confirmation is of the generation that was told, and a wait for it ends with its time", async () => {
  const stand = await newStand();
  const red = (await stand.make()) as ID<"cluster">;
  await note(stand, [red]);
  await Access.spread(context(stand));
  const { clock } = stand.world;
  const began = Date.parse(clock.now());
  const options = { seconds: 5, sleep: (ms: number) => clock.sleep(ms) };
  const told = await clock.run(Access.confirm(context(stand), [red], options));
  expect(told).toMatchObject({ confirmed: [], pending: [{ cluster: red, name: "one" }] });
  expect((Date.parse(clock.now()) - began) / 1000).toBeCloseTo(5, 0);
  // It pokes once more on the way, for the first may have been lost.
  expect(pokes(stand)).toEqual([Access.accessOf(red), Access.accessOf(red)]);
  await stand.world.drain();
  expect(await Access.confirm(context(stand), [red], options)).toEqual({ confirmed: [red], pending: [] });
});
