import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, newStage, type Stage } from "../stage.ts";
import { forgeries } from "./forgery.ts";
import { type Issuer, newIssuer, newKey } from "./issuer.ts";

let stage: Stage;
let issuer: Issuer;
let other: Issuer;
let ada: ReturnType<Stage["as"]>;
let text: string;
let reads = 0;
const tried = { keys: 0, proofs: 0 };
beforeAll(async () => {
  issuer = await newIssuer(await newKey("one"));
  other = await newIssuer(await newKey("one"));
  stage = newStage();
  Object.assign(stage.deps.home, { privateIssuers: ["127.0.0.1"] });
  const staff = await stage.staff();
  const tenant = async (name: string, from: Issuer) => {
    const { body } = await staff("POST", "/v1/home/tenants", { name, withToken: true });
    const owner = stage.as(String(body["token"]));
    const provider = { name: "house", issuer: from.url, clientID: "berth", jit: true };
    expect((await owner("POST", "/v1/providers", provider)).status).toBe(201);
    return { owner, text: String(body["token"]) };
  };
  ({ owner: ada, text } = await tenant("red", issuer));
  await tenant("blue", other);
  stage.tables.before = async () => {
    reads += 1;
  };
});
afterAll(async () => {
  await issuer.close();
  await other.close();
  // The bar: 200 and more, and every one of them counted.
  expect(tried.keys + tried.proofs).toBeGreaterThanOrEqual(200);
});
const rows = () => [...stage.tables.rows()].filter(([key]) => /\/(member|identity|token|redeemed)\//.test(key)).length;
const say = (idToken: string, more: object = {}): Promise<Answer> =>
  stage.as(undefined)("POST", "/v1/sessions", { tenant: "red", provider: "house", idToken, ...more });

/** Near misses of a key that works. */
function nearly(key: string): string[] {
  const flip = (at: number): string => `${key.slice(0, at)}${key[at] === "a" ? "b" : "a"}${key.slice(at + 1)}`;
  const body = key.slice(6);
  return [
    ...Array.from({ length: key.length - 6 }, (_, i) => flip(i + 6)).filter((each) => each !== key),
    key.slice(0, -1),
    key.slice(1),
    `${key}0`,
    `x${key}`,
    key.repeat(2),
    key.toUpperCase(),
    ...["BERTH_", "Berth_", "berth-", "berth", "", "berth__", "bert_", "ghp_"].map((prefix) => prefix + body),
    encodeURIComponent(key).replace("_", "%5F"),
    Buffer.from(key).toString("base64"),
    `"${key}"`,
    `${key},${key}`,
    key.replaceAll("0", "O"),
    Array.from(key).reverse().join(""),
    `${key.slice(0, 84)}_${"0".repeat(38)}`,
    "null",
    "undefined",
    "true",
    "[object Object]",
    "*",
    "%00",
    "../../x",
    "' OR 1=1 --",
    "{}",
    "0",
    "_",
    ".",
  ].filter((each) => each !== key);
}

test("no near miss of an API key is accepted, and nothing is looked up for what is not even in form", async () => {
  expect((await ada("GET", "/v1/me")).status).toBe(200);
  reads = 0;
  const all = nearly(text);
  for (const each of all) {
    tried.keys += 1;
    const { status } = await stage.as(each)("GET", "/v1/me");
    expect(status, each).toBe(401);
  }
  expect([all.length > 100, reads]).toEqual([true, 0]);
});

test("an Authorization header that only looks like ours is none", async () => {
  const headers = [
    text,
    `Basic ${text}`,
    `Token ${text}`,
    `Bearer`,
    `Bearer  ${text} x`,
    `Bearer\t${text}x`,
    `Bearer:${text}`,
    `Bearer ${text}, Bearer ${text}`,
    `DPoP ${text}`,
    `Bearer="${text}"`,
  ];
  for (const Authorization of headers) {
    tried.keys += 1;
    const { status } = await stage.as(undefined)("GET", "/v1/me", undefined, { Authorization });
    expect(status, Authorization.slice(0, 10)).toBe(401);
  }
});

test("an ID token opens nothing but the exchange, and a session token or an API key is no ID token", async () => {
  const token = await issuer.token(stage.clock.now());
  for (const idToken of [text, "x", token.slice(1)]) {
    tried.proofs += 1;
    expect((await say(idToken)).status).toBe(401);
  }
  tried.keys += 1;
  expect((await stage.as(token)("GET", "/v1/me")).status).toBe(401);
});

test("no forged ID token is taken, all are answered alike, and none leaves anything or asks anyone else", async () => {
  const now = stage.clock.now();
  const all = await forgeries(issuer, other, now);
  const before = rows();
  other.asked.length = 0;
  const answers = new Set<string>();
  for (const [what, idToken] of Object.entries(all)) {
    tried.proofs += 1;
    const { status, body } = await say(idToken);
    // Longer than any field may be, it is refused as that.
    if (status === 400) expect(idToken.length, what).toBeGreaterThan(16_384);
    else {
      expect(status, what).toBe(401);
      answers.add(JSON.stringify({ ...body, requestID: "" }));
    }
  }
  expect([Object.keys(all).length >= 150, answers.size, rows() - before, other.asked]).toEqual([true, 1, 0, []]);
  expect(stage.lines.filter(({ level }) => level === "error")).toEqual([]);
  // The very token that all of these are near to is taken, so that it was not refused for something else.
  expect((await say(await issuer.token(now, { aud: ["berth", "x"], azp: "berth" }))).status).toBe(201);
});

test("a proof for one tenant is none for another, nor with a nonce that it does not have", async () => {
  const token = (claims: object = {}) => issuer.token(stage.clock.now(), { sub: "bob", ...claims });
  for (const [claims, more] of [
    [{}, { tenant: "blue" }],
    [{}, { nonce: "n" }],
    [{ nonce: "n" }, {}],
    [{ nonce: "n" }, { nonce: "N" }],
    [{ nonce: "n" }, { nonce: "n " }],
  ] as const) {
    tried.proofs += 1;
    expect((await say(await token(claims), more)).status, JSON.stringify([claims, more])).toBe(401);
  }
  expect((await say(await token({ nonce: "n" }), { nonce: "n" })).status).toBe(201);
});

test("what is within the bounds of clocks is taken, to the second", async () => {
  const now = Math.floor(Date.parse(stage.clock.now()) / 1000);
  for (const [claims, status] of [
    [{ exp: now - 59 }, 201],
    [{ exp: now - 60 }, 401],
    [{ nbf: now + 60 }, 201],
    [{ nbf: now + 61 }, 401],
    [{ iat: now + 60 }, 201],
    [{ iat: now + 61 }, 401],
    [{ iat: now - 600 }, 201],
    [{ iat: now - 601 }, 401],
  ] as const)
    expect((await say(await issuer.token(stage.clock.now(), claims))).status, JSON.stringify(claims)).toBe(status);
});

test("a provider whose keys are of no use proves nothing, and one that does not answer is said to be away", async () => {
  const { keys } = issuer;
  const [key] = keys;
  const token = () => issuer.token(stage.clock.now(), { sub: "x" }, {}, key);
  for (const jwks of [
    [],
    [{ kty: "oct", k: "AAAA", kid: "one", alg: "HS256" }],
    [{ ...key?.public, use: "enc" }],
    [{ ...key?.public, n: "AQAB" }],
    [{ kid: "one" }],
    [null],
    [{ ...key?.public, alg: "PS256" }],
    [{ ...key?.public, key_ops: ["sign"] }],
  ]) {
    await stage.clock.pass(601_000);
    issuer.answers["/jwks"] = { body: { keys: jwks } };
    tried.proofs += 1;
    expect((await say(await token())).status, JSON.stringify(jwks).slice(0, 60)).toBe(401);
  }
  for (const broken of [{ status: 500, body: {} }, { body: "no JSON" }, { body: { keys: "none" } }, { body: [] }]) {
    await stage.clock.pass(601_000);
    issuer.answers["/jwks"] = broken;
    const { status, headers } = await say(await token());
    expect([status, headers.get("retry-after")]).toEqual([503, "30"]);
  }
  issuer.answers = {};
  await stage.clock.pass(601_000);
  expect((await say(await token())).status).toBe(201);
});
