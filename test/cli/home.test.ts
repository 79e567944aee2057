import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { problem, stub } from "./stub.ts";

const id = "hst_01k0000000000000000000000c";
const cluster = "cls_01k0000000000000000000000c";
const tenant = "tnt_01k0000000000000000000000c";
const host = {
  id,
  name: "north",
  region: "north",
  state: "ready",
  healthy: false,
  unhealthySince: "2026-01-02T03:04:05.000Z",
  seats: { taken: 3, free: 7 },
  fenced: false,
  policyEngine: null,
  versions: ["1.34.4"],
  warnings: ["It does not refuse writes of an older worker."],
  createdAt: "2026-01-01T00:00:00.000Z",
};
const listed = { "GET /v1/home/hosts": () => ({ body: { items: [host], next: null } }) };

test("the list of hosts shows seats, health, fence and policy in plain words", async () => {
  const api = await stub(listed);
  const { out } = await api.run(["host", "list"]);
  expect(out.split("\n")[0]).toMatch(/NAME .*HEALTHY +USED +FREE +FENCED +POLICY/);
  expect(out.split("\n")[1]).toMatch(/^north .*no, since 2026-01-02T03:04:05.000Z +3 +7 +no +none +1.34.4/);
});

test("update sends what was said and nothing else, and none stands for nothing", async () => {
  const api = await stub({ ...listed, [`PATCH /v1/home/hosts/${id}`]: () => ({ body: host }) });
  const said = ["--version", "1.34.4", "--version", "1.35.4", "--policy-engine", "none", "--home-range", "none"];
  const { code, err } = await api.run(["host", "update", "north", ...said]);
  expect([code, err]).toEqual([0, expect.stringContaining("Note: It does not refuse")]);
  expect(api.calls.at(-1)?.body).toEqual({ versions: ["1.34.4", "1.35.4"], policyEngine: null, homeRanges: [] });
  expect((await api.run(["host", "update", "north"])).code).toBe(2);
});

test("a kubeconfig goes to the server and to no output, a host is not forgotten by a script without --yes", async () => {
  const api = await stub({
    ...listed,
    [`PUT /v1/home/hosts/${id}/credential`]: () => ({ body: host }),
    [`DELETE /v1/home/hosts/${id}`]: () => ({ status: 204 }),
  });
  const file = join(api.home, "kubeconfig");
  writeFileSync(file, "token: canary");
  const replaced = await api.run(["host", "credential", "north", "--kubeconfig", file]);
  expect([replaced.code, `${replaced.out}${replaced.err}`.includes("canary")]).toEqual([0, false]);
  expect(api.calls.at(-1)?.body).toEqual({ kubeconfig: "token: canary" });
  expect((await api.run(["host", "remove", "north"])).code).toBe(2);
  expect(api.calls.at(-1)?.method).not.toBe("DELETE");
  expect((await api.run(["host", "remove", "north", "--yes"])).code).toBe(0);
});

test("draining says what is still there and why", async () => {
  const clusters = [{ cluster, tenant, port: 30_001 }];
  const moving = "Clusters can't be moved.";
  const api = await stub({
    ...listed,
    [`POST /v1/home/hosts/${id}/drain`]: () => ({ body: { host, clusters, moving } }),
  });
  const { err } = await api.run(["host", "drain", id]);
  expect(err).toContain(`Still there: ${cluster} of ${tenant} on port 30001`);
  expect(err).toContain(moving);
});

test("a parked row is released by its id alone, and what is not parked is said to be so", async () => {
  let released = true;
  const api = await stub({
    "GET /v1/home/parked": () => ({ body: { items: [{ tenant, id: cluster, noun: "cluster" }], next: null } }),
    [`POST /v1/home/parked/${cluster}/release`]: () => ({ body: { tenant, id: cluster, released } }),
  });
  expect((await api.run(["parked", "release", cluster])).code).toBe(0);
  expect(api.calls.at(-1)?.body).toEqual({ tenant });
  expect((await api.run(["parked", "release", id])).code).toBe(4);
  released = false;
  const { err } = await api.run(["parked", "release", cluster, "--tenant", tenant]);
  expect(err).toContain("not parked");
});

test("letters are listed and sent again", async () => {
  const letter = { id: "m-1", sentAt: "2026-01-02T03:04:05.000Z", reason: "of old", names: null };
  const api = await stub({
    "GET /v1/home/letters": () => ({ body: { items: [letter], next: null } }),
    "POST /v1/home/letters/redrive": () => ({ body: { redriven: 4 } }),
  });
  expect((await api.run(["letters", "list", "--limit", "3"])).out).toContain("of old");
  expect(api.calls.at(-1)?.query.get("limit")).toBe("3");
  expect((await api.run(["letters", "redrive", "-o", "json"])).out).toContain('"redriven": 4');
});

test("where there is no local stack, a version is not added, and the way elsewhere is told", async () => {
  const api = await stub({ "GET /v1/home/hosts": () => problem(404, "missing") });
  const { code, err } = await api.run(["version", "add", "1.35.4"]);
  expect([code, err]).toEqual([2, expect.stringContaining("berth host update")]);
  expect(api.calls).toEqual([]);
});

test("health says each figure with its unit", async () => {
  const body = {
    tableMilliseconds: 4,
    hosts: { all: 3, healthy: 2 },
    overdue: 5,
    parked: 6,
    unsealedSeconds: 70,
  };
  const api = await stub({ "GET /v1/home/health": () => ({ body }) });
  const { out } = await api.run(["health"]);
  expect(out).toMatch(/in +4 ms\nHosts healthy +2 of 3\nRows late +5\nRows parked +6\nAudit unsealed for +70 s\n$/);
});

test("a check that got no answer says so, however well the host was a minute ago", async () => {
  const checked = { ...host, healthy: true, healthyAt: "2026-01-02T03:04:05.000Z" };
  let checkedAt = "2026-01-02T03:05:05.000Z";
  const api = await stub({
    ...listed,
    [`POST /v1/home/hosts/${id}/check`]: () => ({ body: { ...checked, checkedAt } }),
  });
  expect((await api.run(["host", "check", "north"])).err).toContain(
    `did not answer when it was last asked, at ${checkedAt}`,
  );
  checkedAt = checked.healthyAt;
  expect((await api.run(["host", "check", "north"])).err).not.toContain("did not answer");
});

test("the token of a new tenant comes with the word to keep it", async () => {
  const api = await stub({ "POST /v1/home/tenants": () => ({ body: { id: tenant, name: "acme", token: "berth_x" } }) });
  const { out, err } = await api.run(["tenant", "create", "acme", "--with-token"]);
  expect([out.split("\n")[0], err]).toEqual(["Token  berth_x", "Keep the token now: it is not shown again.\n"]);
});
