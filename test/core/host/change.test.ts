import { beforeEach, expect, test } from "vitest";
import { KubeFault } from "#core/context.ts";
import * as Host from "#core/host/index.ts";
import { type Caller, hostServer, kubeconfigOf, newWorld, type World } from "../../world/index.ts";

let world: World;
let staff: Caller;
let id: string;
let path: string;

const address = "192.0.2.10";
const told = {
  name: "north",
  region: "north",
  address,
  ports: { from: 30_000, to: 30_002 },
  versions: ["1.34.4"],
  imagePrefix: "images.test/berth",
  storageClass: "standard",
  serviceCIDRs: ["10.96.0.0/16"],
  podCIDRs: ["10.244.0.0/16"],
};
beforeEach(async () => {
  world = newWorld();
  staff = await world.staff();
  const kubeconfig = await kubeconfigOf(hostServer({ address }));
  const made = await staff.post("/v1/home/hosts", { ...told, kubeconfig });
  expect(made.status, made.text).toBe(201);
  id = String(made.body["id"]);
  path = `/v1/home/hosts/${id}`;
});

const verbs = (): unknown[] =>
  [...world.tables.rows()].filter(([key]) => key.includes("/audit/")).map(([, row]) => row["verb"]);

test("a host is changed on its ETag, and a stale change tells the generation that is there", async () => {
  expect((await staff.get(path)).headers.get("etag")).toBe('"1"');
  const body = {
    title: "North hall",
    versions: ["1.34.4", "1.35.4"],
    policyEngine: "calico",
    homeRanges: ["198.51.100.0/24"],
  };
  const changed = await staff.patch(path, body, { "If-Match": '"1"' });
  expect(changed).toMatchObject({ status: 200, body: { ...body, generation: 2, name: "north" } });
  expect(changed.headers.get("etag")).toBe('"2"');
  const stale = await staff.patch(path, { title: "South" }, { "If-Match": '"1"' });
  expect([stale.status, stale.headers.get("etag")]).toEqual([412, '"2"']);
  expect((await staff.get(path)).body).toMatchObject({ title: "North hall", generation: 2 });
  expect(verbs()).toContain("host:update");
});

test("what would roll or break every cluster of a host can't change, and the answer says why", async () => {
  const { status, text } = await staff.patch(path, { imagePrefix: "other.test/berth", address: "192.0.2.11" });
  expect(status).toBe(400);
  expect(text).toContain("every control plane on the host would be rolled");
  expect(text).toContain("tenants' kubeconfigs hold it");
  expect((await staff.patch(path, {})).status).toBe(400);
});

test("a draining host gets no new clusters, names those it has, and takes new ones again", async () => {
  const ada = await world.tenant("red");
  const first = await ada.post("/v1/clusters", { name: "first" });
  const drained = await staff.post(`${path}/drain`);
  expect(drained.body).toMatchObject({
    host: { state: "draining", generation: 2, seats: { taken: 1, free: 2 } },
    clusters: [{ tenant: ada.tenant, cluster: first.body["id"] }],
    moving: expect.stringContaining("can't be moved"),
  });
  expect((await staff.post(`${path}/drain`)).body).toMatchObject({ host: { generation: 2 } });
  expect(await ada.post("/v1/clusters", { name: "second" })).toMatchObject({ status: 503 });
  expect((await staff.post(`${path}/resume`)).body).toMatchObject({ state: "ready", generation: 3 });
  expect(await ada.post("/v1/clusters", { name: "second" })).toMatchObject({ status: 201 });
  expect(verbs().filter((verb) => verb === "host:drain")).toHaveLength(1);
});

test("a host is forgotten only when it carries nothing and no create can be on its way to it", async () => {
  const ada = await world.tenant("red");
  const cluster = `/v1/clusters/${(await ada.post("/v1/clusters", { name: "one" })).body["id"]}`;
  const full = await staff.delete(path);
  expect(full).toMatchObject({ status: 409, body: { detail: expect.stringContaining("1 cluster stands") } });
  await world.drain();
  await ada.delete(cluster);
  await world.drain();
  expect((await ada.get(cluster)).status).toBe(404);
  expect(await staff.delete(path)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining("not drained") },
  });
  await staff.post(`${path}/drain`);
  expect((await staff.delete(path)).status).toBe(409);
  await world.clock.pass(60_000);
  expect((await staff.delete(path, undefined, { "If-Match": '"1"' })).status).toBe(412);
  expect((await staff.delete(path)).status).toBe(204);
  expect([...world.tables.rows().keys()].filter((key) => key.includes(id) || key.includes("hostName"))).toEqual([]);
  const again = await staff.post("/v1/home/hosts", {
    ...told,
    kubeconfig: await kubeconfigOf(hostServer({ address })),
  });
  expect(again.status).toBe(201);
});

test("a new credential is taken when it works on the very cluster, and used at once", async () => {
  const other = "192.0.2.20";
  const foreign = await staff.call("PUT", `${path}/credential`, {
    kubeconfig: await kubeconfigOf(hostServer({ address: other })),
  });
  expect(foreign).toMatchObject({ status: 400, body: { errors: [{ field: "kubeconfig" }] } });
  const work = { ...world.deps, seal: world.seal };
  expect(await Host.target(work, id as `hst_${string}`)).toMatchObject({ user: { token: "host-token-canary" } });
  const kubeconfig = (await kubeconfigOf(hostServer({ address }))).replace("host-token-canary", "renewed-canary");
  const taken = await staff.call("PUT", `${path}/credential`, { kubeconfig });
  expect([taken.status, taken.text.includes("canary")]).toEqual([200, false]);
  expect(await Host.target(work, id as `hst_${string}`)).toMatchObject({ user: { token: "renewed-canary" } });
  expect(verbs()).toContain("host:credential");
});

test("whether a host refuses older workers is found by trying, without making anything", async () => {
  expect((await staff.post(`${path}/check`)).body).toMatchObject({ fenced: true });
  const server = world.on({ address });
  const before = server.objects.all().length;
  server.fenced = false;
  const open = await staff.post(`${path}/check`);
  expect(open.body).toMatchObject({
    fenced: false,
    warnings: expect.arrayContaining([expect.stringContaining("older worker")]),
  });
  const weak = new KubeFault("forbidden", 'namespaces is forbidden: User "x" cannot create resource', { status: 403 });
  server.troubles.push({ match: ({ verb }) => verb === "create", fault: weak, when: "before" });
  expect((await staff.post(`${path}/check`)).body).toMatchObject({ fenced: false });
  expect(server.objects.all()).toHaveLength(before);
});

test("a host of before there were generations is changed like any other", async () => {
  const table = world.deps.home.table(world.deps.home.tenant);
  await table.edit({ name: "host", schema: { safeParse: (data: unknown) => ({ success: true, data }) } as never }, id, {
    remove: ["generation", "kubeSystem"],
  });
  expect((await staff.patch(path, { title: "Old" }, { "If-Match": '"1"' })).body).toMatchObject({ generation: 2 });
});
