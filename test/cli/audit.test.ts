import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newWorld } from "../world/index.ts";
import { problem, stub, type Routes } from "./stub.ts";

/** A server that answers what the API answered in a world. */
async function newServer() {
  const world = newWorld();
  const ada = await world.tenant("red");
  for (let i = 0; i < 3; i += 1) {
    await world.clock.pass(10);
    await ada.post("/v1/tokens", { name: `t${i}`, scopes: ["version:read"] });
    await world.digest();
  }
  // The command's own clock is the machine's.
  const routes: Routes = {
    "GET /v1/audit": async ({ query }) => ({ body: (await ada.get(`/v1/audit?${query}`)).body }),
    "GET /v1/audit/export": async ({ query }) => ({ text: (await ada.get(`/v1/audit/export?${query}`)).text }),
    "GET /v1/audit/digests": async ({ query }) => ({ body: (await ada.get(`/v1/audit/digests?${query}`)).body }),
    "GET /v1/audit/keys": async () => ({ body: (await ada.get("/v1/audit/keys")).body }),
  };
  return { api: await stub(routes), routes, ada };
}

test("a search says who, what and to what, and sends what it was told", async () => {
  const { api, ada } = await newServer();
  const { out, code } = await api.run(["audit", "list", "--actor", ada.member, "--verb", "token", "--limit", "2"]);
  expect([code, out]).toEqual([0, expect.stringMatching(/ACTOR.*VERB[^]*owner +token:create/)]);
  expect(Object.fromEntries(api.calls.at(-1)?.query ?? [])).toEqual({ actor: ada.member, verb: "token", limit: "2" });
});

test("a whole trail is 0, of the server and of saved files alike, and the end that it says holds later", async () => {
  const { api } = await newServer();
  const online = await api.run(["audit", "verify"]);
  expect([online.code, online.out]).toEqual([0, "whole: 3 entries in 3 digests; 0 too new for one\n"]);
  const head = /--head (\S+)/.exec(online.err)?.[1] ?? "";
  const key = /Signed with (\w+)/.exec(online.err)?.[1] ?? "";
  const [file, digests] = [join(api.home, "export.ndjson"), join(api.home, "digests.json")];
  writeFileSync(digests, (await api.run(["audit", "digests", "-o", "json"])).out);
  expect((await api.run(["audit", "export", "--file", file])).code).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  // Nobody is signed in.
  const offline = ["audit", "verify", "--file", file, "--digests", digests, "--head", head, "--key", key];
  const alone = { env: { BERTH_SERVER: "", BERTH_TOKEN: "" } };
  expect(await api.run(offline, alone)).toMatchObject({ code: 0, out: online.out });
  const other = await api.run([...offline.slice(0, -1), "0".repeat(32), "--json"], alone);
  expect([other.code, JSON.parse(other.out)]).toMatchObject([1, { whole: false, findings: [{ what: "key" }, {}, {}] }]);
});

test("what was altered is 1, with each finding on a line", async () => {
  const { api, routes } = await newServer();
  const [file, digests] = [join(api.home, "export.ndjson"), join(api.home, "digests.json")];
  writeFileSync(digests, (await api.run(["audit", "digests", "-o", "json"])).out);
  await api.run(["audit", "export", "-f", file]);
  const [first = "", , third = ""] = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, `${first.replace("token:create", "token:remove")}\n${third}\n`);
  const { code, out, err } = await api.run(["audit", "verify", "--file", file, "--digests", digests]);
  expect([code, out.split("\n").map((line) => line.split(" ")[0])]).toEqual([1, ["altered", "missing", ""]]);
  expect(err).toContain("The audit is not whole: 2 findings.");
  routes["GET /v1/audit/digests"] = () => ({ body: { items: [], next: null, head: null } });
  const online = await api.run(["audit", "verify"]);
  expect([online.code, online.out.match(/^unsealed /gm)?.length]).toEqual([1, 3]);
});

test("half of the files, files of another form and a refused caller are told apart", async () => {
  const { api, routes } = await newServer();
  expect((await api.run(["audit", "verify", "--file", "x"])).code).toBe(2);
  const file = join(api.home, "x.json");
  writeFileSync(file, "{}");
  const wrong = await api.run(["audit", "verify", "--file", file, "--digests", file]);
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("is not what berth audit digests")]);
  expect((await api.run(["audit", "verify", "--head", "x"])).code).toBe(2);
  routes["GET /v1/audit/export"] = () => problem(403, "forbidden");
  const refused = await api.run(["audit", "export", "--file", join(api.home, "none")]);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("It was forbidden.")]);
  expect(readdirSync(api.home).filter((name) => name.startsWith("none"))).toEqual([]);
});

test("who acted may be said by name, and what it was done to is shown by name and id", async () => {
  const bob = { id: "mbr_01k0000000000000000000000b", name: "bob", state: "active" };
  const entry = {
    at: "2026-01-01T00:00:00.000Z",
    actor: { member: bob.id, name: "bob" },
    verb: "cluster:access",
    target: "cls_01k0000000000000000000000a",
    targetName: "prod",
    requestID: "r",
  };
  const api = await stub({
    "GET /v1/members": () => ({ body: { items: [bob], next: null } }),
    "GET /v1/audit": () => ({ body: { items: [entry], next: null } }),
  });
  const listed = await api.run(["audit", "list", "--actor", "bob"]);
  expect(listed.out).toContain(`prod (${entry.target})`);
  expect(api.calls.at(-1)?.query.get("actor")).toBe(bob.id);
  await api.run(["audit", "list", "--actor", "mbr_01k0000000000000000000000z"]);
  expect(api.calls.at(-1)?.query.get("actor")).toBe("mbr_01k0000000000000000000000z");
});
