import { expect, test } from "vitest";
import { cluster, clusterID, condition, problem, stub } from "./stub.ts";

const path = `/v1/clusters/${clusterID}`;

test("create sends what was said and nothing else", async () => {
  const api = await stub({ "POST /v1/clusters": () => ({ status: 201, body: cluster({ phase: "Pending" }) }) });
  const said = ["--version", "1.34", "--region", "local", "--service-cidr", "10.1.0.0/16", "--pod-cidr", "10.2.0.0/16"];
  const more = ["--pod-cidr", "fd00::/56", "--label", "team=blue", "--label", "tier=", "--deletion-protection"];
  expect((await api.run(["cluster", "create", "red", ...said, ...more])).code).toBe(0);
  expect((await api.run(["cluster", "create", "bare"])).code).toBe(0);
  expect(api.calls.map((call) => call.body)).toEqual([
    {
      name: "red",
      version: "1.34",
      region: "local",
      serviceCIDRs: ["10.1.0.0/16"],
      podCIDRs: ["10.2.0.0/16", "fd00::/56"],
      labels: { team: "blue", tier: "" },
      deletionProtection: true,
    },
    { name: "bare" },
  ]);
});

test("--wait shows each step once on stderr, and stdout holds the last state as JSON", async () => {
  const states = [
    [condition("Keys", "False", "being made")],
    [condition("Keys", "True"), condition("Ready", "False", "not yet")],
    [condition("Keys", "True"), condition("Ready", "False", "not yet")],
    [condition("Keys", "True"), condition("Ready", "True")],
  ];
  let look = 0;
  const api = await stub({
    "POST /v1/clusters": () => ({ status: 201, body: cluster({ phase: "Pending", conditions: [] }) }),
    [`GET ${path}`]: () => ({ body: cluster({ conditions: states[Math.min(look++, 3)] ?? [] }) }),
  });
  const { code, out, err } = await api.run(["cluster", "create", "red", "--wait", "-o", "json"]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    status: { conditions: [{ type: "Keys" }, { type: "Ready", status: "True" }] },
  });
  expect(err.match(/- Keys .*being made/g)).toHaveLength(1);
  expect(err.match(/\+ Keys +5\.0s/g)).toHaveLength(1);
  expect(err.match(/- Ready .*not yet/g)).toHaveLength(1);
  expect(api.calls.at(-1)?.query.get("for")).toBe("Ready");
});

test("a wait that is too long ends with 6, and so does one that is in vain", async () => {
  const stuck = { body: cluster({ phase: "Pending", conditions: [condition("Ready", "False")] }) };
  let reply = stuck;
  const api = await stub({ [`GET ${path}`]: () => reply });
  expect((await api.run(["cluster", "get", clusterID, "--wait", "--timeout", "1s"])).code).toBe(6);
  reply = { body: cluster({ phase: "Parked", conditions: [condition("Ready", "False", "no image")] }) };
  const parked = await api.run(["cluster", "get", clusterID, "--wait", "--timeout", "1h"]);
  expect([parked.code, parked.err]).toEqual([6, expect.stringContaining("no image")]);
});

test("a cluster that can't go on shows why, and that is no step", async () => {
  const conditions = [condition("Keys", "True"), condition("Retrying", "True", "ECONNREFUSED")];
  const api = await stub({ [`GET ${path}`]: () => ({ body: cluster({ conditions }) }) });
  const { out } = await api.run(["cluster", "get", clusterID]);
  expect(out).toMatch(/\nSteps +Keys[^,\n]*\nTrouble +Retrying: ECONNREFUSED\n$/);
});

test("Ready of an older generation is not what was waited for", async () => {
  let looks = 0;
  const api = await stub({ [`GET ${path}`]: () => ({ body: cluster({ generation: looks++ === 0 ? 2 : 1 }) }) });
  expect((await api.run(["cluster", "get", clusterID, "--wait"])).code).toBe(0);
  expect(looks).toBe(2);
});

test("labels are merged on condition, and again when somebody was faster", async () => {
  let round = 0;
  const api = await stub({
    [`GET ${path}`]: () => ({ body: cluster(), headers: { etag: `"${round}"` } }),
    [`PATCH ${path}`]: ({ headers }) =>
      round++ === 0 ? problem(412, "stale") : { body: { ...cluster(), seen: headers["if-match"] } },
  });
  const { code, out } = await api.run(["cluster", "label", clusterID, "tier=gold", "team-", "-o", "json"]);
  expect([code, JSON.parse(out)]).toMatchObject([0, { seen: '"1"' }]);
  expect(api.calls.at(-1)?.body).toEqual({ labels: { tier: "gold" } });
});

test("protect and unprotect change that alone", async () => {
  const api = await stub({ [`PATCH ${path}`]: () => ({ body: cluster() }) });
  await api.run(["cluster", "protect", clusterID]);
  await api.run(["cluster", "unprotect", clusterID]);
  expect(api.calls.map((call) => call.body)).toEqual([{ deletionProtection: true }, { deletionProtection: false }]);
});

test("a script that does not say --yes removes nothing", async () => {
  const api = await stub({});
  expect((await api.run(["cluster", "delete", clusterID])).code).toBe(2);
  expect(api.calls.filter((call) => call.method === "DELETE")).toEqual([]);
});

test("delete --wait ends when the cluster is gone, with its receipt", async () => {
  let asked = 0;
  const receipt = {
    id: clusterID,
    name: "red",
    createdAt: "2026-01-02T03:04:05.000Z",
    deletedAt: "2026-01-02T04:00:00.000Z",
    goneAt: "2026-01-02T04:00:09.000Z",
    host: "hst_01k0000000000000000000000c",
    removed: ["Secret a/b", "Service a/c"],
    remaining: [],
  };
  const api = await stub({
    [`DELETE ${path}`]: () => ({ status: 202, body: cluster({ phase: "Deleting" }) }),
    [`GET ${path}`]: () => (++asked < 3 ? { body: cluster({ phase: "Deleting" }) } : problem(404, "missing")),
    [`GET ${path}/receipt`]: () => ({ body: receipt }),
  });
  const { code, out } = await api.run(["cluster", "delete", clusterID, "--yes", "--wait", "-o", "json"]);
  expect([code, JSON.parse(out)]).toEqual([0, receipt]);
  expect((await api.run(["cluster", "receipt", clusterID])).out).toMatch(/Still there +nothing/);
});
