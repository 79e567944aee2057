import { beforeEach, expect, test } from "vitest";
import { newStand, type Stand } from "./stand.ts";
import { KubeFault, type Asked } from "#core/context.ts";
import { kubeName } from "#core/id.ts";
import type { Person } from "../world/index.ts";

let stand: Stand;
let red: string;
let blue: string;
let shop: string;
/** Edits in the project `shop`, which is on both clusters, and has a right nowhere else. */
let bob: Person;
beforeEach(async () => {
  stand = await newStand();
  red = await stand.make();
  blue = await stand.make({ name: "two" });
  shop = await stand.space("shop", [red, blue]);
  bob = await stand.world.member(stand.ada.tenant, "viewer");
  await stand.give(bob.member, "edit", shop);
});

const at = (path: string, id = red): string => `/v1/kube/${id}${path}`;
const maps = "/api/v1/namespaces/shop/configmaps";
const map = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { a: "1" } });
const put = (name: string, id = red): void =>
  void stand.inside(id).objects.create({ ...map(name), metadata: { name, namespace: "shop" } });

test("who has a right there reads and writes what it covers, and the cluster itself refuses the rest", async () => {
  expect(await bob.post(at(maps), map("one"))).toMatchObject({ status: 201, body: { kind: "ConfigMap" } });
  expect(await bob.get(at(`${maps}/one`))).toMatchObject({ status: 200, body: { data: { a: "1" } } });
  expect(await bob.get(at(`${maps}/two`))).toMatchObject({ status: 404, body: { kind: "Status", code: 404 } });
  const refused = await bob.get(at("/api/v1/namespaces/berth-members/secrets"));
  expect(refused).toMatchObject({ status: 403, body: { kind: "Status", reason: "Forbidden" } });
  expect(refused.text).toContain(`system:serviceaccount:berth-members:${kubeName(bob.member)}`);
  expect((await bob.get(at("/api/v1/nodes"))).status).toBe(403);
  expect((await stand.ada.get(at("/api/v1/nodes"))).status).toBe(200);
  expect(await bob.delete(at(`${maps}/one`), undefined)).toMatchObject({ status: 200, body: { status: "Success" } });
});

test("an answer can be no page: its type is Kubernetes', it is sandboxed, and of its headers few come along", async () => {
  const { headers } = await bob.get(at(maps));
  expect(Object.fromEntries(headers)).toMatchObject({
    "content-type": "application/json",
    "content-security-policy": "sandbox",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "audit-id": "audit",
  });
  expect([...headers.keys()].filter((name) => name.startsWith("x-kubernetes"))).toEqual([]);
});

test("without a right there is no way in, and nothing is left in the cluster", async () => {
  const eve = await stand.world.member(stand.ada.tenant, "editor");
  const before = stand.inside(red).objects.all().length;
  const answer = await eve.get(at(maps));
  expect(answer).toMatchObject({ status: 403, body: { detail: "You have no right in this cluster." } });
  expect(stand.inside(red).objects.all()).toHaveLength(before);
});

test("another tenant's cluster is as one that never was", async () => {
  const mallory = await stand.world.tenant("blue");
  const said = async (id: string) => {
    const { status, body } = await mallory.get(at("/version", id));
    return { status, detail: body["detail"] };
  };
  expect(await said(red)).toEqual(await said("cls_01k00000000000000000000001"));
  expect((await said(red)).status).toBe(404);
});

test("a token that is not scoped for it, or bound to another cluster, gets none", async () => {
  const { world, ada } = stand;
  const weak = await world.member(ada.tenant, "owner", ["cluster:read"]);
  expect((await weak.get(at(maps))).status).toBe(403);
  const made = await ada.post("/v1/tokens", { name: "ci", clusters: [blue] });
  const bound = world.as(String(made.body["token"]));
  expect((await bound.get(at(maps))).status).toBe(403);
  expect((await bound.get(at(maps, blue))).status).toBe(200);
  expect((await bound.post(`/v1/kube/clusters/${red}/token`, {})).status).toBe(403);
  expect((await bound.post(`/v1/kube/clusters/${blue}/token`, {})).status).toBe(201);
});

test("a token that is bound to a project reaches its namespaces and discovery, and gets no token of a cluster", async () => {
  const { world, ada } = stand;
  await stand.space("till", [red]);
  const made = await ada.post("/v1/tokens", { name: "ci", projects: [shop] });
  const bound = world.as(String(made.body["token"]));
  for (const path of [maps, "/api/v1/namespaces/shop", "/version", "/apis"])
    expect([path, (await bound.get(at(path))).status]).toEqual([path, 200]);
  const beyond = ["/api/v1/namespaces/till/configmaps", "/api/v1/namespaces", "/api/v1/configmaps", "/api/v1/nodes"];
  for (const path of beyond) expect([path, (await bound.get(at(path))).status]).toEqual([path, 403]);
  expect((await bound.delete(at("/api/v1/namespaces/shop"))).status).toBe(403);
  const token = await bound.post(`/v1/kube/clusters/${red}/token`, {});
  expect(token).toMatchObject({ status: 403, body: { detail: expect.stringContaining("bound to projects") } });
});

test("what says who asks is never the caller's to say", async () => {
  const seen: Asked[] = [];
  const kube = stand.world.kubes.kube;
  stand.world.kubes.kube = (target) => {
    const inner = kube(target);
    return { ...inner, pass: async (asked) => (seen.push(asked), await inner.pass(asked)) };
  };
  const smuggled = {
    "Impersonate-User": "system:admin",
    "Impersonate-Group": "system:masters",
    "Impersonate-Uid": "0",
    "Impersonate-Extra-Scopes": "all",
    "X-Remote-User": "system:admin",
    "X-Remote-Group": "system:masters",
    "X-Remote-Extra-Scopes": "all",
    "Proxy-Authorization": "Basic x",
    Cookie: "session=x",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Host": "home",
    "X-Forwarded-User": "admin",
    Forwarded: "for=127.0.0.1",
    Te: "trailers",
    "Accept-Encoding": "gzip",
    "X-Http-Method-Override": "DELETE",
    Accept: "application/json",
  };
  expect((await bob.get(at("/api/v1/nodes"), smuggled)).status).toBe(403);
  expect(seen.map(({ headers }) => headers)).toEqual([{ "user-agent": "berth", accept: "application/json" }]);
});

test.each([{ Upgrade: "websocket" }, { Connection: "keep-alive, Upgrade" }, { "Sec-WebSocket-Key": "x" }])(
  "an upgrade goes no further: %o",
  async (headers) => {
    const before = stand.inside(red).count("pass");
    const answer = await bob.get(at(maps), headers);
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining("use kubectl") } });
    expect(stand.inside(red).count("pass")).toBe(before);
  },
);

test("a list comes in pages that go on, however much was asked for", async () => {
  for (let i = 0; i < 501; i += 1) put(`map-${i}`);
  const first = await bob.get(at(`${maps}?limit=9999`));
  expect(first.body["items"]).toHaveLength(500);
  const { continue: next } = first.body["metadata"] as { continue: string };
  expect((await bob.get(at(`${maps}?continue=${next}`))).body["items"]).toHaveLength(1);
});

test("a body may be larger than the API's own, up to 3 MB, and an answer up to 6 MB", async () => {
  const large = { ...map("one"), data: { a: "x".repeat(1_000_000) } };
  expect((await bob.post(at(maps), large)).status).toBe(201);
  const huge = { ...map("two"), data: { a: "x".repeat(3_200_000) } };
  expect(await bob.post(at(maps), huge)).toMatchObject({ status: 413, body: { kind: "large" } });
  for (let i = 0; i < 7; i += 1) {
    stand.inside(red).objects.create({ ...large, metadata: { name: `map-${i}`, namespace: "shop" } });
  }
  expect(await bob.get(at(maps))).toMatchObject({ status: 413, body: { kind: "large" } });
  expect((await bob.get(at(`${maps}?limit=2`))).status).toBe(200);
});

test("an answer of another type is not passed on, nor what is in it", async () => {
  const kube = stand.world.kubes.kube;
  stand.world.kubes.kube = (target) => ({
    ...kube(target),
    pass: async () => ({
      status: 200,
      headers: { "content-type": "text/html", "set-cookie": "a=b" },
      body: (async function* () {
        yield Buffer.from("<script>alert(1)</script>");
      })(),
    }),
  });
  const answer = await bob.get(at(maps));
  expect(answer).toMatchObject({ status: 503, body: { kind: "unavailable" } });
  expect(answer.text).not.toContain("script");
  expect(answer.headers.get("set-cookie")).toBeNull();
});

test("a cluster that is away is said so, at once or after 25 s", async () => {
  const { world, ada } = stand;
  expect((await ada.get(at(maps))).status).toBe(200);
  const fault = new KubeFault("unavailable", "pass: ECONNREFUSED");
  stand.inside(red).troubles.push({ match: ({ verb }) => verb === "pass", fault, when: "before", times: 1 });
  const dead = await ada.get(at(maps));
  expect(dead).toMatchObject({ status: 503, body: { detail: "The cluster does not answer." } });
  expect(dead.headers.get("retry-after")).toBe("2");
  world.outside = async ({ kube, when }) => {
    if (kube?.verb === "pass" && when === "before") await world.clock.sleep(600_000);
  };
  const begun = Date.parse(world.clock.now());
  expect(await world.run(ada.get(at(maps)))).toMatchObject({ status: 503 });
  expect(Date.parse(world.clock.now()) - begun).toBe(25_000);
  world.outside = undefined;
  expect((await ada.get(at(maps))).status).toBe(200);
});

test("the member's own token is got once and kept, and one that the cluster takes no more is got anew", async () => {
  const { world } = stand;
  const { objects } = stand.inside(red);
  const tokens = (): number => stand.inside(red).count("token");
  const before = tokens();
  await Promise.all([bob.get(at(maps)), bob.get(at(maps)), bob.get(at(maps))]);
  expect((await bob.get(at(maps))).status).toBe(200);
  expect(tokens()).toBe(before + 1);
  await world.clock.pass(481_000);
  expect((await bob.get(at(maps))).status).toBe(200);
  expect(tokens()).toBe(before + 2);
  const sessions = { apiVersion: "v1", kind: "Secret", namespace: "berth-members" };
  for (const { metadata } of objects.list(sessions)) objects.remove({ ...sessions, name: metadata.name }, metadata);
  expect((await bob.get(at(maps))).status).toBe(200);
  // One was asked for by the Secret that had gone, and then one by a new one.
  expect(tokens()).toBe(before + 4);
});

test("who lost its right, its membership or its token loses the way in", async () => {
  const { world, ada } = stand;
  expect((await bob.get(at(maps))).status).toBe(200);
  const [grant] = ((await ada.get(`/v1/grants?subject=${bob.member}`)).body["items"] as { id: string }[]) ?? [];
  await stand.does("DELETE", `/v1/grants/${grant?.id}`);
  const gone = await bob.get(at(maps));
  expect([401, 403]).toContain(gone.status);
  await stand.give(bob.member, "view", shop);
  expect((await bob.get(at(maps))).status).toBe(200);
  await stand.does("PATCH", `/v1/members/${bob.member}`, { state: "suspended" });
  await world.clock.pass(10_000);
  expect((await bob.get(at(maps))).status).toBe(401);
});
