import { expect, test } from "vitest";
import { parse } from "yaml";
import { cluster, clusterID, nowhere, problem, stub } from "./stub.ts";

const path = `/v1/clusters/${clusterID}`;

test("each kind of failure has its own exit code, and fields stand on lines of their own", async () => {
  const table = [
    [400, "invalid", 1],
    [401, "unauthenticated", 3],
    [403, "forbidden", 1],
    [404, "missing", 4],
    [409, "conflict", 5],
    [412, "stale", 5],
    [503, "unavailable", 6],
    [500, "fault", 1],
  ] as const;
  let now: (typeof table)[number] = table[0];
  const api = await stub({ [`GET ${path}`]: () => problem(now[0], now[1], [{ field: "name", message: "is bad" }]) });
  for (const each of table) {
    now = each;
    const { code, out, err } = await api.run(["cluster", "get", clusterID, "-o", "json"]);
    expect([each[0], code, out]).toEqual([each[0], each[2], ""]);
    expect(err).toContain(`It was ${each[1]}.`);
    expect(err).toContain("\n  name: is bad\n");
  }
});

test("a command that is written wrongly ends with 2 and asks the server nothing", async () => {
  const api = await stub({});
  for (const args of [
    ["nonsense"],
    ["cluster", "get"],
    ["cluster", "list", "-o", "xml"],
    ["cluster", "create", "a", "--timeout", "soon"],
  ]) {
    expect((await api.run(args)).code).toBe(2);
  }
  expect(api.calls).toEqual([]);
});

test("whoever is not signed in is told so with 3", async () => {
  const api = await stub({});
  const { code, err } = await api.run(["whoami"], { env: { BERTH_TOKEN: "" } });
  expect(code).toBe(3);
  expect(err).toContain("berth login");
});

test("a server that is not there is 1, and said in one line", async () => {
  const api = await stub({});
  const { code, err } = await api.run(["whoami"], { env: { BERTH_SERVER: await nowhere() } });
  expect(code).toBe(1);
  expect(err.trim().split("\n")).toHaveLength(1);
  expect(err).toContain("ECONNREFUSED");
});

test("the token is never sent in the clear to another machine", async () => {
  const api = await stub({});
  expect((await api.run(["whoami"], { env: { BERTH_SERVER: "http://192.0.2.1" } })).code).toBe(2);
});

test("JSON and YAML are the API's own answer, with fields that this release does not know", async () => {
  const answer = { ...cluster(), later: { field: [1] } };
  const api = await stub({ [`GET ${path}`]: () => ({ body: answer }) });
  expect(JSON.parse((await api.run(["cluster", "get", clusterID, "-o", "json"])).out)).toEqual(answer);
  expect(parse((await api.run(["cluster", "get", clusterID, "-o", "yaml"])).out)).toEqual(answer);
});

test("a table shows the names people gave, without their control characters", async () => {
  const api = await stub({
    "GET /v1/clusters": () => ({ body: { items: [cluster({ name: "re\u001b[31md" })], next: null } }),
  });
  const { code, out } = await api.run(["cluster", "list"]);
  expect(code).toBe(0);
  expect(out.split("\n")[0]).toMatch(/^NAME +ID +PHASE +VERSION +REGION +AGE$/);
  expect(out).toContain("re [31md");
  expect(out).not.toContain("\u001b");
});

test("a name is looked up, an id is not", async () => {
  const api = await stub({
    "GET /v1/clusters": ({ query }) => ({
      body: { items: query.get("name") === "red" ? [cluster()] : [], next: null },
    }),
    [`GET ${path}`]: () => ({ body: cluster() }),
  });
  expect((await api.run(["cluster", "get", "red"])).out).toContain(clusterID);
  expect(api.calls.map((call) => call.path)).toEqual(["/v1/clusters", path]);
  expect((await api.run(["cluster", "get", "blue"])).code).toBe(4);
});

test("a list ends with how to go on, and --all goes on by itself", async () => {
  const actor = { member: "system", token: null };
  const api = await stub({
    "GET /v1/audit": ({ query }) =>
      query.get("after") === "two"
        ? { body: { items: [{ id: "b", verb: "cluster:create", actor }], next: null } }
        : { body: { items: [{ id: "a", verb: "token:create", actor }], next: "two" } },
  });
  const first = await api.run(["audit", "list"]);
  expect(first.err).toContain("--after two");
  const all = await api.run(["audit", "list", "--all", "-o", "json"]);
  expect(JSON.parse(all.out)).toMatchObject({ items: [{ id: "a" }, { id: "b" }], next: null });
});

test("a read is repeated after 503 with Retry-After, a write never is", async () => {
  let times = 0;
  const busy = { ...problem(503, "unavailable"), headers: { "retry-after": "0" } };
  const api = await stub({
    [`GET ${path}`]: () => (++times < 3 ? busy : { body: cluster() }),
    "POST /v1/tokens": () => busy,
  });
  expect((await api.run(["cluster", "get", clusterID])).code).toBe(0);
  expect(times).toBe(3);
  expect((await api.run(["token", "create", "ci"])).code).toBe(6);
  expect(api.calls.filter((call) => call.method === "POST")).toHaveLength(1);
});

test("a redirect is not followed with the token", async () => {
  const other = await stub({});
  const api = await stub({ "GET /v1/me": () => ({ status: 302, headers: { location: `${other.url}/v1/me` } }) });
  expect((await api.run(["whoami"])).code).toBe(1);
  expect(other.calls).toEqual([]);
});
