import { expect, test } from "vitest";
import * as Audit from "#core/audit/index.ts";
import { tenantKind } from "#core/tenant/schema.ts";
import { newStage } from "../stage.ts";

/** A tenant with so many entries, a millisecond apart. */
async function newTrail(count: number) {
  const stage = newStage();
  const { id, owner } = await stage.tenant("red");
  const ctx = stage.context(id);
  for (let i = 0; i < count; i += 1) {
    await stage.clock.pass(1);
    await ctx.table.write(Audit.entry(ctx, { verb: "cluster:create", target: `t${i}` }));
  }
  return { stage, owner, call: stage.as(owner.text) };
}
const targets = (text: string): string[] =>
  text.split("\n").flatMap((line) => (line === "" ? [] : [(JSON.parse(line) as { target: string }).target]));

test("an export holds every entry once, oldest first, page by page as it is read", async () => {
  const { stage, owner, call } = await newTrail(250);
  const whole = await call("GET", "/v1/audit/export");
  expect([whole.status, whole.headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
  expect(targets(whole.text)).toEqual(Array.from({ length: 250 }, (_, i) => `t${i}`));
  // Whoever stops reading costs no more than what it has read.
  const before = stage.tables.calls.list;
  const headers = { Authorization: `Bearer ${owner.text}` };
  const answer = await stage.doors.api.request("/v1/audit/export", { headers });
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  await reader.cancel();
  expect(stage.tables.calls.list - before).toBeLessThanOrEqual(2);
});

test("an export ends within seconds of its caller's token, however slowly it is read", async () => {
  const { stage, owner } = await newTrail(450);
  const headers = { Authorization: `Bearer ${owner.text}` };
  const answer = await stage.doors.api.request("/v1/audit/export", { headers });
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const read = [await reader.read()];
  const table = stage.deps.home.table(owner.tenant);
  await table.edit(tenantKind, owner.tenant, { set: { state: "suspended" } });
  await stage.clock.pass(10_001);
  const rest = async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) read.push(next);
  };
  await expect(rest()).rejects.toThrow("A valid token is needed.");
  // One page more may have been on its way.
  expect(read.length).toBeLessThanOrEqual(2);
});

test("an empty export is empty, and a period ends with its last millisecond", async () => {
  const { stage, call } = await newTrail(3);
  const now = stage.clock.now();
  expect(targets((await call("GET", `/v1/audit/export?from=${now}&to=${now}`)).text)).toEqual(["t2"]);
  expect(await call("GET", "/v1/audit/export?to=2001-01-01T00:00:00Z")).toMatchObject({ status: 200, text: "" });
});

test.each([
  "/v1/audit?actor=tok_01k00000000000000000000000",
  "/v1/audit?verb=:create",
  "/v1/audit?from=yesterday",
  "/v1/audit?colour=red",
  "/v1/audit/export?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
  "/v1/audit/export?limit=2",
])("%s is refused before anything is sent", async (path) => {
  const { call } = await newTrail(1);
  expect(await call("GET", path)).toMatchObject({ status: 400, body: { kind: "invalid" } });
});

test("digests are listed with the end of their chain, and keys without what is private", async () => {
  const { stage, call } = await newTrail(100);
  expect((await call("GET", "/v1/audit/digests")).body).toEqual({ items: [], next: null, head: null });
  await stage.digest();
  const { body } = await call("GET", "/v1/audit/digests?limit=1");
  expect(body).toMatchObject({ items: [{ sequence: 1 }], next: expect.any(String), head: { sequence: 2 } });
  const rest = await call("GET", `/v1/audit/digests?limit=1&after=${String(body["next"])}`);
  expect(rest.body).toMatchObject({ items: [{ sequence: 2 }], next: null });
  const keys = await call("GET", "/v1/audit/keys");
  expect(keys.body).toMatchObject({ items: [{ algorithm: "Ed25519" }], next: null });
  expect(keys.text).not.toContain("sealed");
});
