import { beforeEach, describe, expect, test } from "vitest";
import { Fault } from "#core/error.ts";
import type { ID } from "#core/id.ts";
import { tenantKind } from "#core/tenant/schema.ts";
import { network, newRates, sourceOf } from "#functions/api/rate.ts";
import { newStage, type Stage } from "../stage.ts";

const actor = (tenant: string, token = "tok_a", rate?: number) => ({
  tenant: `tnt_${tenant}` as const,
  token: token as ID<"token">,
  ...(rate !== undefined && { rate }),
});
const times = (count: number, work: () => { fault: Fault | undefined }): number =>
  Array.from({ length: count }, work).filter(({ fault }) => fault === undefined).length;

describe("a bucket", () => {
  test("of a token holds one second of its tenant's rate at once, and half of it each second after", () => {
    const rates = newRates();
    expect(times(500, () => rates.take(actor("red"), 0))).toBe(50);
    expect(times(500, () => rates.take(actor("red"), 1_000))).toBe(25);
    expect(times(500, () => rates.take(actor("red"), 3_600_000))).toBe(50);
  });

  test("of a tenant holds two seconds of its rate, however many tokens ask", () => {
    const rates = newRates();
    const asked = Array.from({ length: 20 }, (_, at) => times(50, () => rates.take(actor("red", `tok_${at}`), 0)));
    expect(asked.reduce((a, b) => a + b)).toBe(100);
    expect(times(500, () => rates.take(actor("blue"), 0))).toBe(50);
  });

  test("says how long to wait, and after that time there is room", () => {
    const rates = newRates();
    times(4, () => rates.take(actor("red", "tok_a", 2), 0));
    const { fault, remaining } = rates.take(actor("red", "tok_a", 2), 0);
    expect([fault?.kind, fault?.retryAfterSeconds, remaining]).toEqual(["limit", 1, 0]);
    expect(rates.take(actor("red", "tok_a", 2), 1_000).fault).toBeUndefined();
  });

  test("is not filled or emptied by a clock that goes back", () => {
    const rates = newRates();
    times(50, () => rates.take(actor("red"), 10_000));
    expect(rates.take(actor("red"), 0).fault).toBeInstanceOf(Fault);
  });

  test("is one of a bounded number", () => {
    const rates = newRates();
    for (let at = 0; at < 30_000; at++) rates.take(actor(`${at}`), 0);
    for (let at = 0; at < 30_000; at++) rates.fail(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, "", 0);
    expect(rates.size).toBeLessThanOrEqual(10_000);
  });
});

test("addresses of one subscriber are one source", () => {
  expect(network("192.0.2.1")).toBe("192.0.2.1");
  expect(network("::ffff:192.0.2.1")).toBe("192.0.2.1");
  expect(network("2001:db8:0:1::5")).toBe(network("2001:DB8::1:0:0:9:9"));
  expect(network("2001:db8:0:2::5")).not.toBe(network("2001:db8:0:1::5"));
});

test("a source is what the platform tells, with whom its router names beside, and no header alone", () => {
  expect(sourceOf({ requestContext: { http: { sourceIp: "192.0.2.1" } } })).toBe("192.0.2.1");
  expect(sourceOf({ incoming: { socket: { remoteAddress: "192.0.2.2" } } })).toBe("192.0.2.2");
  expect(sourceOf(undefined)).toBeUndefined();
  expect(sourceOf(undefined, "198.51.100.1:1")).toBeUndefined();
  expect(sourceOf({ incoming: { socket: { remoteAddress: "192.0.2.2" } } }, "198.51.100.1:1")).toBe("192.0.2.2");
  const edge = { requestContext: { http: { sourceIp: "192.0.2.1" } } };
  expect(sourceOf(edge, "198.51.100.1:4711")).toBe("192.0.2.1 198.51.100.1");
  expect(sourceOf(edge, "2001:db8:0:1:5:6:7:8:4711")).toBe("192.0.2.1 2001:db8:0:1");
});

describe("at the door", () => {
  let stage: Stage;
  beforeEach(() => {
    stage = newStage();
    stage.deps.limits = true;
  });
  const from = (address: string) => ({ incoming: { socket: { remoteAddress: address } } });
  const ask = (token: string, address: string, headers = {}) =>
    stage.doors.api.request("/v1/me", { headers: { Authorization: `Bearer ${token}`, ...headers } }, from(address));

  test("who asks too often gets 429 with the time to wait, and another tenant is not slowed", async () => {
    const [red, blue] = [(await stage.tenant("red")).owner.text, (await stage.tenant("blue")).owner.text];
    const answers = [];
    for (let at = 0; at < 60; at++) answers.push(await stage.as(red)("GET", "/v1/me"));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
    const last = answers.at(-1);
    expect(last).toMatchObject({ status: 429, body: { kind: "limit" } });
    expect(last?.headers.get("retry-after")).toBe("1");
    expect(last?.headers.get("ratelimit-remaining")).toBe("0");
    const other = await stage.as(blue)("GET", "/v1/me");
    expect([other.status, other.headers.get("ratelimit-remaining")]).toEqual([200, "49"]);
    await stage.clock.pass(1_000);
    expect((await stage.as(red)("GET", "/v1/me")).status).toBe(200);
  });

  test("a tenant whose row says another rate has that one", async () => {
    const { id, owner } = await stage.tenant("red");
    const table = stage.deps.home.table(id);
    await table.edit(tenantKind, id, { set: { limits: { requestsPerSecond: 4 } } });
    const answers = [];
    for (let at = 0; at < 10; at++) answers.push(await stage.as(owner.text)("GET", "/v1/me"));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(4);
  });

  test("twenty failures a minute, and a source is not listened to: other sources are, and tokens that work there", async () => {
    const { text } = (await stage.tenant("red")).owner;
    expect((await ask(text, "192.0.2.1")).status).toBe(200);
    const all = [];
    for (let at = 0; at < 25; at++)
      all.push(await ask("berth_guess", "192.0.2.1", { "X-Forwarded-For": `10.0.0.${at}` }));
    expect(all.map(({ status }) => status)).toEqual([...Array(20).fill(401), ...Array(5).fill(429)]);
    expect(Number(all.at(-1)?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await ask("berth_guess", "192.0.2.2")).status).toBe(401);
    expect((await ask(text, "192.0.2.1")).status).toBe(200);
    await stage.clock.pass(4_000);
    expect((await ask("berth_guess", "192.0.2.1")).status).toBe(401);
  });

  test("a token that worked and was ended does not shut its address out for longer than any guess does", async () => {
    const { id, owner } = await stage.tenant("red");
    const other = (await stage.member(id, "viewer")).text;
    const made = await stage.as(owner.text)("POST", "/v1/tokens", { name: "ci" });
    const text = String(made.body["token"]);
    expect((await ask(text, "192.0.2.1")).status).toBe(200);
    await stage.as(owner.text)("DELETE", `/v1/tokens/${made.body["id"]}`);
    await stage.clock.pass(11_000);
    for (let at = 0; at < 300; at++) await ask(text, "192.0.2.1");
    expect((await ask(other, "192.0.2.1")).status).toBe(429);
    await stage.clock.pass(4_000);
    expect((await ask(other, "192.0.2.1")).status).toBe(200);
  });

  test("many guesses at the same moment shut an address out for no longer than twenty do", async () => {
    const { text } = (await stage.tenant("red")).owner;
    await Promise.all(Array.from({ length: 300 }, async () => await ask("berth_guess", "192.0.2.1")));
    await stage.clock.pass(4_000);
    expect((await ask(text, "192.0.2.1")).status).toBe(200);
  });

  test("who shares an edge of the router with a guesser is not shut out with it, and who claims to be another shuts out itself", async () => {
    const { text } = (await stage.tenant("red")).owner;
    const by = (token: string, edge: string, viewer: string) =>
      stage.doors.api.request(
        "/v1/me",
        { headers: { Authorization: `Bearer ${token}`, "CloudFront-Viewer-Address": viewer } },
        { requestContext: { http: { sourceIp: edge } } },
      );
    for (let port = 1; port < 30; port++) await by("berth_guess", "192.0.2.1", `198.51.100.1:${port}`);
    expect((await by(text, "192.0.2.1", "198.51.100.1:99")).status).toBe(429);
    for (let port = 1; port < 30; port++) await by("berth_guess", "192.0.2.9", `198.51.100.2:${port}`);
    expect((await by(text, "192.0.2.1", "198.51.100.2:99")).status).toBe(200);
  });

  test("a refused stranger costs no call of the table", async () => {
    const { text } = (await stage.tenant("red")).owner;
    for (let at = 0; at < 20; at++) await ask("berth_guess", "192.0.2.1");
    const before = JSON.stringify(stage.tables.calls);
    expect((await ask(text, "192.0.2.1")).status).toBe(429);
    expect(JSON.stringify(stage.tables.calls)).toBe(before);
  });

  test("health is never refused", async () => {
    for (let at = 0; at < 30; at++) await ask("berth_guess", "192.0.2.1");
    expect((await stage.doors.api.request("/v1/health", {}, from("192.0.2.1"))).status).toBe(200);
  });
});

test("at one door so many may fail, wherever they come from; it opens again by itself, and others stay open", () => {
  const rates = newRates();
  for (let i = 0; i < 120; i += 1) {
    rates.meetAt("red/house", 0);
    rates.failAt("red/house", 0);
  }
  expect(() => rates.meetAt("red/house", 0)).toThrow(expect.objectContaining({ kind: "limit", retryAfterSeconds: 1 }));
  expect(() => rates.meetAt("blue/house", 0)).not.toThrow();
  expect(() => rates.meetAt("red/house", 500)).not.toThrow();
  for (let i = 0; i < 11_000; i += 1) rates.meetAt(`door ${i}`, 0);
  expect(rates.size).toBeLessThanOrEqual(10_000);
});

test("what is open to strangers is looked at 60 times a minute from one source, and a second later once more", () => {
  const rates = newRates();
  for (let i = 0; i < 60; i += 1) rates.look("192.0.2.1", 0);
  expect(() => rates.look("192.0.2.1", 0)).toThrow(expect.objectContaining({ kind: "limit", retryAfterSeconds: 1 }));
  expect(() => rates.look("192.0.2.2", 0)).not.toThrow();
  expect(() => rates.look("192.0.2.1", 1_000)).not.toThrow();
  expect(() => rates.look("192.0.2.1", 1_000)).toThrow();
});
