import { expect, test } from "vitest";
import { clusterID, stub } from "./stub.ts";

const project = { id: "prj_01k0000000000000000000000p", name: "shop" };
const member = { id: "mbr_01k0000000000000000000000b", name: "bob" };
const because = {
  grant: "grt_01k0000000000000000000000g",
  group: "edit",
  groupName: "edit",
  scope: project.id,
  rule: { apiGroups: ["apps"], resources: ["deployments"], verbs: ["create"] },
  clusters: [clusterID],
};
const answer = (more: object = {}) => ({
  member,
  account: "mbr-01k0000000000000000000000b",
  clusters: [{ id: clusterID, allowed: true }],
  because: [because],
  allowed: true,
  ...more,
});
const no = { allowed: false, because: [], clusters: [{ id: clusterID, allowed: false }] };
const page = (...items: object[]) => ({ body: { items, next: null } });
const known = {
  "GET /v1/projects": () => page(project),
  "GET /v1/members": () => page({ ...member, state: "active" }),
};

/** The query of the last question, past what names were looked up by. */
const lastOf = ({ calls }: Awaited<ReturnType<typeof stub>>): Record<string, string> => {
  const asked = calls.findLast(({ path }) => /can-i|rights|who-can|unused/.test(path));
  return Object.fromEntries(asked?.query ?? []);
};

test("can-i ends with 0 for yes and 1 for no, says by what, and takes names and kubectl's resources", async () => {
  let body: object = answer();
  const api = await stub({ ...known, "GET /v1/can-i": () => ({ body }) });
  const yes = await api.run(["can-i", "create", "deployments.apps/scale", "--project", "shop", "--member", "bob"]);
  expect([yes.code, yes.out.split("\n")[0]]).toEqual([0, "yes"]);
  expect(yes.out).toContain("create on deployments.apps");
  expect(yes.out).toContain(because.grant);
  expect(yes.out).toContain("on project shop, by");
  expect(lastOf(api)).toEqual({
    project: project.id,
    member: member.id,
    verb: "create",
    resource: "deployments/scale",
    group: "apps",
  });
  body = answer(no);
  const refused = await api.run(["can-i", "get", "secrets", "--cluster", clusterID]);
  expect([refused.code, refused.out]).toEqual([1, "no\n"]);
  expect(refused.err).toContain(`Not on ${clusterID}`);
  expect(lastOf(api)).toEqual({
    cluster: clusterID,
    verb: "get",
    resource: "secrets",
  });
});

test("a token that lets nobody into clusters is a no, and one that needs the proxy is told so", async () => {
  let token = { enters: false, credential: true, scopes: ["grant:read"] };
  const api = await stub({ ...known, "GET /v1/can-i": () => ({ body: answer({ token }) }) });
  const args = ["can-i", "get", "pods", "--project", "shop"];
  const shut = await api.run(args);
  expect([shut.code, shut.err.includes("cluster:access")]).toEqual([1, true]);
  token = { ...token, enters: true, credential: false };
  const bound = await api.run(args);
  expect([bound.code, bound.err.includes("proxy")]).toEqual([0, true]);
});

test("a question without a place, a verb or a resource is written wrongly, and nothing is asked", async () => {
  const api = await stub(known);
  for (const args of [
    ["can-i", "get", "pods"],
    ["can-i", "--project", "shop"],
    ["can-i", "get", "--cluster", clusterID],
  ])
    expect((await api.run(args)).code, args.join(" ")).toBe(2);
  expect(api.calls.filter(({ path }) => path === "/v1/can-i")).toEqual([]);
  expect((await api.run(["can-i", "get", "pods", "--project", "none"])).code).toBe(4);
});

test("--list prints every rule, and is never a no", async () => {
  const { allowed: _, ...all } = answer();
  const api = await stub({ ...known, "GET /v1/can-i": () => ({ body: all }) });
  const listed = await api.run(["can-i", "--list", "--project", "shop"]);
  expect([listed.code, listed.out.includes("create on deployments.apps")]).toEqual([0, true]);
  expect(lastOf(api)).toEqual({ project: project.id });
});

test("--compare asks each cluster, shows where it differs, and ends with 1 when one does", async () => {
  const rule = { apiGroups: [""], resources: ["secrets"], verbs: ["get"], resourceNames: ["one"] };
  let told: object = { namespace: "shop", same: true, missing: [], extra: [], complete: true };
  const api = await stub({
    ...known,
    "GET /v1/can-i": () => ({ body: answer() }),
    [`GET /v1/kube/clusters/${clusterID}/rights`]: () => ({ body: told }),
  });
  const args = ["can-i", "--compare", "--project", "shop"];
  const same = await api.run(args);
  expect([same.code, same.out]).toEqual([0, `${clusterID}: as granted\n`]);
  expect(lastOf(api)).toEqual({ project: project.id });
  told = { namespace: "shop", same: false, missing: [], extra: [rule], complete: true };
  const differs = await api.run(args);
  expect(differs.code).toBe(1);
  expect(differs.out).toContain("extra: get on secrets named one");
});

test("who-can lists members by name with what gives it; grant unused says from when on it looked", async () => {
  const unused = {
    id: because.grant,
    subject: member.id,
    subjectName: "bob",
    groupName: "edit",
    scope: "tenant",
    lastUsedAt: null,
  };
  const api = await stub({
    ...known,
    "GET /v1/who-can": () => page({ member, everywhere: true, because: [because] }),
    "GET /v1/grants/unused": () => ({ body: { items: [unused], next: null, since: "2026-01-01T00:00:00.000Z" } }),
  });
  const who = await api.run(["who-can", "create", "deployments", "--project", "shop"]);
  expect(who.out).toMatch(/bob .* yes .*grt_01k0000000000000000000000g \(edit\)/);
  const idle = await api.run(["grant", "unused", "--days", "60"]);
  expect(idle.out).toMatch(/bob .* never/);
  expect(idle.err).toContain("2026-01-01");
  expect(lastOf(api)["days"]).toBe("60");
});
