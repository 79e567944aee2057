import { beforeEach, expect, test } from "vitest";
import { newStage, type Stage } from "../stage.ts";

let stage: Stage;
let owner: ReturnType<Stage["as"]>;
beforeEach(async () => {
  stage = newStage();
  owner = stage.as((await stage.tenant("red")).owner.text);
});

test("health needs no token and asks no store", async () => {
  const before = JSON.stringify(stage.tables.calls);
  expect(await stage.as(undefined)("GET", "/v1/health")).toMatchObject({ status: 200, body: { status: "ok" } });
  expect(JSON.stringify(stage.tables.calls)).toBe(before);
});

test("every answer, good or bad, is not stored, not sniffed, and has a request id of its own", async () => {
  const answers = [
    await owner("GET", "/v1/me"),
    await owner("GET", "/v1/nowhere"),
    await stage.as(undefined)("GET", "/v1/me"),
    await owner("POST", "/v1/tokens", "{"),
    await owner("POST", "/v1/tokens", { name: "x".repeat(70_000) }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 401, 400, 413]);
  for (const { headers, status } of answers) {
    expect(headers.get("cache-control"), String(status)).toBe("no-store");
    expect(headers.get("x-content-type-options"), String(status)).toBe("nosniff");
    expect(headers.get("x-request-id"), String(status)).toMatch(/^[0-9a-f]{32}$/);
  }
  expect(new Set(answers.map(({ headers }) => headers.get("x-request-id"))).size).toBe(answers.length);
});

test("every problem has the one shape, and its request id is the header's", async () => {
  const { status, headers, body } = await owner("GET", "/v1/nowhere");
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect({ status, body }).toEqual({
    status: 404,
    body: {
      type: "urn:berth:problem:missing",
      title: "Not found",
      status: 404,
      detail: "There is no such page.",
      kind: "missing",
      requestID: headers.get("x-request-id"),
      errors: [],
    },
  });
});

test("all that is wrong is named at once, by dotted path, unknown fields by their own name", async () => {
  const { status, body } = await owner("POST", "/v1/clusters", {
    name: "Red!",
    podCIDRs: ["10.0.0.0/8", "nonsense"],
    labels: { "-": "x" },
    nodes: 3,
  });
  expect(status).toBe(400);
  const fields = (body["errors"] as { field: string }[]).map(({ field }) => field).sort();
  expect(fields).toEqual(["labels.-", "name", "nodes", "podCIDRs.1"]);
});

test("unknown and malformed query fields and ids are named", async () => {
  const named = async (path: string) =>
    ((await owner("GET", path)).body["errors"] as { field: string }[]).map(({ field }) => field);
  expect(await named("/v1/clusters?limit=0&sort=size")).toEqual(["limit", "sort"]);
  expect(await named("/v1/clusters?limit=101")).toEqual(["limit"]);
  expect(await named("/v1/clusters?after=!!")).toEqual(["after"]);
  expect(await named("/v1/clusters/red")).toEqual(["id"]);
  expect(await named("/v1/clusters/cls_01k00000000000000000000001?wait=26")).toEqual(["wait"]);
});

test("bad JSON is 400, another media type 415, more than 64 kB 413", async () => {
  expect(await owner("POST", "/v1/tokens", '{"name":')).toMatchObject({ status: 400, body: { kind: "invalid" } });
  const plain = await owner("POST", "/v1/tokens", "name=x", { "Content-Type": "application/x-www-form-urlencoded" });
  expect(plain).toMatchObject({ status: 415, body: { kind: "media" } });
  const large = await owner("POST", "/v1/tokens", { name: "x".repeat(66_000) });
  expect(large).toMatchObject({ status: 413, body: { kind: "large" } });
});

test("a body whose length was not told is stopped at 64 kB too", async () => {
  const chunk = new TextEncoder().encode("x".repeat(16_384));
  let sent = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1;
      if (sent > 100) controller.close();
      else controller.enqueue(chunk);
    },
  });
  const { text } = (await stage.tenant("blue")).owner;
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${text}` };
  const request = new Request("http://berth.test/v1/tokens", {
    method: "POST",
    headers,
    body: stream,
    duplex: "half",
  });
  expect((await stage.doors.api.request(request)).status).toBe(413);
  expect(sent).toBeLessThan(10);
  expect(stage.lines.filter(({ level }) => level === "error")).toEqual([]);
});

test("an error that nobody foresaw says one fixed sentence, and its stack is in the log alone", async () => {
  stage.tables.before = ({ act }) => {
    if (act === "list") throw new Error("the canary", { cause: new Error("its cause") });
  };
  const { status, text, headers } = await owner("GET", "/v1/clusters");
  expect(status).toBe(500);
  expect(text).not.toContain("canary");
  const line = stage.lines.find(({ level }) => level === "error");
  expect(line?.fields["requestID"]).toBe(headers.get("x-request-id"));
  expect(String(line?.fields["stack"])).toMatch(/the canary[\s\S]*caused by: Error: its cause/);
});

test("no log line holds a token", async () => {
  const { text } = (await stage.tenant("blue")).owner;
  const made = await stage.as(text)("POST", "/v1/tokens", { name: "new" });
  await stage.as(String(made.body["token"]))("GET", "/v1/clusters");
  const logged = JSON.stringify(stage.lines);
  expect(stage.lines.length).toBeGreaterThan(1);
  for (const secret of [text, String(made.body["token"])]) expect(logged).not.toContain(secret.slice(-38));
});

test("the API describes every route with an id, a summary and words, and its way in", async () => {
  const { body } = await stage.as(undefined)("GET", "/v1/openapi.json");
  expect(body["openapi"]).toBe("3.1.0");
  const paths = body["paths"] as Record<string, Record<string, Record<string, unknown>>>;
  const routes = Object.values(paths).flatMap((methods) => Object.values(methods));
  expect(routes.length).toBeGreaterThan(20);
  for (const { operationId, summary, description, tags, security, responses, "x-permission": permission } of routes) {
    expect([operationId, summary, description].every((text) => typeof text === "string" && text !== "")).toBe(true);
    expect(tags).toHaveLength(1);
    expect(security === undefined).toBe(permission === "public");
    expect(responses).toHaveProperty("default");
  }
  expect(new Set(routes.map(({ operationId }) => operationId)).size).toBe(routes.length);
  const components = body["components"] as { schemas: object; securitySchemes: { bearer: { scheme: string } } };
  expect(components.securitySchemes.bearer.scheme).toBe("bearer");
  expect(JSON.stringify(body)).not.toContain('"$ref":"#/components/schemas/undefined"');
});
