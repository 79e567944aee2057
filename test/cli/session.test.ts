import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { launcher, problem, stub, type Routes } from "./stub.ts";

const me = { tenant: { id: "tnt_a", name: "acme" }, member: { id: "mbr_a", name: "ada", role: "owner" }, token: null };
const known: Routes = {
  "GET /v1/me": ({ headers }) =>
    headers.authorization === "Bearer good" ? { body: me } : problem(401, "unauthenticated"),
};
const alone = { BERTH_TOKEN: "", BERTH_SERVER: "" };

test("login keeps server and token for the owner's eyes only, and logout forgets them", async () => {
  const api = await stub(known);
  const file = join(api.home, ".config", "berth", "config.json");
  expect(
    (await api.run(["login", "--server", `${api.url}/`, "--token-stdin"], { env: alone, input: "good\n" })).code,
  ).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ server: api.url, token: "good" });
  expect((await api.run(["whoami"], { env: alone })).out).toMatch(/Member +ada/);
  expect((await api.run(["logout"], { env: alone })).code).toBe(0);
  expect(existsSync(file)).toBe(false);
  expect((await api.run(["whoami"], { env: alone })).code).toBe(3);
});

test("a token that the server refuses is not kept", async () => {
  const api = await stub(known);
  expect((await api.run(["login", "--server", api.url, "--token-stdin"], { env: alone, input: "bad" })).code).toBe(3);
  expect(existsSync(join(api.home, ".config"))).toBe(false);
});

test("what npm start wrote signs a checkout in, from any folder", async () => {
  const api = await stub(known);
  mkdirSync(join(api.home, "state"));
  writeFileSync(join(api.home, "state", "token"), "good\n");
  writeFileSync(join(api.home, "state", "cli.json"), JSON.stringify({ server: api.url, tokenFile: "token" }));
  expect((await api.run(["whoami"], { env: alone, cwd: "/" })).code).toBe(0);
});

test("a file's token goes to that file's server and to no other", async () => {
  const api = await stub(known);
  const other = await stub({});
  const config = join(api.home, "config.json");
  writeFileSync(config, JSON.stringify({ server: api.url, token: "good" }));
  const env = { ...alone, BERTH_CONFIG: config };
  expect((await api.run(["whoami"], { env })).code).toBe(0);
  expect((await api.run(["whoami"], { env: { ...env, BERTH_SERVER: other.url } })).code).toBe(3);
  expect((await api.run(["whoami", "--server", other.url], { env })).code).toBe(3);
  expect(other.calls).toEqual([]);
});

test("a flag's token file goes before the environment's token", async () => {
  const api = await stub(known);
  writeFileSync(join(api.home, "token"), "good");
  expect(
    (await api.run(["whoami", "--token-file", join(api.home, "token")], { env: { BERTH_TOKEN: "bad" } })).code,
  ).toBe(0);
});

test("the launcher finds itself through links of links and with an empty PATH", async () => {
  const api = await stub(known);
  mkdirSync(join(api.home, "deep"));
  symlinkSync(launcher, join(api.home, "deep", "first"));
  symlinkSync("deep/first", join(api.home, "berth"));
  const { code, err } = await api.run(["whoami"], {
    command: join(api.home, "berth"),
    cwd: "/",
    env: { BERTH_TOKEN: "good" },
  });
  expect([code, err]).toEqual([0, ""]);
});

test("a token is revoked by its name, and one that was revoked before does not stand in the way", async () => {
  const api = await stub({
    "GET /v1/tokens": () => ({
      body: {
        items: [
          { id: "tok_a", name: "ci", revokedAt: "2026-01-02T03:04:05.000Z" },
          { id: "tok_b", name: "ci", revokedAt: null },
        ],
        next: null,
      },
    }),
    "DELETE /v1/tokens/tok_b": () => ({ status: 204 }),
  });
  expect((await api.run(["token", "revoke", "ci", "--yes"])).code).toBe(0);
  expect(api.calls.at(-1)).toMatchObject({ method: "DELETE", path: "/v1/tokens/tok_b" });
});

test("who revokes a rotated token is told that its predecessor still works, and how to end it", async () => {
  const before = {
    id: "tok_a",
    name: "ci",
    revokedAt: null,
    replacedBy: "tok_b",
    expiresAt: "2026-01-02T04:04:05.000Z",
  };
  const items = [before, { id: "tok_b", name: "ci", revokedAt: null }];
  const api = await stub({
    "GET /v1/tokens": () => ({ body: { items, next: null } }),
    "DELETE /v1/tokens/tok_b": () => ({ status: 204 }),
  });
  const { code, err } = await api.run(["token", "revoke", "ci", "--yes"]);
  expect([code, err]).toEqual([
    0,
    "What it replaced works until 2026-01-02T04:04:05.000Z; berth token revoke tok_a ends it now.\n",
  ]);
});

test("completion scripts name every command that is shown, and not the hidden one", async () => {
  const api = await stub({});
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, out } = await api.run(["completion", shell]);
    expect(code).toBe(0);
    for (const word of ["login", "cluster", "unprotect", "deletion-protection"]) expect(out).toContain(word);
    expect(out).not.toContain("credential");
  }
});

const kept = (api: { home: string }) => join(api.home, ".config", "berth", "config.json");

test("logout ends the session where it is, and is honest where it could not", async () => {
  for (const [answer, said] of [
    [{ body: {} }, "Signed out.\n"],
    [problem(401, "unauthenticated"), "Signed out.\n"],
    [problem(404, "missing"), "Signed out here. The token itself still works: revoke it where it is not needed.\n"],
    [problem(500, "internal"), expect.stringContaining("so the session goes on to its end")],
  ] as const) {
    const api = await stub({ ...known, "DELETE /v1/sessions/current": () => answer });
    await api.run(["login", "--server", api.url, "--token-stdin"], { env: alone, input: "good" });
    // What the environment says is not what was signed in to: it is left alone.
    const { code, err } = await api.run(["logout"], { env: { BERTH_TOKEN: "another" } });
    expect([code, err, existsSync(kept(api))]).toEqual([0, said, false]);
    expect(api.calls.at(-1)).toMatchObject({ method: "DELETE", headers: { authorization: "Bearer good" } });
  }
  const nobody = await stub({});
  expect((await nobody.run(["logout"])).err).toBe("You were not signed in.\n");
  expect(nobody.calls).toEqual([]);
});

test("sessions are listed as such, and an owner ends those that are not its own", async () => {
  const session = { id: "tok_a", name: "house", kind: "session", state: "active", member: "mbr_a" };
  const api = await stub({
    "GET /v1/tokens": () => ({ body: { items: [session], next: null } }),
    "DELETE /v1/tokens/tok_a": () => ({ body: { ...session, state: "revoked" } }),
  });
  expect((await api.run(["session", "list", "--state", "active"])).out).toMatch(/tok_a +house +active/);
  expect(Object.fromEntries(api.calls[0]?.query ?? [])).toMatchObject({ kind: "session", state: "active" });
  expect((await api.run(["session", "end", "tok_a"])).out).toContain("revoked");
  expect(api.calls.slice(1).map(({ method, path }) => `${method} ${path}`)).toEqual([
    "DELETE /v1/sessions/tok_a",
    "DELETE /v1/tokens/tok_a",
  ]);
});

test("how one signs in is said together or not at all", async () => {
  const offer = { name: "a", title: "A", issuer: "https://a.test", clientID: "c", scopes: [], endpoints: null };
  const api = await stub({ "GET /v1/sign-in": () => ({ body: { providers: [offer, { ...offer, name: "b" }] } }) });
  const login = (...more: string[]) => api.run(["login", "--server", api.url, ...more], { env: alone });
  expect((await login("--provider", "a")).err).toContain("Add --tenant NAME");
  expect((await login("--browser")).code).toBe(2);
  expect((await login("--tenant", "red", "--token-stdin")).code).toBe(2);
  const which = await login("--tenant", "red");
  expect([which.code, which.err]).toEqual([2, "berth: Which provider? Add --provider with one of: a, b.\n"]);
  const away = await login("--tenant", "red", "--provider", "a");
  expect([away.code, away.err]).toEqual([6, "berth: The identity provider does not answer now; try again.\n"]);
});

test("a token is bound to clusters and projects by their names", async () => {
  const [cluster, project] = ["cls_01k0000000000000000000000a", "prj_01k0000000000000000000000a"];
  const api = await stub({
    "GET /v1/clusters": () => ({ body: { items: [{ id: cluster, name: "red" }], next: null } }),
    "GET /v1/projects": () => ({ body: { items: [{ id: project, name: "shop" }], next: null } }),
    "POST /v1/tokens": ({ body }) => ({ status: 201, body: { id: "tok_a", token: "x", ...(body as object) } }),
  });
  const { code } = await api.run([
    "token",
    "create",
    "ci",
    "--cluster",
    "red",
    "--project",
    "shop",
    "--scope",
    "cluster:read",
  ]);
  expect([code, api.calls.at(-1)?.body]).toEqual([
    0,
    { name: "ci", scopes: ["cluster:read"], clusters: [cluster], projects: [project] },
  ]);
});

test("providers are made, tried, changed with what is not named left alone, and removed with --yes alone", async () => {
  const provider = {
    id: "idp_a",
    name: "house",
    issuer: "https://idp.test",
    clientID: "berth",
    jit: true,
    defaultRole: "viewer",
    claims: { name: "name", email: "email", groups: "groups" },
  };
  const api = await stub({
    "GET /v1/providers": () => ({ body: { items: [provider], next: null } }),
    "GET /v1/providers/idp_a": () => ({ body: provider }),
    "POST /v1/providers": () => ({ status: 201, body: provider }),
    "PATCH /v1/providers/idp_a": () => ({ body: provider }),
    "DELETE /v1/providers/idp_a": () => ({ body: { confirmation: { confirmed: [], pending: [] } } }),
  });
  const create = ["provider", "create", "house", "--issuer", "https://idp.test", "--client-id", "berth"];
  expect((await api.run([...create, "--jit", "--domain", "a.test", "--domain", "b.test", "--dry-run"])).code).toBe(0);
  expect(api.calls.at(-1)?.body).toEqual({
    name: "house",
    issuer: "https://idp.test",
    clientID: "berth",
    jit: true,
    allowedDomains: ["a.test", "b.test"],
  });
  expect(api.calls.at(-1)?.query.get("dryRun")).toBe("true");
  await api.run(["provider", "update", "house", "--groups-claim", "teams", "--no-jit"]);
  expect(api.calls.at(-1)?.body).toEqual({ jit: false, claims: { name: "name", email: "email", groups: "teams" } });
  expect((await api.run(["provider", "show", "house"])).out).toMatch(/New members +become viewer/);
  expect((await api.run(["provider", "delete", "house"])).code).toBe(2);
  expect((await api.run(["provider", "delete", "house", "--yes"])).code).toBe(0);
  expect(api.calls.at(-1)?.method).toBe("DELETE");
});
