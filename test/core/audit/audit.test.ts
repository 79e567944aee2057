import { expect, test } from "vitest";
import * as Audit from "#core/audit/index.ts";
import { newStage } from "../../functions/stage.ts";

test("entries come newest first, page by page, and only one's own tenant's", async () => {
  const stage = newStage();
  const [red, blue] = [await stage.tenant("red"), await stage.tenant("blue")];
  const [ctx, other] = [stage.context(red.id), stage.context(blue.id)];
  for (let i = 0; i < 3; i += 1) {
    await stage.clock.pass(1_000);
    await ctx.table.write(Audit.entry(ctx, { verb: "cluster:create", target: `t${i}` }));
  }
  await other.table.write(Audit.entry(other, { verb: "cluster:create", target: "theirs" }));
  const page = await Audit.list(ctx, { limit: 2 });
  expect(page.items.map(({ target }) => target)).toEqual(["t2", "t1"]);
  const rest = await Audit.list(ctx, { limit: 2, after: page.next ?? "" });
  expect(rest).toMatchObject({ items: [{ target: "t0" }], next: null });
});

test("an entry is born unsealed, knows who, by which token and in which request, and is there with its change or not at all", async () => {
  const stage = newStage();
  const ctx = stage.context((await stage.tenant("red")).id);
  const entry = Audit.entry(ctx, { verb: "cluster:create", target: "t", changes: ["labels"] });
  expect(entry.row).toMatchObject({
    unsealed: true,
    requestID: "test",
    at: stage.clock.now(),
    actor: { member: "system", token: null },
  });
  const refused = ctx.table.update({ name: "none", schema: null as never }, "gone", { set: { a: 1 } });
  await expect(ctx.table.write(refused, entry)).rejects.toThrow();
  expect((await Audit.list(ctx, {})).items).toEqual([]);
});
