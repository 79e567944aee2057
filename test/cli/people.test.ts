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

const team = { id: "tem_01k0000000000000000000000m", name: "blue", title: "Blue", members: [member.id], claims: [] };
const pending = { confirmed: [], pending: [{ cluster: "cls_x", name: "red", why: "it does not answer" }] };

test("members are suspended, let in again, made owner and left by, and what a cluster does not hold yet is said", async () => {
  const api = await stub({
    "GET /v1/me": () => ({ body: { tenant, member, role: "owner" } }),
    "GET /v1/members": () => page(member),
    [`GET /v1/members/${member.id}`]: () => ({ body: member }),
    [`PATCH /v1/members/${member.id}`]: () => ({ body: { ...member, state: "suspended", confirmation: pending } }),
    [`POST /v1/members/${member.id}/transfer`]: () => ({ body: { ...member, role: "owner" } }),
    [`DELETE /v1/members/${member.id}`]: () => ({ body: { ...member, confirmation: pending } }),
    "DELETE /v1/me": () => ({ body: member }),
  });
  expect((await api.run(["member", "show", "bot"])).out).toContain(member.id);
  const suspended = await api.run(["member", "suspend", "bot"]);
  expect([suspended.code, suspended.err]).toEqual([0, "Not yet confirmed on red: it does not answer\n"]);
  expect(api.calls.at(-1)?.body).toEqual({ state: "suspended" });
  await api.run(["member", "resume", "bot"]);
  expect(api.calls.at(-1)?.body).toEqual({ state: "active" });
  expect((await api.run(["member", "remove", "bot", "--yes"])).err).toContain("Not yet confirmed on red");
  expect((await api.run(["member", "transfer", "bot"])).code).toBe(2);
  expect((await api.run(["member", "transfer", "bot", "--role", "viewer", "--yes"])).out).toContain("owner");
  expect(api.calls.at(-1)?.body).toEqual({ role: "viewer" });
  expect((await api.run(["member", "leave"])).code).toBe(2);
  expect((await api.run(["member", "leave", "--yes"])).code).toBe(0);
  expect(api.calls.at(-1)).toMatchObject({ method: "DELETE", path: "/v1/me" });
});

test("teams are made of members by their names, changed, and removed with --yes alone", async () => {
  const seat = `/v1/teams/${team.id}/members/${member.id}`;
  const api = await stub({
    "GET /v1/members": () => page(member),
    "GET /v1/teams": () => page(team),
    "POST /v1/teams": () => ({ status: 201, body: team }),
    [`GET /v1/teams/${team.id}`]: () => ({ body: team }),
    [`PATCH /v1/teams/${team.id}`]: () => ({ body: team }),
    [`DELETE /v1/teams/${team.id}`]: () => ({ body: { ...team, confirmation: pending } }),
    [`POST ${seat}`]: () => ({ body: team }),
    [`DELETE ${seat}`]: () => ({ body: { ...team, members: [], confirmation: pending } }),
  });
  expect((await api.run(["team", "list"])).out).toMatch(/blue +tem_\S+ +Blue +1/);
  await api.run(["team", "create", "blue", "--title", "Blue", "--member", "bot", "--claim", "a", "--claim", "b"]);
  expect(api.calls.at(-1)?.body).toEqual({ name: "blue", title: "Blue", members: [member.id], claims: ["a", "b"] });
  expect((await api.run(["team", "show", "blue"])).out).toContain(member.id);
  await api.run(["team", "update", "blue", "--title", "Blau"]);
  expect(api.calls.at(-1)?.body).toEqual({ title: "Blau" });
  await api.run(["team", "update", "blue", "--no-claims"]);
  expect(api.calls.at(-1)?.body).toEqual({ claims: [] });
  expect((await api.run(["team", "add", "blue", "bot"])).code).toBe(0);
  expect(api.calls.at(-1)).toMatchObject({ method: "POST", path: seat });
  expect((await api.run(["team", "drop", "blue", "bot"])).err).toContain("Not yet confirmed on red");
  expect(api.calls.at(-1)).toMatchObject({ method: "DELETE", path: seat });
  expect((await api.run(["team", "delete", "blue"])).code).toBe(2);
  expect((await api.run(["team", "delete", "blue", "--yes"])).err).toContain("Not yet confirmed on red");
});

test("an invite's link is printed once, and who accepts it is signed in to the link's own server", async () => {
  const invite = { id: "inv_01k0000000000000000000000n", name: "Bob", role: "viewer", state: "open", teams: [] };
  const api = await stub({
    "GET /v1/teams": () => page(team),
    "GET /v1/invites": () => page(invite),
    "POST /v1/invites": () => ({ status: 201, body: { ...invite, link: "https://x.test/#/invite/berth_inv_y" } }),
    [`DELETE /v1/invites/${invite.id}`]: () => ({ body: { ...invite, state: "revoked" } }),
    "POST /v1/invites/accept": () => ({
      status: 201,
      body: {
        tenant,
        member: { ...member, name: "Bob" },
        token: "berth_of_bob",
        expiresAt: "2026-02-01T00:00:00.000Z",
      },
    }),
    "GET /v1/me": ({ headers }) =>
      headers["authorization"] === "Bearer berth_of_bob"
        ? { body: { tenant, member: { ...member, name: "Bob" } } }
        : { status: 401, body: {} },
  });
  const args = ["--team", "blue", "--grant", "view@tenant", "--grant", "edit@prj_x", "--expires-in-days", "7"];
  const made = await api.run(["invite", "create", "Bob", ...args]);
  expect(made.out).toContain("https://x.test/#/invite/berth_inv_y");
  expect(api.calls.at(-1)?.body).toEqual({
    name: "Bob",
    role: "viewer",
    teams: [team.id],
    grants: [
      { group: "view", scope: "tenant" },
      { group: "edit", scope: "prj_x" },
    ],
    expiresInDays: 7,
  });
  expect((await api.run(["invite", "create", "--grant", "view"])).code).toBe(2);
  expect((await api.run(["invite", "list", "--state", "open"])).out).toContain("Bob");
  expect((await api.run(["invite", "revoke", "Bob", "--yes"])).out).toContain("revoked");
  const link = `${api.url}/#/invite/berth_inv_y`;
  const signedOut = { BERTH_SERVER: "", BERTH_TOKEN: "" };
  const came = await api.run(["invite", "accept", link, "--name", "Bob 🚢"], { env: signedOut });
  expect([came.code, came.out.includes("berth_of_bob")]).toEqual([0, false]);
  const asked = api.calls.at(-1);
  expect([asked?.body, asked?.headers["authorization"]]).toEqual([{ invite: link, name: "Bob 🚢" }, undefined]);
  expect((await api.run(["whoami"], { env: signedOut })).out).toContain("Bob");
  expect((await api.run(["invite", "accept", "berth_inv_y"], { env: { ...signedOut, HOME: "/nowhere" } })).code).toBe(
    2,
  );
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
  const more = ["--projects", "1", "--teams", "2", "--groups", "3", "--grants", "4", "--invites", "5"];
  expect((await api.run(["tenant", "limit", "red", ...more])).code).toBe(0);
  const limits = { projects: 1, teams: 2, groups: 3, grants: 4, invites: 5 };
  expect(api.calls.at(-1)?.body).toEqual({ limits });
});
