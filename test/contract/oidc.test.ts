import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Caller, newWorld, type World } from "../world/index.ts";
import { launcher } from "../cli/stub.ts";
import { visit } from "./browser.ts";
import { freePort } from "./wire.ts";

const people = {
  ada: { name: "Ada", email: "ada@example.com", email_verified: true, groups: ["builders"] },
  bob: { name: "Bob", email: "bob@example.com", email_verified: true, groups: [] },
};
const program = fileURLToPath(new URL("../world/oidc.mjs", import.meta.url));
let world: World;
let owner: Caller;
let provider: ChildProcess;
let port: number;
let doors: ReturnType<typeof serve>;
let url: string;
let home: string;

async function startProvider(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, JSON.stringify({ port, people })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("it has no output");
  await once(child.stdout, "data");
  return child;
}
async function stopProvider(): Promise<void> {
  const ended = once(provider, "exit");
  provider.kill("SIGKILL");
  await ended;
}

beforeAll(async () => {
  port = await freePort();
  provider = await startProvider();
  world = newWorld();
  // The server's clock is the machine's, and ours must be the same.
  world.deps.now = () => new Date().toISOString();
  Object.assign(world.deps.home, { privateIssuers: ["127.0.0.1"] });
  const staff = await world.staff();
  const { body } = await staff.post("/v1/home/tenants", { name: "red", withToken: true });
  owner = world.as(String(body["token"]));
  const wanted = { name: "house", issuer: `http://127.0.0.1:${port}`, clientID: "berth", jit: true };
  const tried = await owner.post("/v1/providers?dryRun=true", wanted);
  expect(tried.body["endpoints"]).toMatchObject({ device: `http://127.0.0.1:${port}/device/auth` });
  expect((await owner.post("/v1/providers", wanted)).status).toBe(201);
  expect((await owner.post("/v1/teams", { name: "builders", claims: ["builders"] })).status).toBe(201);
  doors = serve({ fetch: world.doors.api.fetch, port: 0, hostname: "127.0.0.1" });
  await once(doors, "listening");
  url = `http://127.0.0.1:${(doors.address() as AddressInfo).port}`;
  home = mkdtempSync(join(tmpdir(), "berth-oidc-"));
});
afterAll(async () => {
  doors?.close();
  await stopProvider();
  rmSync(home, { recursive: true, force: true });
});

/** The command itself; `seen` is told all that it has said on stderr so far. */
async function berth(args: string[], seen: (said: string) => Promise<unknown> | undefined = () => undefined) {
  const env = { PATH: "", HOME: home, BERTH_STATE: join(home, "state") };
  const child = spawn(launcher, args, { env, cwd: tmpdir() });
  let [out, err] = ["", ""];
  let acting: Promise<unknown> | undefined;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    acting ??= seen(err);
  });
  const [code] = (await once(child, "close")) as [number];
  await acting;
  return { code, out, err };
}
const kept = () => JSON.parse(readFileSync(join(home, ".config", "berth", "config.json"), "utf8")) as { token: string };

test("by the device flow one signs in from a terminal, and out again, and the token works no more", async () => {
  const shown: string[] = [];
  const { code, out, err } = await berth(["login", "--server", url, "--tenant", "red"], (said) => {
    const found = /Open (\S+) and confirm the code ([A-Z-]+)\n/.exec(said);
    if (found?.[1] === undefined) return undefined;
    return visit(found[1], "ada").then(({ text }) => shown.push(text));
  });
  expect([code, shown.join()], err).toEqual([0, expect.stringContaining("Success")]);
  expect(out).toMatch(/Tenant +red .*\nMember +Ada .*\nRole +viewer/);
  const session = world.as(kept().token);
  const { member } = (await session.get("/v1/me")).body as { member: { id: string; email: string } };
  expect(member.email).toBe("ada@example.com");
  const teams = (await owner.get("/v1/teams")).body["items"] as { members: string[] }[];
  expect(teams[0]?.members).toEqual([member.id]);
  const listed = await berth(["session", "list", "-o", "json"]);
  expect(JSON.parse(listed.out).items).toMatchObject([{ kind: "session", name: "house", state: "active" }]);
  expect((await berth(["logout"])).err).toBe("Signed out.\n");
  // Asked where a token is read anew; elsewhere it is known for 10 s more.
  expect((await session.delete("/v1/sessions/current")).status).toBe(401);
});

test("by the browser flow a code comes back to this machine, and only the page that began it is believed", async () => {
  const { code, out, err } = await berth(["login", "--server", url, "--tenant", "red", "--browser"], (said) => {
    const at = /Sign in at (\S+)\n/.exec(said)?.[1];
    if (at === undefined) return undefined;
    const back = new URL(at).searchParams.get("redirect_uri") ?? "";
    return (async () => {
      // Another page brings a code of its own to the port: it is told nothing.
      expect((await fetch(`${back}?code=stolen&state=guessed`)).status).toBe(404);
      expect((await fetch(`${back}?code=stolen`)).status).toBe(404);
      expect((await visit(at, "bob")).text).toContain("You may close this page");
    })();
  });
  expect(code, err).toBe(0);
  expect(out).toMatch(/Member +Bob /);
  expect((await berth(["whoami"])).out).toMatch(/Member +Bob /);
  await berth(["logout"]);
});

test("who the provider does not let in is told so, and nothing is kept", async () => {
  const { code, err } = await berth(["login", "--server", url, "--tenant", "red", "--browser"], (said) => {
    const at = /Sign in at (\S+)\n/.exec(said)?.[1];
    return at === undefined ? undefined : visit(at, "eve");
  });
  expect([code, err]).toEqual([3, expect.stringContaining("house did not let you in: nobody")]);
  expect((await berth(["whoami"])).code).toBe(3);
});

test("a tenant without such a provider is told of before anybody goes anywhere", async () => {
  const nowhere = await berth(["login", "--server", url, "--tenant", "nowhere"]);
  expect([nowhere.code, nowhere.err]).toEqual([
    4,
    expect.stringContaining("has no identity provider, or is not there"),
  ]);
  const other = await berth(["login", "--server", url, "--tenant", "red", "--provider", "other"]);
  expect([other.code, other.err]).toEqual([4, expect.stringContaining("has these: house")]);
});

test("when the provider changes its keys, the next sign-in works, a minute after the last question at most", async () => {
  await stopProvider();
  provider = await startProvider();
  const at = Date.now() + 61_000;
  world.deps.now = () => new Date(Math.max(Date.now(), at)).toISOString();
  const { code, err } = await berth(["login", "--server", url, "--tenant", "red"], (said) => {
    const found = /Open (\S+) and/.exec(said)?.[1];
    return found === undefined ? undefined : visit(found, "ada");
  });
  expect(code, err).toBe(0);
});
