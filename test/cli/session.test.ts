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
