import { expect, test } from "vitest";
import { clusterKind } from "#core/cluster/schema.ts";
import { newStage } from "../stage.ts";

test("an owner's row goes only when its clusters were told: a removal that broke off before is ended by a repeat", async () => {
  const stage = newStage();
  const { id: tenant, owner } = await stage.tenant("red");
  const call = stage.as(owner.text);
  await stage.host();
  const cluster = String((await call("POST", "/v1/clusters", { name: "one" })).body["id"]);
  const table = stage.deps.home.table(tenant);
  const { member } = await stage.member(tenant, "owner");
  stage.tables.before = ({ act, keys }) => {
    if (act === "edit" && keys[0]?.includes("/cluster/")) throw new Error("died");
  };
  expect((await call("DELETE", `/v1/members/${member}`)).status).toBe(500);
  stage.tables.before = undefined;
  expect((await call("GET", `/v1/members/${member}`)).body["state"]).toBe("suspended");
  await stage.clock.pass(60_000);
  expect((await call("DELETE", `/v1/members/${member}`)).status).toBe(200);
  expect((await table.get(clusterKind, cluster))?.lookAt).toBe(stage.clock.now());
  expect((await call("GET", `/v1/members/${member}`)).status).toBe(404);
});
