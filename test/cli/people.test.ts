import { expect, test } from "vitest";
import { stub } from "./stub.ts";

const member = { id: "mbr_01k0000000000000000000000b", name: "bot", role: "viewer", kind: "robot", state: "active" };
const token = { id: "tok_01k0000000000000000000000t", name: "ci", member: member.id, state: "active", revokedAt: null };
const tenant = { id: "tnt_01k0000000000000000000000r", name: "red", title: "Red", state: "active" };
const page = (...items: object[]) => ({ body: { items, next: null } });

test("members are listed by filter, made, changed, and removed by name with --yes alone", async () => {
  const api = await stub({
    "GET /v1/members": () => page(member),
    "POST /v1/members": () => ({ status: 201, body: member }),
    [`PATCH /v1/members/${member.id}`]: () => ({ body: { ...member, role: "editor" } }),
    [`DELETE /v1/members/${member.id}`]: () => ({ body: member }),
  });
  const listed = await api.run(["member", "list", "--role", "viewer", "--state", "active"]);
  expect(listed.out).toContain("bot");
  expect(Object.fromEntries(api.calls[0]?.query ?? [])).toEqual({ role: "viewer", state: "active" });
  expect((await api.run(["member", "create", "bot", "--role", "viewer"])).code).toBe(0);
  expect(api.calls.at(-1)?.body).toEqual({ name: "bot", role: "viewer", kind: "robot" });
  expect((await api.run(["member", "update", "bot", "--role", "editor"])).out).toContain("editor");
  expect(api.calls.at(-1)?.body).toEqual({ role: "editor" });
  const unsaid = await api.run(["member", "remove", "bot"]);
  expect([unsaid.code, api.calls.filter(({ method }) => method === "DELETE")]).toEqual([2, []]);
  expect((await api.run(["member", "remove", "bot", "--yes"])).code).toBe(0);
  expect(api.calls.at(-1)?.method).toBe("DELETE");
  expect((await api.run(["member", "create", "bot"])).code).toBe(2);
});

test("a token is made for a robot by its name, rotated, and shown once on stdout", async () => {
  const api = await stub({
    "GET /v1/members": () => page(member),
    "GET /v1/tokens": () => page({ ...token, id: `${token.id.slice(0, -1)}0`, replacedBy: token.id }, token),
    "POST /v1/tokens": () => ({ status: 201, body: { ...token, token: "berth_new" } }),
    [`POST /v1/tokens/${token.id}/rotate`]: () => ({ status: 201, body: { ...token, token: "berth_next" } }),
    [`DELETE /v1/tokens/${token.id}`]: () => ({ body: token }),
  });
  const args = ["--member", "bot", "--scope", "cluster:read", "--expires-in-days", "7"];
  const made = await api.run(["token", "create", "ci", ...args, "-o", "json"]);
  expect(JSON.parse(made.out)).toMatchObject({ token: "berth_new" });
  expect(api.calls.at(-1)?.body).toEqual({
    name: "ci",
    scopes: ["cluster:read"],
    expiresInDays: 7,
    member: member.id,
  });
  expect((await api.run(["token", "create", "ci", "--expires", "36h", "--expires-in-days", "7"])).code).toBe(2);
  const next = await api.run(["token", "rotate", "ci", "--overlap", "10m"]);
  expect(next.out).toContain("berth_next");
  expect(api.calls.at(-1)).toMatchObject({ path: `/v1/tokens/${token.id}/rotate`, body: { overlapSeconds: 600 } });
  expect((await api.run(["token", "revoke", "ci"])).code).toBe(2);
  expect((await api.run(["token", "revoke", "ci", "--yes"])).code).toBe(0);
});

test("quotas are shown, and staff sees a counter that is wrong, suspends and limits", async () => {
  const quotas = [{ what: "clusters", used: 3, limit: 20, counted: 2 }];
  const api = await stub({
    "GET /v1/quotas": () => page({ what: "clusters", used: 3, limit: 20 }, { what: "rate", used: null, limit: 50 }),
    "GET /v1/home/tenants": () => page(tenant),
    [`GET /v1/home/tenants/${tenant.id}`]: () => ({ body: { ...tenant, quotas } }),
    [`PATCH /v1/home/tenants/${tenant.id}`]: () => ({ body: { ...tenant, quotas } }),
  });
  expect((await api.run(["quota"])).out).toMatch(/clusters +3 +20\nrate +- +50/);
  expect((await api.run(["tenant", "get", "red"])).out).toContain("clusters 3/20 (counted 2)");
  expect((await api.run(["tenant", "suspend", "red"])).code).toBe(2);
  expect((await api.run(["tenant", "suspend", "red", "--yes"])).code).toBe(0);
  expect(api.calls.at(-1)?.body).toEqual({ state: "suspended" });
  expect((await api.run(["tenant", "resume", "red"])).code).toBe(0);
  expect(api.calls.at(-1)?.body).toEqual({ state: "active" });
  expect((await api.run(["tenant", "limit", "red"])).code).toBe(2);
  expect((await api.run(["tenant", "limit", "red", "--clusters", "30", "--requests-per-second", "9"])).code).toBe(0);
  expect(api.calls.at(-1)?.body).toEqual({ limits: { clusters: 30, requestsPerSecond: 9 } });
});
