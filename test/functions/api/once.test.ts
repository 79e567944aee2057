import { beforeEach, expect, test } from "vitest";
import { Refused } from "#core/context.ts";
import * as Audit from "#core/audit/index.ts";
import { keyed, Met, onceKind } from "#core/once.ts";
import { clusterKind } from "#core/cluster/schema.ts";
import type { ID } from "#core/id.ts";
import { newStage, type Stage } from "../stage.ts";

let stage: Stage;
let owner: ReturnType<Stage["as"]>;
let tenant: ID<"tenant">;
beforeEach(async () => {
  stage = newStage();
  const red = await stage.tenant("red");
  tenant = red.id;
  owner = stage.as(red.owner.text);
  await stage.host({ ports: { from: 30_000, to: 30_099 } });
});

const keyOf = (key: string) => ({ "Idempotency-Key": key });
const make = (key: string, name = "one") => owner("POST", "/v1/clusters", { name }, keyOf(key));
const count = (kind: string): number =>
  [...stage.tables.rows().keys()].filter((key) => key.startsWith(`${tenant}/${kind}/`)).length;
/** Time passes while the answer is waited for. */
const waited = <T>(work: Promise<T>): Promise<T> => stage.run(work);

test("a repeat gets the first answer, to the letter, and changes nothing", async () => {
  const first = await make("k");
  const rows = JSON.stringify([...stage.tables.rows()].filter(([key]) => !key.includes("/token/")));
  const second = await make("k");
  expect(first.status).toBe(201);
  expect([second.status, second.text]).toEqual([201, first.text]);
  for (const name of ["etag", "location", "content-type"]) {
    expect(second.headers.get(name), name).toBe(first.headers.get(name));
  }
  expect(second.headers.get("idempotency-replayed")).toBe("true");
  expect(first.headers.get("idempotency-replayed")).toBeNull();
  expect(second.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
  expect(JSON.stringify([...stage.tables.rows()].filter(([key]) => !key.includes("/token/")))).toBe(rows);
});

test("the first answer is given again even when the thing has changed or gone since", async () => {
  const first = await make("k");
  await owner("PATCH", `/v1/clusters/${first.body["id"]}`, { labels: { a: "b" } });
  expect((await make("k")).text).toBe(first.text);
});

test("another request with the same key is 422, whatever is different of it", async () => {
  await make("k");
  expect(await make("k", "two")).toMatchObject({ status: 422, body: { kind: "reused" } });
  expect(await owner("POST", "/v1/clusters?x=1", { name: "one" }, keyOf("k"))).toMatchObject({ status: 422 });
  expect(count("cluster")).toBe(1);
});

test("a key is one member's, one route's and one day's", async () => {
  const { body } = await make("k", "one");
  const { text } = await stage.member(tenant, "editor");
  const other = await stage.as(text)("POST", "/v1/clusters", { name: "two" }, keyOf("k"));
  expect(other.status).toBe(201);
  const patched = await owner("PATCH", `/v1/clusters/${body["id"]}`, { labels: { a: "b" } }, keyOf("k"));
  expect(patched.status).toBe(200);
  await stage.clock.pass(86_401_000);
  expect(await make("k", "three")).toMatchObject({ status: 503 });
});

test("fifty at the same moment with one key make one cluster, and all hear of it", async () => {
  const all = await waited(Promise.all(Array.from({ length: 50 }, () => make("k"))));
  expect(count("cluster")).toBe(1);
  expect(count("audit")).toBe(1);
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set([201]));
  expect(new Set(all.map(({ body }) => body["id"])).size).toBe(1);
  expect(all.filter(({ headers }) => headers.get("idempotency-replayed") === "true")).toHaveLength(49);
});

test("after a death between commit and answer, a repeat is told what is there now", async () => {
  stage.tables.before = ({ act, keys }) => {
    if (act === "edit" && keys[0]?.includes("/once/")) throw new Error("died");
  };
  const first = await make("k");
  stage.tables.before = undefined;
  await owner("PATCH", `/v1/clusters/${first.body["id"]}`, { labels: { a: "b" } });
  const second = await waited(make("k"));
  expect(second).toMatchObject({ status: 201, body: { id: first.body["id"], spec: { labels: { a: "b" } } } });
  expect(second.headers.get("idempotency-replayed")).toBe("true");
  expect(second.headers.get("etag")).toBe('"2"');
  expect(count("cluster")).toBe(1);
});

test("after a death before the commit, a repeat does it", async () => {
  stage.tables.before = ({ act }) => {
    if (act === "write") throw new Error("died");
  };
  expect((await make("k")).status).toBe(500);
  stage.tables.before = undefined;
  expect((await make("k")).status).toBe(201);
});

test("when the commit was not heard of, a repeat tells what was committed", async () => {
  stage.tables.after = ({ act }) => {
    if (act === "write") throw new Error("died");
  };
  expect((await make("k")).status).toBe(500);
  stage.tables.after = undefined;
  expect(await waited(make("k"))).toMatchObject({ status: 201, body: { name: "one" } });
  expect(count("cluster")).toBe(1);
});

test("what is gone by then, and was not answered, is 409 and names it", async () => {
  stage.tables.before = ({ act, keys }) => {
    if (act === "edit" && keys[0]?.includes("/once/")) throw new Error("died");
  };
  const first = await make("k");
  stage.tables.before = undefined;
  const id = String(first.body["id"]);
  const table = stage.deps.home.table(tenant);
  await table.write(table.remove(clusterKind, id));
  const second = await waited(make("k"));
  expect(second).toMatchObject({ status: 409, body: { kind: "conflict", detail: expect.stringContaining(id) } });
});

test("a secret is shown once: its repeat is 409, names it, and the secret is in no row", async () => {
  const first = await owner("POST", "/v1/tokens", { name: "ci" }, keyOf("k"));
  const second = await owner("POST", "/v1/tokens", { name: "ci" }, keyOf("k"));
  expect(second.status).toBe(409);
  expect(second.body["detail"]).toContain(first.body["id"]);
  expect(JSON.stringify([...stage.tables.rows()])).not.toContain(first.body["token"]);
  expect(count("once")).toBe(1);
});

test("what commits nothing keeps no key: a refusal can be mended under the same one", async () => {
  expect((await make("k", "Not A Name")).status).toBe(400);
  expect(count("once")).toBe(0);
  expect((await make("k")).status).toBe(201);
  expect((await owner("GET", "/v1/clusters", undefined, keyOf("k2"))).status).toBe(200);
  expect(count("once")).toBe(1);
});

test.each([["é"], ["x".repeat(256)], ["a\tb"]])("%j is no key", async (key) => {
  const { status, body } = await make(key);
  expect(status).toBe(400);
  expect(body["errors"]).toMatchObject([{ field: "Idempotency-Key" }]);
  expect(count("cluster")).toBe(0);
});

test("a verb that is refused at its own change hears which one, as without a key", async () => {
  const ctx = stage.context(tenant);
  const bound = keyed(ctx, { id: "m/op/k", hash: "h", secret: false });
  const { table } = bound.ctx;
  const entry = () => Audit.entry(ctx, { verb: "a:b", target: "t" });
  const insert = () => table.insert(onceKind, "taken", { hash: "", target: "", ttl: 9_999_999_999 });
  await ctx.table.write(insert());
  const refused = await table
    .write(table.check(onceKind, "none", { hash: { absent: true } }), insert(), entry())
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Refused);
  expect([(refused as Refused).index, bound.target()]).toEqual([1, undefined]);
  await table.write(entry());
  expect(bound.target()).toBe("t");
  const again = keyed(ctx, { id: "m/op/k", hash: "h", secret: false });
  await expect(again.ctx.table.write(entry())).rejects.toBeInstanceOf(Met);
});

test("every route whose answer holds a secret says so, and no other does", async () => {
  const document = JSON.parse((await owner("GET", "/v1/openapi.json")).text) as {
    paths: Record<string, Record<string, Record<string, unknown>>>;
    components: { schemas: Record<string, unknown> };
  };
  const holds = (schema: unknown): boolean => {
    const text = JSON.stringify(schema ?? {});
    const named = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name ?? "");
    return (
      /"(token|kubeconfig|secret|password|link)":\{"type":"string"(?![^}]*"format":"uri")/.test(text) ||
      named.some((name) => holds(document.components.schemas[name]))
    );
  };
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, route] of Object.entries(methods)) {
      if (method === "get") continue;
      const answers = Object.entries(route["responses"] as object).filter(([status]) => status.startsWith("2"));
      // What a cluster answers may be anything, so all that is passed on from one is kept by nobody.
      const passed = path.endsWith("/{path}");
      expect(route["x-secret"] ?? false, `${method} ${path}`).toBe(passed || holds(answers));
    }
  }
});

test("what takes several steps keeps its key with the last: a repeat after a death in between ends it", async () => {
  const made = await owner("POST", "/v1/members", { name: "bob", kind: "robot", role: "editor" });
  const id = String(made.body["id"]);
  await owner("POST", "/v1/tokens", { name: "one", member: id });
  let writes = 0;
  stage.tables.before = ({ act }) => {
    if (act === "write" && (writes += 1) > 1) throw new Error("died");
  };
  const end = () => owner("DELETE", `/v1/members/${id}`, undefined, keyOf("k"));
  expect((await waited(end())).status).toBe(500);
  stage.tables.before = undefined;
  expect((await owner("GET", `/v1/members/${id}`)).body["state"]).toBe("suspended");
  const second = await waited(end());
  expect([second.status, second.headers.get("idempotency-replayed")]).toEqual([200, null]);
  expect((await owner("GET", `/v1/members/${id}`)).status).toBe(404);
  const third = await waited(end());
  expect([third.status, third.text]).toEqual([200, second.text]);
});

test("two removals of a member at once with one key both hear that it is removed", async () => {
  const made = await owner("POST", "/v1/members", { name: "bob", kind: "robot", role: "editor" });
  const end = () => owner("DELETE", `/v1/members/${made.body["id"]}`, undefined, keyOf("k"));
  const both = await waited(Promise.all([end(), end(), end()]));
  expect(both.map(({ status }) => status)).toEqual([200, 200, 200]);
});

test("an answer without a body is given again, too", async () => {
  const staff = await stage.staff();
  const { id } = await stage.host({ name: "old", state: "draining", drainingSince: "2020-01-01T00:00:00.000Z" });
  const end = () => staff("DELETE", `/v1/home/hosts/${id}`, undefined, keyOf("k"));
  expect((await waited(end())).status).toBe(204);
  const second = await waited(end());
  expect([second.status, second.headers.get("idempotency-replayed")]).toEqual([204, "true"]);
});

test("a drain whose answer was lost is not answered with what has another form", async () => {
  const staff = await stage.staff();
  const { id } = await stage.host({ name: "old" });
  const drain = () => staff("POST", `/v1/home/hosts/${id}/drain`, undefined, keyOf("k"));
  stage.tables.before = ({ act, keys }) => {
    if (act === "edit" && keys[0]?.includes("/once/")) throw new Error("died");
  };
  const first = await waited(drain());
  stage.tables.before = undefined;
  const second = await waited(drain());
  if (second.status === 200) expect(Object.keys(second.body).sort()).toEqual(Object.keys(first.body).sort());
  else expect(second.status).toBe(409);
});
