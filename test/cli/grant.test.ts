import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clusterID, type Routes, stub } from "./stub.ts";

const bob = { id: "mbr_01k0000000000000000000000b", name: "bob" };
const team = { id: "tem_01k0000000000000000000000d", name: "devs" };
const project = { id: "prj_01k0000000000000000000000p", name: "shop" };
const view = { id: "view", name: "view", title: "To see", builtin: true, rules: [], warnings: [], generation: 1 };
const own = {
  id: "grp_01k0000000000000000000000g",
  name: "deployers",
  title: "Deployers",
  builtin: false,
  rules: [{ apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "patch"] }],
  clusterRules: [],
  warnings: ["rules.0, x on y, is bad."],
  generation: 3,
};
const grant = {
  id: "grt_01k0000000000000000000000t",
  subject: bob.id,
  group: own.id,
  scope: project.id,
  state: "active",
  generation: 1,
};
const confirmation = { confirmed: [], pending: [{ cluster: clusterID, name: "red", why: "It does not answer." }] };
const page = (...items: object[]) => ({ body: { items, next: null } });
const things: Routes = {
  "GET /v1/members": () => page(bob),
  "GET /v1/teams": () => page(team),
  "GET /v1/groups": () => page(view, own),
  "GET /v1/clusters": () => page({ id: clusterID, name: "red" }),
  "GET /v1/projects": () => page(project),
  "GET /v1/grants": () => page(grant),
  "POST /v1/grants": () => ({ status: 201, body: { ...grant, confirmation } }),
  "POST /v1/grants/requests": () => ({ status: 201, body: { ...grant, state: "requested" } }),
  [`POST /v1/grants/${grant.id}/approve`]: () => ({ body: { ...grant, confirmation } }),
  [`POST /v1/grants/${grant.id}/deny`]: () => ({ body: grant }),
  [`DELETE /v1/grants/${grant.id}`]: () => ({ body: { ...grant, confirmation } }),
  [`GET /v1/groups/${own.id}`]: () => ({ body: own }),
  "POST /v1/groups": () => ({ status: 201, body: own }),
  [`PATCH /v1/groups/${own.id}`]: () => ({ body: { ...own, confirmation } }),
  [`DELETE /v1/groups/${own.id}`]: () => ({ body: { ...own, confirmation } }),
};
const sent = (api: Awaited<ReturnType<typeof stub>>, method: string): unknown =>
  api.calls.findLast((call) => call.method === method)?.body;

test("a grant is made by names, of a member or a team, on the tenant, a cluster or a project", async () => {
  const api = await stub(things);
  const made = await api.run(["grant", "create", "bob", "deployers", "--on", "project", "shop", "--expires", "36h"]);
  expect(made.code).toBe(0);
  expect(sent(api, "POST")).toEqual({ subject: bob.id, group: own.id, scope: project.id, expiresInDays: 2 });
  expect(made.out).toContain("project shop");
  expect(made.err).toContain("Not yet confirmed on red: It does not answer.");
  await api.run(["grant", "create", "devs", "view", "--on", "cluster", "red", "--reason", "on call"]);
  expect(sent(api, "POST")).toEqual({ subject: team.id, group: "view", scope: clusterID, reason: "on call" });
  await api.run(["grant", "create", bob.id, "view", "--on", "tenant"]);
  expect(sent(api, "POST")).toEqual({ subject: bob.id, group: "view", scope: "tenant" });
});

test("a scope that is no scope, and names that nobody has, end the command before anything is asked for", async () => {
  const api = await stub(things);
  const codes = async (...args: string[]) => (await api.run(["grant", "create", ...args])).code;
  expect(await codes("bob", "view")).toBe(2);
  expect(await codes("bob", "view", "--on", "galaxy", "far")).toBe(2);
  expect(await codes("bob", "view", "--on", "cluster")).toBe(2);
  expect(await codes("nobody", "view", "--on", "tenant")).toBe(4);
  expect(await codes("bob", "nothing", "--on", "tenant")).toBe(4);
  expect(await codes("bob", "view", "--on", "project", "none")).toBe(4);
  expect(sent(api, "POST")).toBeUndefined();
});

test("a name that a member and a team share has to be said as an id", async () => {
  const api = await stub({ ...things, "GET /v1/teams": () => page({ ...team, name: "bob" }) });
  const { code, err } = await api.run(["grant", "create", "bob", "view", "--on", "tenant"]);
  expect([code, err]).toEqual([2, expect.stringContaining("say the id")]);
});

test("grants are listed with names for ids, by filters, and as the API tells them with -o json", async () => {
  const api = await stub(things);
  const { out } = await api.run(["grant", "list", "--subject", "devs", "--group", "view", "--on", "tenant"]);
  expect(out).toMatch(/bob +deployers +project shop +active/);
  const query = api.calls.find(({ path }) => path === "/v1/grants")?.query;
  expect(Object.fromEntries(query ?? [])).toEqual({ subject: team.id, group: "view", scope: "tenant" });
  const told = await api.run(["grant", "list", "--state", "requested", "-o", "json"]);
  expect(JSON.parse(told.out)).toEqual({ items: [grant], next: null });
});

test("one asks with a reason; others approve, deny and take back, and are told who has not heard", async () => {
  const api = await stub(things);
  expect((await api.run(["grant", "request", "view", "--on", "tenant"])).code).toBe(2);
  const asking = ["grant", "request", "view", "--on", "project", "shop", "--reason", "on call", "--expires", "7d"];
  expect((await api.run(asking)).out).toContain("requested");
  expect(sent(api, "POST")).toEqual({ group: "view", scope: project.id, reason: "on call", expiresInDays: 7 });
  expect((await api.run(["grant", "approve", grant.id])).err).toContain("Not yet confirmed on red");
  expect((await api.run(["grant", "deny", grant.id])).code).toBe(0);
  const gone = await api.run(["grant", "delete", grant.id, "-o", "json"]);
  expect(gone.err).toContain("Not yet confirmed on red");
  expect(JSON.parse(gone.out)).toEqual({ ...grant, confirmation });
});

test("a group is made and changed from a file, in our form or a ClusterRole's, and warned of", async () => {
  const api = await stub(things);
  const file = (name: string, text: string): string => {
    const path = join(api.home, name);
    writeFileSync(path, text);
    return path;
  };
  const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
  const role = file(
    "role.yaml",
    `kind: ClusterRole\nmetadata: {name: x}\nrules:\n- apiGroups: [""]\n  resources: [pods]\n  verbs: [get]\n`,
  );
  const made = await api.run(["group", "create", "deployers", "--file", role, "--title", "Deployers"]);
  expect(sent(api, "POST")).toEqual({ name: "deployers", rules, title: "Deployers" });
  expect([made.out, made.err]).toEqual([
    expect.stringContaining("get,patch on deployments.apps"),
    expect.stringContaining("Beware: rules.0"),
  ]);
  const both = file("both.json", JSON.stringify({ rules, clusterRules: rules }));
  const changed = await api.run(["group", "update", "deployers", "--file", both]);
  expect(sent(api, "PATCH")).toEqual({ rules, clusterRules: rules });
  expect(api.calls.at(-1)?.headers["if-match"]).toBe('"3"');
  expect(changed.err).toContain("Not yet confirmed on red");
  for (const bad of [file("bad.yaml", "name: x"), file("worse.yaml", "a: [b"), join(api.home, "none")])
    expect((await api.run(["group", "create", "x", "--file", bad])).code).toBe(2);
});

test("groups are listed and shown by name, and removed with --yes alone", async () => {
  const api = await stub(things);
  expect((await api.run(["group", "list"])).out).toMatch(/view +view +To see +yes/);
  expect((await api.run(["group", "show", "deployers"])).out).toContain("get,patch on deployments.apps");
  expect((await api.run(["group", "delete", "deployers"])).code).toBe(2);
  expect(api.calls.filter(({ method }) => method === "DELETE")).toEqual([]);
  expect((await api.run(["group", "delete", "deployers", "--yes"])).code).toBe(0);
  expect(api.calls.at(-1)).toMatchObject({ method: "DELETE", path: `/v1/groups/${own.id}` });
});
