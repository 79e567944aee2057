import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { homeTenant, newStage } from "../stage.ts";
import * as Cluster from "#core/cluster/index.ts";
import type { ID } from "#core/id.ts";

const nothing = { tenant: `tnt_${"0".repeat(26)}`, id: `cls_${"0".repeat(26)}` };

test("an ear's token passes hints on, also about nothing, and opens no other route", async () => {
  const stage = newStage();
  await stage.staff();
  const robot = await stage.member(homeTenant, "staff", ["home:poke"]);
  const call = stage.as(robot.text);
  const answer = await call("POST", "/v1/home/pokes", { pokes: [nothing] });
  expect([answer.status, answer.body]).toEqual([202, { pokes: 1 }]);
  expect(stage.queue.letters.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([nothing]);
  expect(await stage.drain()).toEqual([]);
  expect(stage.queue.dead).toEqual([]);
  for (const path of ["/v1/clusters", "/v1/home/hosts", "/v1/home/tenants", "/v1/tokens", "/v1/members"]) {
    expect((await call("GET", path)).status, path).toBe(403);
  }
});

test("a tenant's owner is told that there is no such thing, whatever the door says", async () => {
  const stage = newStage();
  const { id } = await stage.tenant("red");
  const asked = Cluster.hear(stage.context(id), [{ tenant: id, id: nothing.id as ID<"cluster"> }]);
  await expect(asked).rejects.toMatchObject({ kind: "missing" });
  expect(stage.queue.letters).toEqual([]);
});

test("what is no list of 1 to 100 clusters is refused", async () => {
  const stage = newStage();
  const call = await stage.staff();
  for (const pokes of [
    [],
    Array(101).fill(nothing),
    [{ ...nothing, id: `tnt_${"0".repeat(26)}` }],
    [{ ...nothing, x: 1 }],
  ]) {
    expect((await call("POST", "/v1/home/pokes", { pokes })).status).toBe(400);
  }
  expect(stage.queue.letters).toEqual([]);
});
