import { beforeEach, expect, test } from "vitest";
import type { Role } from "#core/role.ts";
import { rowID, tokenKind } from "#core/token/schema.ts";
import { newStand, type Person, type Stand } from "./stand.ts";

let stand: Stand;
let ada: Person;
let cluster: string;
let shop: string;
beforeEach(async () => {
  stand = await newStand();
  ({ ada } = stand);
  cluster = await stand.make();
  shop = await stand.space("shop", [cluster]);
});
const rows = (kind: string): Record<string, unknown>[] =>
  [...stand.world.tables.rows()].filter(([key]) => key.startsWith(`${ada.tenant}/${kind}/`)).map(([, row]) => row);
/** All that a refused request must leave as it is. */
const state = () => JSON.stringify([rows("grant"), rows("group"), rows("audit"), rows("outbox"), rows("given")]);
const member = (role: Role): Promise<Person> => stand.world.member(ada.tenant, role);
const grantOf = (subject: string, group: string, scope: string) => ({ subject, group, scope });
const bindings = (): string[] => stand.names(cluster, "RoleBinding").filter((name) => name.startsWith("shop/"));
/** The fields that a refusal names. */
const fields = (body: Record<string, unknown>): string[] =>
  ((body["errors"] ?? []) as { field: string }[]).map(({ field }) => field);

test("a grant above one's own is refused with the rule's name, and nothing is written", async () => {
  const [eve, bob] = [await member("editor"), await member("viewer")];
  await stand.give(eve.member, "admin", shop);
  const rules = [{ apiGroups: [""], resources: ["resourcequotas"], verbs: ["patch"] }];
  const made = await ada.post("/v1/groups", { name: "quotas", rules });
  expect(made.status).toBe(201);
  const before = state();
  const above = await eve.post("/v1/grants", grantOf(bob.member, String(made.body["id"]), shop));
  expect([above.status, above.body["detail"]]).toEqual([403, expect.stringContaining("patch on resourcequotas")]);
  const wider = await eve.post("/v1/grants", grantOf(bob.member, "view", "tenant"));
  expect([wider.status, fields(wider.body)]).toEqual([403, ["group"]]);
  const owner = await eve.post("/v1/grants", grantOf(bob.member, "owner", shop));
  expect([owner.status, owner.body["detail"]]).toEqual([403, expect.stringContaining("Only an owner")]);
  const group = await eve.post("/v1/groups", { name: "own", rules });
  expect([group.status, group.body["detail"]]).toEqual([403, expect.stringContaining("patch on resourcequotas")]);
  expect(state()).toBe(before);
});

test("what is granted is bound in the project's namespace, and what is taken back is gone when it is answered", async () => {
  const bob = await member("viewer");
  const made = await ada.post("/v1/grants", grantOf(bob.member, "edit", shop));
  expect([made.status, made.headers.get("etag")]).toEqual([201, '"1"']);
  expect(made.headers.get("location")).toBe(`/v1/grants/${String(made.body["id"])}`);
  await stand.world.drain();
  expect(bindings().length).toBe(1);
  const gone = await ada.delete(`/v1/grants/${String(made.body["id"])}`);
  expect(gone.body).toMatchObject({ id: made.body["id"], confirmation: { confirmed: [cluster], pending: [] } });
  expect(bindings()).toEqual([]);
  expect(rows("outbox")).toEqual([]);
});

test("a grant with an end ends by the clock alone, on the cluster too", async () => {
  const bob = await member("viewer");
  await stand.give(bob.member, "view", shop, { expiresInDays: 1 });
  expect(bindings().length).toBe(1);
  await stand.world.clock.pass(86_400_000);
  await stand.world.sweep(2);
  expect([rows("grant"), bindings()]).toEqual([[], []]);
  const audit = await ada.get("/v1/audit?verb=grant:expired");
  expect(audit.body["items"]).toMatchObject([{ actor: { member: "system" } }]);
});

test("a viewer asks, an owner approves, and the right is there; who is denied has nothing", async () => {
  const [bob, eve] = [await member("viewer"), await member("viewer")];
  const ask = { group: "view", scope: shop, reason: "on call", expiresInDays: 7 };
  const first = await bob.post("/v1/grants/requests", ask);
  expect([first.status, first.body["state"]]).toEqual([201, "requested"]);
  await stand.world.drain();
  expect(bindings()).toEqual([]);
  expect((await bob.post(`/v1/grants/${String(first.body["id"])}/approve`)).status).toBe(403);
  const waiting = await ada.get("/v1/grants?state=requested");
  expect(waiting.body["items"]).toMatchObject([{ id: first.body["id"], reason: "on call" }]);
  expect((await ada.post(`/v1/grants/${String(first.body["id"])}/approve`)).status).toBe(200);
  await stand.world.drain();
  expect(bindings().length).toBe(1);
  const second = await eve.post("/v1/grants/requests", ask);
  expect((await ada.post(`/v1/grants/${String(second.body["id"])}/deny`)).status).toBe(200);
  await stand.world.drain();
  expect([bindings().length, rows("grant").length]).toEqual([1, 1]);
});

test("a wrong condition is 412, a sent-again change one change, and input that is none names its field", async () => {
  const bob = await member("viewer");
  const what = grantOf(bob.member, "view", shop);
  const key = { "Idempotency-Key": "once" };
  const [one, two] = [await ada.post("/v1/grants", what, key), await ada.post("/v1/grants", what, key)];
  expect([one.status, two.status, two.body["id"]]).toEqual([201, 201, one.body["id"]]);
  const twice = await ada.post("/v1/grants", what);
  expect([twice.status, twice.body["detail"]]).toEqual([409, expect.stringContaining(String(one.body["id"]))]);
  const path = `/v1/grants/${String(one.body["id"])}`;
  const stale = await ada.delete(path, undefined, { "If-Match": '"9"' });
  expect([stale.status, stale.headers.get("etag")]).toEqual([412, '"1"']);
  const bad = await ada.post("/v1/grants", { subject: "bob", group: "boss", scope: "galaxy", expiresInDays: 0 });
  expect([bad.status, fields(bad.body).sort()]).toEqual([400, ["expiresInDays", "group", "scope", "subject"]]);
  expect((await ada.post("/v1/grants/requests", { group: "view", scope: shop })).status).toBe(400);
});

test("a key that first met a grant that was over is kept for the new one, not for the end of the old", async () => {
  const bob = await member("viewer");
  const what = grantOf(bob.member, "view", shop);
  await stand.give(bob.member, "view", shop, { expiresInDays: 1 });
  await stand.world.clock.pass(86_400_000);
  const key = { "Idempotency-Key": "anew" };
  const [one, two] = [await ada.post("/v1/grants", what, key), await ada.post("/v1/grants", what, key)];
  expect([one.status, two.status, two.body["id"]]).toEqual([201, 201, one.body["id"]]);
  expect(rows("grant")).toMatchObject([{ id: one.body["id"] }]);
});

test("another tenant's members, groups, clusters, projects and grants are not there", async () => {
  const bob = await member("viewer");
  const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
  const group = String((await ada.post("/v1/groups", { name: "own", rules })).body["id"]);
  const grant = await stand.give(bob.member, group, shop);
  const blue = await stand.world.tenant("blue");
  const mine = (await stand.world.member(blue.tenant, "viewer")).member;
  const before = state();
  for (const [body, field] of [
    [grantOf(bob.member, "view", "tenant"), "subject"],
    [grantOf(mine, group, "tenant"), "group"],
    [grantOf(mine, "view", shop), "scope"],
    [grantOf(mine, "view", cluster), "scope"],
  ] as const) {
    const answer = await blue.post("/v1/grants", body);
    expect([answer.status, fields(answer.body)]).toEqual([404, [field]]);
  }
  for (const [method, path] of [
    ["GET", `/v1/grants/${grant}`],
    ["DELETE", `/v1/grants/${grant}`],
    ["POST", `/v1/grants/${grant}/approve`],
    ["POST", `/v1/grants/${grant}/deny`],
    ["GET", `/v1/groups/${group}`],
    ["DELETE", `/v1/groups/${group}`],
  ] as const)
    expect((await blue.call(method, path)).status, `${method} ${path}`).toBe(404);
  expect((await blue.get("/v1/grants")).body["items"]).toEqual([]);
  expect(state()).toBe(before);
});

test("viewers read groups and grants, ask for themselves, and write none", async () => {
  const [bob, eve] = [await member("viewer"), await member("viewer")];
  await stand.give(bob.member, "admin", shop);
  const grant = await stand.give(eve.member, "view", shop);
  const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
  const before = state();
  for (const [method, path, body] of [
    ["POST", "/v1/grants", grantOf(eve.member, "edit", shop)],
    ["DELETE", `/v1/grants/${grant}`, undefined],
    ["POST", "/v1/groups", { name: "own", rules }],
  ] as const)
    expect((await bob.call(method, path, body)).status, path).toBe(403);
  expect(state()).toBe(before);
  expect((await bob.get("/v1/grants")).status).toBe(200);
  const groups = (await bob.get("/v1/groups?limit=2")).body["items"] as { id: string }[];
  expect(groups.map(({ id }) => id)).toEqual(["owner", "admin"]);
});

test("a token that is bound to a project or a cluster gives nothing elsewhere, also in its owner's hands", async () => {
  const bob = await member("viewer");
  const blog = await stand.space("blog", [cluster]);
  const bind = async (set: { clusters?: string[]; projects?: string[] }): Promise<Person> => {
    const owner = await member("owner");
    const table = stand.world.deps.home.table(ada.tenant);
    await table.edit(tokenKind, rowID(owner.member, owner.token.id), { set });
    return owner;
  };
  const project = await bind({ projects: [shop] });
  const elsewhere = await stand.give(bob.member, "audit", blog);
  const before = state();
  for (const scope of [blog, cluster, "tenant"])
    expect((await project.post("/v1/grants", grantOf(bob.member, "view", scope))).status, scope).toBe(403);
  expect((await project.delete(`/v1/grants/${elsewhere}`)).status).toBe(403);
  expect(state()).toBe(before);
  expect((await project.post("/v1/grants", grantOf(bob.member, "view", shop))).status).toBe(201);
  const listed = (await project.get("/v1/grants")).body["items"] as { scope: string }[];
  expect(listed.map(({ scope }) => scope)).toEqual([shop]);
  const on = await bind({ clusters: [cluster] });
  expect((await on.post("/v1/grants", grantOf(bob.member, "view", "tenant"))).status).toBe(403);
  expect((await on.post("/v1/grants", grantOf(bob.member, "view", cluster))).status).toBe(201);
});

test("a group's new rules are on the cluster when they were told; given, it is not removed", async () => {
  const bob = await member("viewer");
  const rule = (verb: string) => [{ apiGroups: [""], resources: ["pods"], verbs: [verb] }];
  const made = await ada.post("/v1/groups", { name: "own", rules: rule("get") });
  const id = String(made.body["id"]);
  const grant = await stand.give(bob.member, id, shop);
  const held = (): unknown =>
    [...stand.kept(cluster).values()].find((one) => one.metadata.name === `berth:${id.replace("_", "-")}`)?.["rules"];
  expect(held()).toEqual(rule("get"));
  const changed = await ada.patch(`/v1/groups/${id}`, { rules: rule("list") }, { "If-Match": '"1"' });
  expect([changed.status, changed.body["confirmation"]]).toEqual([200, { confirmed: [cluster], pending: [] }]);
  expect(held()).toEqual(rule("list"));
  expect((await ada.delete(`/v1/groups/${id}`)).status).toBe(409);
  await ada.delete(`/v1/grants/${grant}`);
  expect((await ada.delete(`/v1/groups/${id}`)).status).toBe(200);
  await stand.world.drain();
  expect(held()).toBeUndefined();
});
