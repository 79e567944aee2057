import { beforeEach, expect, test } from "vitest";
import { kubeconfigOf, newStage, type Stage } from "../stage.ts";

let stage: Stage;
let owner: ReturnType<Stage["as"]>;
beforeEach(async () => {
  stage = newStage();
  owner = stage.as((await stage.tenant("red")).owner.text);
});

test("whoever asks who it is learns tenant, member, role and scopes, however narrow its token", async () => {
  const made = await owner("POST", "/v1/tokens", { name: "narrow", scopes: ["version:read"] });
  const me = await stage.as(String(made.body["token"]))("GET", "/v1/me");
  expect(me).toMatchObject({ status: 200, body: { tenant: { name: "red" }, role: "owner", scopes: ["version:read"] } });
});

test("a token works from the moment it is made until it is revoked", async () => {
  const made = await owner("POST", "/v1/tokens", { name: "ci", expiresInDays: 1 });
  expect(made.status).toBe(201);
  expect(made.headers.get("location")).toBe(`/v1/tokens/${made.body["id"]}`);
  const it = stage.as(String(made.body["token"]));
  expect((await it("GET", "/v1/clusters")).status).toBe(200);
  const listed = await owner("GET", "/v1/tokens");
  expect(listed.text).not.toContain(String(made.body["token"]).slice(-38));
  expect(listed.text).not.toContain("hash");
  expect((await owner("DELETE", `/v1/tokens/${made.body["id"]}`)).body["revokedAt"]).toBe(stage.clock.now());
  await stage.clock.pass(10_000);
  expect((await it("GET", "/v1/clusters")).status).toBe(401);
});

test("a cluster is made, found by name, changed on its ETag, protected, and removed by its name", async () => {
  await stage.host();
  const made = await owner("POST", "/v1/clusters", { name: "one", version: "1.34" });
  const path = `/v1/clusters/${made.body["id"]}`;
  expect(made).toMatchObject({ status: 201, body: { name: "one", spec: { version: "1.34.4", region: "north" } } });
  expect([made.headers.get("location"), made.headers.get("etag")]).toEqual([path, '"1"']);
  // Ids of one millisecond have no order among themselves.
  await stage.clock.pass(1);
  // Ids of one millisecond are in no order.
  await stage.clock.pass(1);
  await owner("POST", "/v1/clusters", { name: "two" });
  expect((await owner("GET", "/v1/clusters?name=one")).body["items"]).toHaveLength(1);
  const page = await owner("GET", "/v1/clusters?limit=1");
  const rest = await owner("GET", `/v1/clusters?limit=1&after=${page.body["next"]}`);
  expect(rest.body).toMatchObject({ items: [{ name: "two" }], next: null });
  expect(await owner("GET", path)).toMatchObject({ status: 200 });
  const bare = await owner("DELETE", "/v1/clusters/cls_01k00000000000000000000000", "", {
    "Content-Type": "application/json",
  });
  expect(bare.status).toBe(404);
  const stale = await owner("PATCH", path, { deletionProtection: true }, { "If-Match": '"9"' });
  expect(stale).toMatchObject({ status: 412, body: { kind: "stale" } });
  const kept = await owner("PATCH", path, { deletionProtection: true }, { "If-Match": '"1"' });
  expect([kept.status, kept.headers.get("etag")]).toEqual([200, '"2"']);
  expect(await owner("DELETE", path)).toMatchObject({ status: 409, body: { kind: "conflict" } });
  await owner("PATCH", path, { deletionProtection: false });
  expect((await owner("DELETE", `${path}?confirm=two`)).status).toBe(400);
  expect((await owner("DELETE", path, { confirm: "two" })).status).toBe(400);
  const going = await owner("DELETE", path, { confirm: "one" });
  expect(going).toMatchObject({ status: 202, body: { deletedAt: stage.clock.now() } });
  expect((await owner("GET", `${path}/receipt`)).status).toBe(404);
});

test("a wait that is in vain ends when its time is up, with what is there", async () => {
  await stage.host();
  const made = await owner("POST", "/v1/clusters", { name: "one" });
  const began = Date.parse(stage.clock.now());
  const waited = await stage.clock.run(owner("GET", `/v1/clusters/${made.body["id"]}?wait=5&for=Ready`));
  expect(waited).toMatchObject({ status: 200, body: { id: made.body["id"] } });
  expect(Date.parse(stage.clock.now()) - began).toBeLessThan(5_500);
  expect(Date.parse(stage.clock.now()) - began).toBeGreaterThanOrEqual(5_000);
});

test("a cluster without a host for it is refused with the reason, and when to come again", async () => {
  const { status, body, headers } = await owner("POST", "/v1/clusters", { name: "one" });
  expect([status, body["kind"], headers.get("retry-after")]).toEqual([503, "unavailable", "60"]);
});

test("staff takes on a host, looks at it, and its credentials are in no answer and no log", async () => {
  const staff = await stage.staff();
  const told = {
    name: "north",
    region: "north",
    address: "192.0.2.10",
    ports: { from: 30_000, to: 30_100 },
    versions: ["1.34.4"],
    imagePrefix: "images.test/berth",
    storageClass: "standard",
    serviceCIDRs: ["10.96.0.0/16"],
    podCIDRs: ["10.244.0.0/16"],
    kubeconfig: await kubeconfigOf("https://192.0.2.10:6443"),
  };
  const made = await staff("POST", "/v1/home/hosts", told);
  expect(made).toMatchObject({ status: 201, body: { name: "north", state: "ready", healthy: true, runs: "v1.34.4" } });
  expect(stage.kubes.server("https://192.0.2.10:6443").count("version")).toBe(1);
  expect((await staff("POST", "/v1/home/hosts", told)).status).toBe(409);
  const path = `/v1/home/hosts/${made.body["id"]}`;
  expect(made.headers.get("location")).toBe(path);
  await stage.clock.pass(60_000);
  const checked = await staff("POST", `${path}/check`);
  expect(checked).toMatchObject({ status: 200, body: { checkedAt: stage.clock.now() } });
  const seen = [made, checked, await staff("GET", path), await staff("GET", "/v1/home/hosts")].map(({ text }) => text);
  expect(JSON.stringify([seen, stage.lines])).not.toContain("host-token-canary");
  expect((await owner("GET", "/v1/versions")).body["items"]).toContainEqual(
    expect.objectContaining({ version: "1.34.4", regions: ["north"] }),
  );
});

test("a kubeconfig's faults are named inside of the request's own field", async () => {
  const staff = await stage.staff();
  const { body, status } = await staff("POST", "/v1/home/hosts", {
    name: "north",
    region: "north",
    address: "192.0.2.10",
    ports: { from: 30_000, to: 30_100 },
    versions: ["1.34.4"],
    imagePrefix: "images.test/berth",
    storageClass: "standard",
    serviceCIDRs: ["10.96.0.0/16"],
    podCIDRs: ["10.244.0.0/16"],
    kubeconfig: "apiVersion: v1\nkind: Config\ncurrent-context: x\nclusters: []\ncontexts: []\nusers: []\n",
  });
  expect(status).toBe(400);
  expect((body["errors"] as { field: string }[])[0]?.field).toMatch(/^kubeconfig\./);
});

test("staff makes a tenant with an owner's token, suspends it, and lets it back in", async () => {
  const staff = await stage.staff();
  const made = await staff("POST", "/v1/home/tenants", { name: "acme", withToken: true });
  expect(made.status).toBe(201);
  const acme = stage.as(String(made.body["token"]));
  expect((await acme("GET", "/v1/me")).body).toMatchObject({ tenant: { name: "acme" }, role: "owner" });
  const path = `/v1/home/tenants/${made.body["id"]}`;
  expect((await staff("PATCH", path, { state: "suspended" })).body).toMatchObject({ state: "suspended" });
  await stage.clock.pass(10_000);
  expect((await acme("GET", "/v1/me")).status).toBe(401);
  await staff("PATCH", path, { state: "active" });
  expect((await acme("GET", "/v1/me")).status).toBe(200);
  const listed = await staff("GET", "/v1/home/tenants");
  expect((listed.body["items"] as { name: string; state: string }[]).map(({ name, state }) => [name, state])).toEqual([
    ["acme", "active"],
    ["home", "active"],
  ]);
});

test("every change has its audit entry, newest first, without values", async () => {
  await stage.host();
  const made = await owner("POST", "/v1/clusters", { name: "one" });
  await stage.clock.pass(1_000);
  const asked = await owner("PATCH", `/v1/clusters/${made.body["id"]}`, { labels: { tier: "canary-value" } });
  const { body, text } = await owner("GET", "/v1/audit");
  expect((body["items"] as { verb: string }[]).map(({ verb }) => verb)).toEqual(["cluster:update", "cluster:create"]);
  expect((body["items"] as { requestID: string; changes: string[] }[])[0]).toMatchObject({
    requestID: asked.headers.get("x-request-id"),
    changes: ["labels"],
  });
  expect(text).not.toContain("canary-value");
  expect(text).not.toContain("unsealed");
});

test("a host's versions are of the catalogue, or it is told which is not", async () => {
  const stage = newStage();
  const call = await stage.staff();
  const { id } = await stage.host();
  const { status, body } = await call("PATCH", `/v1/home/hosts/${id}`, { versions: ["1.34.4", "1.99.1"] });
  expect([status, body["errors"]]).toEqual([
    400,
    [{ field: "versions.1", message: "1.99.1 is not in the version catalogue" }],
  ]);
  expect((await call("PATCH", `/v1/home/hosts/${id}`, { versions: ["1.34.4", "1.36.3"] })).status).toBe(200);
});

test("a change to what is so already is none: no generation, no entry, no work", async () => {
  const stage = newStage();
  await stage.host();
  const { owner } = await stage.tenant("calm");
  const made = await owner.post("/v1/clusters", { name: "one", labels: { team: "a" } });
  const path = `/v1/clusters/${String(made.body["id"])}`;
  const rows = () => JSON.stringify([...stage.tables.rows()].filter(([key]) => !key.includes("/token/")));
  const before = rows();
  const again = await owner.patch(path, { labels: { team: "a" } });
  expect([again.status, again.headers.get("etag")]).toEqual([200, made.headers.get("etag")]);
  expect(rows()).toBe(before);
});
