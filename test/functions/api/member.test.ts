import { expect, test } from "vitest";
import { accessKind, accessOf } from "#core/access/schema.ts";
import type { ID } from "#core/id.ts";
import { noteKind } from "#core/outbox/schema.ts";
import { newStage } from "../stage.ts";

test("a removal that broke off after its first write is told to the clusters by the sweep, and ended by a repeat", async () => {
  const stage = newStage();
  const { id: tenant, owner } = await stage.tenant("red");
  const call = stage.as(owner.text);
  await stage.host();
  const cluster = String((await call("POST", "/v1/clusters", { name: "one" })).body["id"]) as ID<"cluster">;
  const table = stage.deps.home.table(tenant);
  const { member } = await stage.member(tenant, "owner");
  let written = false;
  stage.tables.before = ({ act }) => {
    if (written) throw new Error("died");
    written = act === "write";
  };
  expect((await call("DELETE", `/v1/members/${member}`)).status).toBe(500);
  stage.tables.before = undefined;
  expect((await call("GET", `/v1/members/${member}`)).body["state"]).toBe("suspended");
  expect((await table.list(noteKind)).items.map(({ clusters }) => clusters)).toEqual(["all"]);
  const generation = async (): Promise<number> => (await table.get(accessKind, accessOf(cluster)))?.generation ?? 0;
  const before = await generation();
  await stage.sweep();
  expect([await generation(), (await table.list(noteKind)).items]).toEqual([before + 1, []]);
  expect((await call("DELETE", `/v1/members/${member}`)).status).toBe(200);
  expect((await call("GET", `/v1/members/${member}`)).status).toBe(404);
});
