import { beforeEach, expect, test } from "vitest";
import { kubeName } from "#core/id.ts";
import { newStand, type Person, type Stand } from "./stand.ts";

let stand: Stand;
let ada: Person;
beforeEach(async () => {
  stand = await newStand();
  ada = stand.ada;
});

const text = (body: Record<string, unknown>, field = "id"): string => String(body[field]);
const member = async (input: Record<string, unknown>): Promise<string> => {
  const { status, body } = await ada.post("/v1/members", { name: "bob", kind: "robot", role: "viewer", ...input });
  expect(status).toBe(201);
  return text(body);
};
/** Whether a member has an account in the cluster, and a binding that names it. */
const account = (cluster: string, id: string): [boolean, boolean] => {
  const { objects } = stand.inside(cluster);
  const found = objects.find({
    apiVersion: "v1",
    kind: "ServiceAccount",
    name: kubeName(id),
    namespace: "berth-members",
  });
  const bound = objects
    .all()
    .some(
      (each) => each.kind === "ClusterRoleBinding" && JSON.stringify(each["subjects"] ?? []).includes(kubeName(id)),
    );
  return [found !== undefined, bound];
};
const quota = async (what: string, by = ada): Promise<unknown> =>
  ((await by.get("/v1/quotas")).body["items"] as { what: string }[]).find((each) => each.what === what);

test("a robot is made, gets a token, works, and is out within 10 s of its suspension and in again after", async () => {
  const { world } = stand;
  const id = await member({ role: "editor" });
  const made = await ada.post("/v1/tokens", { name: "ci", member: id, scopes: ["cluster:read"] });
  expect([made.status, made.headers.get("location")]).toEqual([201, `/v1/tokens/${text(made.body)}`]);
  const bot = world.as(text(made.body, "token"));
  expect((await bot.get("/v1/clusters")).status).toBe(200);
  expect((await bot.post("/v1/clusters", { name: "x" })).status).toBe(403);
  expect((await ada.patch(`/v1/members/${id}`, { state: "suspended" })).status).toBe(200);
  await world.clock.pass(10_000);
  expect((await bot.get("/v1/clusters")).status).toBe(401);
  expect((await ada.patch(`/v1/members/${id}`, { state: "active" })).status).toBe(200);
  expect((await bot.get("/v1/clusters")).status).toBe(200);
  expect((await ada.delete(`/v1/members/${id}`)).body).toMatchObject({ id, name: "bob" });
  await world.clock.pass(10_000);
  expect((await bot.get("/v1/clusters")).status).toBe(401);
  const { body } = await ada.get("/v1/audit");
  expect((body["items"] as { target: string }[]).filter(({ target }) => target === id)).toHaveLength(5);
});

test("who is suspended while its request is on its way gets no new credential and changes nobody", async () => {
  const { world } = stand;
  const eve = await world.member(ada.tenant, "owner");
  expect((await eve.get("/v1/me")).status).toBe(200);
  let met = false;
  world.outside = async ({ table, when }) => {
    if (met || when !== "before" || table?.act !== "write") return;
    met = true;
    expect((await ada.patch(`/v1/members/${eve.member}`, { state: "suspended" })).status).toBe(200);
  };
  const answer = await eve.post("/v1/members", { name: "back door", kind: "robot", role: "owner" });
  expect([met, answer.status]).toEqual([true, 403]);
  world.outside = undefined;
  // What was read of its token may be 10 s old elsewhere, but never where somebody is let in.
  expect((await eve.get("/v1/clusters")).status).toBe(200);
  expect((await eve.patch(`/v1/members/${eve.member}`, { state: "active" })).status).toBe(401);
  expect((await eve.post("/v1/tokens", { name: "x" })).status).toBe(401);
  const { items } = (await ada.get("/v1/members")).body as { items: { name: string }[] };
  expect(items.map(({ name }) => name)).not.toContain("back door");
});

test("a change on an older ETag is a 412 with the present one, for a removal too", async () => {
  const id = await member({});
  const path = `/v1/members/${id}`;
  const etag = String((await ada.get(path)).headers.get("etag"));
  const changed = await ada.patch(path, { name: "rob" }, { "If-Match": etag });
  expect([changed.status, changed.headers.get("etag")]).toEqual([200, '"2"']);
  for (const late of [
    await ada.patch(path, { name: "x" }, { "If-Match": etag }),
    await ada.delete(path, undefined, { "If-Match": etag }),
  ]) {
    expect([late.status, late.headers.get("etag")]).toEqual([412, '"2"']);
  }
  expect((await ada.get(path)).body).toMatchObject({ name: "rob", state: "active" });
  expect((await ada.delete(path, undefined, { "If-Match": '"2"' })).status).toBe(200);
});

test("who becomes an owner has an account in the clusters, and who is none any more has none, within a sweep", async () => {
  const { world } = stand;
  const cluster = await stand.make();
  const id = await member({ role: "editor" });
  await world.drain();
  expect(account(cluster, id)).toEqual([false, false]);
  for (const [change, has] of [
    [{ role: "owner" }, true],
    [{ state: "suspended" }, false],
    [{ state: "active" }, true],
    [{ role: "viewer" }, false],
    [{ role: "owner" }, true],
  ] as const) {
    expect((await ada.patch(`/v1/members/${id}`, change)).status).toBe(200);
    await world.sweep();
    expect(account(cluster, id), JSON.stringify(change)).toEqual([has, has]);
  }
  expect((await ada.delete(`/v1/members/${id}`)).status).toBe(200);
  // The poke alone is enough; the sweep is there for when it is lost.
  await world.drain();
  expect(account(cluster, id)).toEqual([false, false]);
  expect(account(cluster, ada.member)).toEqual([true, true]);
});

test("a lost poke after an owner's removal costs one sweep, and then nothing moves any more", async () => {
  const { world } = stand;
  const id = await member({ role: "owner" });
  const cluster = await stand.make();
  expect(account(cluster, id)).toEqual([true, true]);
  world.queue.pokes = "lost";
  expect((await ada.delete(`/v1/members/${id}`)).status).toBe(200);
  world.queue.pokes = "kept";
  await world.drain();
  expect(account(cluster, id)).toEqual([true, true]);
  await world.sweep();
  expect(account(cluster, id)).toEqual([false, false]);
  const before = stand.still(cluster);
  await world.sweep(3);
  expect(stand.still(cluster)).toEqual(before);
});

test("an owner who goes while a worker holds the cluster's lease is seen to by that worker, without a poke", async () => {
  const { world } = stand;
  const id = await member({ role: "owner" });
  const cluster = await stand.make();
  let went = false;
  world.outside = async ({ table, when }) => {
    const leased = table?.changes?.some(({ edit }) => edit?.set?.["status"] !== undefined);
    if (went || leased !== true || when !== "before") return;
    went = true;
    world.queue.pokes = "lost";
    expect((await ada.delete(`/v1/members/${id}`)).status).toBe(200);
  };
  expect((await ada.patch(`/v1/clusters/${cluster}`, { labels: { team: "blue" } })).status).toBe(200);
  await world.drain();
  world.outside = undefined;
  expect(went).toBe(true);
  expect(account(cluster, id)).toEqual([false, false]);
});

test("of 50 clusters asked for at once as many are made as the tenant may have, on as many seats, and a removal makes room", async () => {
  const staff = await stand.world.staff();
  expect((await staff.patch(`/v1/home/tenants/${ada.tenant}`, { limits: { clusters: 4 } })).status).toBe(200);
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => ada.post("/v1/clusters", { name: `c${i}` })));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(4);
  const full = answers.filter(({ status }) => status === 429);
  expect(full).toHaveLength(46);
  expect(full[0]?.body).toMatchObject({ kind: "limit", detail: "The limit is 4 clusters, and 4 are used." });
  expect(full[0]?.headers.get("retry-after")).toBeNull();
  const rows = [...stand.world.tables.rows().keys()];
  expect(rows.filter((key) => key.includes("/cluster/"))).toHaveLength(4);
  expect(rows.filter((key) => key.includes("/seat/"))).toHaveLength(4);
  expect(await quota("clusters")).toEqual({ what: "clusters", used: 4, limit: 4 });
  await stand.world.drain();
  const id = text(answers.find(({ status }) => status === 201)?.body ?? {});
  await ada.delete(`/v1/clusters/${id}`);
  expect(await quota("clusters")).toMatchObject({ used: 4 });
  await stand.world.drain();
  expect(await quota("clusters")).toMatchObject({ used: 3 });
  expect((await ada.post("/v1/clusters", { name: "again" })).status).toBe(201);
  expect((await ada.post("/v1/clusters", { name: "more" })).status).toBe(429);
});

test("staff sees what a tenant uses beside a recount, changes title and rate, and lowers a limit below use", async () => {
  const { world } = stand;
  await named(stand);
  const staff = await world.staff();
  await member({});
  const path = `/v1/home/tenants/${ada.tenant}`;
  const quotas = async (): Promise<unknown> => (await staff.get(path)).body["quotas"];
  expect(await quotas()).toEqual([
    { what: "clusters", used: 0, limit: 20, counted: 0 },
    { what: "projects", used: 0, limit: 50, counted: 0 },
    { what: "members", used: 2, limit: 100, counted: 2 },
    { what: "teams", used: 0, limit: 100, counted: 0 },
    { what: "groups", used: 0, limit: 50, counted: 0 },
    { what: "grants", used: 0, limit: 1_000, counted: 0 },
    { what: "tokens", used: 1, limit: 200, counted: 1 },
    { what: "invites", used: 0, limit: 100, counted: 0 },
    { what: "requestsPerSecond", used: null, limit: 50, counted: null },
  ]);
  const said = { title: "Red Ltd", limits: { members: 1, requestsPerSecond: 7 } };
  expect((await staff.patch(path, said)).body).toMatchObject({ title: "Red Ltd", name: "red", state: "active" });
  expect((await ada.post("/v1/members", { name: "x", kind: "robot", role: "viewer" })).status).toBe(429);
  await world.clock.pass(10_000);
  expect(await quota("requestsPerSecond")).toEqual({ what: "requestsPerSecond", used: null, limit: 7 });
  expect(await quota("members")).toEqual({ what: "members", used: 2, limit: 1 });
  expect((await staff.get("/v1/home/tenants")).text).toContain("Red Ltd");
  expect((await staff.patch(path, {})).status).toBe(400);
  expect((await ada.get(path)).status).toBe(404);
});

/** A tenant of the world has no entry in the platform's directory, which a change by staff is written to. */
async function named({ world, ada: { tenant } }: Stand): Promise<void> {
  const row = world.tables.rows().get(`${tenant}/tenant/${tenant}`) as { name: string };
  const table = world.deps.home.table(world.deps.home.tenant);
  await table.write(table.insert({ name: "tenantName", schema: undefined as never }, row.name, row));
}
