import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
// The world comes before core, whose keys it keeps from being made twice.
import { newSigning } from "./signing.ts";
import { type Issuer, type Key, newIssuer, newKey } from "../functions/api/issuer.ts";

let key: Key;
let issuer: Issuer;
let signing: Awaited<ReturnType<typeof newSigning>>;
beforeAll(async () => {
  key = await newKey("one");
  issuer = await newIssuer(key);
});
afterAll(() => issuer.close());
beforeEach(async () => {
  issuer.keys = [key];
  signing = await newSigning(issuer);
});

test("a new key of the provider's is found, an unknown one is asked for once a minute, and no key is kept for longer than ten", async () => {
  const { world, provide, enter } = signing;
  await provide({ jit: true });
  expect((await enter()).status).toBe(201);
  const next = await newKey("next");
  issuer.keys = [next];
  await world.clock.pass(61_000);
  expect((await enter()).status).toBe(201);
  issuer.asked.length = 0;
  const ghost = await newKey("ghost");
  for (let i = 0; i < 5; i += 1) {
    const idToken = await issuer.token(world.clock.now(), {}, {}, ghost);
    expect((await world.as(undefined).post("/v1/sessions", { tenant: "red", provider: "house", idToken })).status).toBe(
      401,
    );
  }
  expect(issuer.asked).toEqual([]);
  issuer.keys = [];
  await world.clock.pass(601_000);
  expect((await enter({}, {})).status).toBe(401);
});

test("a code is exchanged at the provider's own endpoint, with its verifier and nonce", async () => {
  const { world, provide } = signing;
  await provide({ jit: true });
  const proof = { code: "c1", codeVerifier: "v".repeat(43), redirectURI: "http://127.0.0.1:5/cb", nonce: "n" };
  const say = (more: object = {}) =>
    world.as(undefined).post("/v1/sessions", { tenant: "red", provider: "house", ...proof, ...more });
  issuer.answers["/token"] = { status: 400, body: { error: "invalid_grant" } };
  expect((await say()).status).toBe(401);
  issuer.answers["/token"] = { body: { id_token: await issuer.token(world.clock.now(), { nonce: "n" }) } };
  issuer.forms.length = 0;
  expect((await say()).status).toBe(201);
  expect(issuer.forms).toEqual([
    {
      grant_type: "authorization_code",
      code: "c1",
      code_verifier: proof.codeVerifier,
      redirect_uri: proof.redirectURI,
      client_id: "berth",
    },
  ]);
  issuer.answers["/token"] = { body: { id_token: await issuer.token(world.clock.now(), { nonce: "other" }) } };
  expect((await say()).status).toBe(401);
  const bare = await say({ nonce: undefined, codeVerifier: undefined });
  expect([bare.status, (bare.body["errors"] as { field: string }[]).map(({ field }) => field)]).toEqual([
    400,
    ["codeVerifier", "nonce"],
  ]);
});

test("how to sign in is told to anyone who names a tenant, and of a tenant that is not there nothing", async () => {
  const { world, provide } = signing;
  await provide({ title: "The house" });
  const ask = async (tenant: string) => (await world.as(undefined).get(`/v1/sign-in?tenant=${tenant}`)).body;
  const offer = {
    name: "house",
    title: "The house",
    issuer: issuer.url,
    clientID: "berth",
    scopes: ["openid", "profile", "email"],
    endpoints: { authorization: `${issuer.url}/auth`, token: `${issuer.url}/token`, device: `${issuer.url}/device` },
  };
  expect(await ask("red")).toEqual({ providers: [offer] });
  expect(await ask("nowhere")).toEqual({ providers: [] });
  world.deps.limits = true;
  const env = { incoming: { socket: { remoteAddress: "192.0.2.1" } } };
  const statuses: number[] = [];
  for (let i = 0; i < 61; i += 1)
    statuses.push((await world.doors.api.request("/v1/sign-in?tenant=x", {}, env)).status);
  expect([statuses.filter((status) => status === 200).length, statuses.at(-1)]).toEqual([60, 429]);
});

test("who fails too often is told when to come back, from one place and at one door, and others are not held up", async () => {
  const { world, provide } = signing;
  await provide({ jit: true });
  world.deps.limits = true;
  const idToken = await issuer.token(world.clock.now(), { aud: "another" });
  const say = async (address: string, provider = "house", token = idToken) => {
    const request = { method: "POST", headers: { "content-type": "application/json" } };
    const body = JSON.stringify({ tenant: "red", provider, idToken: token });
    const env = { incoming: { socket: { remoteAddress: address } } };
    return await world.doors.api.request("/v1/sessions", { ...request, body }, env);
  };
  const statuses: number[] = [];
  for (let i = 0; i < 21; i += 1) statuses.push((await say("192.0.2.1")).status);
  expect(statuses).toEqual([...Array<number>(20).fill(401), 429]);
  const good = await issuer.token(world.clock.now());
  expect((await say("192.0.2.2", "house", good)).status).toBe(201);
  for (let i = 0; i < 100; i += 1) await say(`198.51.100.${i}`);
  const shut = await say("192.0.2.3");
  expect([shut.status, Number(shut.headers.get("retry-after")) > 0]).toEqual([429, true]);
  expect((await say("192.0.2.4", "other")).status).toBe(401);
});

test("a provider is looked at before it is made, and what is wrong with it names the issuer", async () => {
  const { ada, world } = signing;
  const wanted = { name: "house", issuer: issuer.url, clientID: "berth" };
  const said = async (more: object): Promise<unknown> => {
    const answer = await ada.post("/v1/providers", { ...wanted, ...more });
    return [answer.status, (answer.body["errors"] as { field: string; message: string }[])[0]];
  };
  const at = "/.well-known/openid-configuration";
  const own = { issuer: issuer.url, authorization_endpoint: `${issuer.url}/a`, token_endpoint: `${issuer.url}/t` };
  const wrong = (message: string) => [400, { field: "issuer", message }];
  expect(await said({ issuer: "https://10.0.0.1" })).toEqual(wrong("must be at a public address"));
  expect(await said({ issuer: "http://public.test" })).toEqual(wrong("must begin with https://"));
  expect(await said({ issuer: `${issuer.url}/other` })).toEqual(wrong("it does not answer as a provider does"));
  issuer.answers[at] = { body: { ...own, jwks_uri: `${issuer.url}/jwks`, issuer: "https://other.test" } };
  expect(await said({})).toEqual(wrong("its discovery document names another issuer"));
  for (const keys of [undefined, 7, "https://169.254.169.254/keys", "file:///etc/passwd", "javascript:0"]) {
    issuer.answers[at] = { body: { ...own, jwks_uri: keys } };
    expect(await said({})).toEqual(wrong("its discovery document names no jwks_uri that may be asked"));
  }
  issuer.answers = {};
  const tried = await ada.post("/v1/providers?dryRun=true", wanted);
  expect([tried.status, tried.body["endpoints"]]).toMatchObject([200, { token: `${issuer.url}/token` }]);
  expect((await ada.get("/v1/providers")).body["items"]).toEqual([]);
  expect((await ada.post("/v1/providers", wanted)).status).toBe(201);
  expect((await ada.post("/v1/providers", wanted)).status).toBe(409);
  expect([...world.tables.rows()].filter(([key]) => key.includes("/providerName/"))).toHaveLength(1);
});

test("only who leads a tenant has to do with its providers, and another tenant's are not there", async () => {
  const { ada, owner, provide, world } = signing;
  const id = await provide({ jit: true, defaultRole: "editor" });
  const blue = await owner("blue");
  const { body } = await signing.enter();
  const editor = world.as(String(body["token"]));
  for (const answer of [
    await editor.get("/v1/providers"),
    await editor.post("/v1/providers", { name: "x", issuer: issuer.url, clientID: "berth" }),
    await editor.patch(`/v1/providers/${id}`, { jit: false }),
    await editor.delete(`/v1/providers/${id}`),
  ])
    expect(answer.status).toBe(403);
  for (const answer of [
    await blue.get(`/v1/providers/${id}`),
    await blue.patch(`/v1/providers/${id}`, { jit: false }),
    await blue.delete(`/v1/providers/${id}`),
  ])
    expect([answer.status, answer.body["detail"]]).toEqual([404, "There is no such provider."]);
  expect((await ada.get(`/v1/providers/${id}`)).body).toMatchObject({ jit: true, defaultRole: "editor" });
});

test("a provider changes on condition, never its issuer, and never to make owners", async () => {
  const { ada, provide } = signing;
  const id = await provide();
  const { headers } = await ada.get(`/v1/providers/${id}`);
  const etag = { "If-Match": headers.get("etag") ?? "" };
  const changed = await ada.patch(`/v1/providers/${id}`, { jit: true, sessionHours: 24 }, etag);
  expect([changed.status, changed.headers.get("etag")]).toEqual([200, '"2"']);
  expect((await ada.patch(`/v1/providers/${id}`, { jit: false }, etag)).status).toBe(412);
  expect((await ada.delete(`/v1/providers/${id}`, undefined, etag)).status).toBe(412);
  for (const input of [{ issuer: issuer.url }, { defaultRole: "owner" }, { sessionHours: 169 }, {}])
    expect((await ada.patch(`/v1/providers/${id}`, input)).status, JSON.stringify(input)).toBe(400);
  expect((await ada.get(`/v1/providers/${id}`)).body).toMatchObject({ jit: true, sessionHours: 24, generation: 2 });
});

test("a removal that breaks off has ended the sessions by then, and a repeat finishes it", async () => {
  const { ada, enter, provide, world } = signing;
  const id = await provide({ jit: true });
  const { body } = await enter();
  let broken = false;
  world.outside = ({ table, when }) => {
    if (
      when !== "before" ||
      broken ||
      !table?.changes?.some(({ kind, act }) => kind === "provider" && act === "remove")
    )
      return;
    broken = true;
    throw new Error("the process died");
  };
  expect((await ada.delete(`/v1/providers/${id}`)).status).toBe(500);
  expect((await ada.get(`/v1/tokens/${String(body["id"])}`)).body["state"]).toBe("revoked");
  expect((await ada.delete(`/v1/providers/${id}`)).status).toBe(200);
  expect((await ada.get("/v1/providers")).body["items"]).toEqual([]);
});

test("no proof, code or session text stands in any row or log line", async () => {
  const { enter, provide, world } = signing;
  await provide({ jit: true });
  const canary = "canary-7f3a91";
  issuer.answers["/token"] = { status: 400, body: { error: canary } };
  const proof = {
    code: canary,
    codeVerifier: `${canary}${"v".repeat(43)}`,
    redirectURI: "http://127.0.0.1:5/",
    nonce: canary,
  };
  await world.as(undefined).post("/v1/sessions", { tenant: "red", provider: "house", ...proof });
  const { body } = await enter();
  const idToken = await issuer.token(world.clock.now(), { aud: "other" });
  await world.as(undefined).post("/v1/sessions", { tenant: "red", provider: "house", idToken });
  const all = JSON.stringify([[...world.tables.rows()], world.lines]);
  for (const secret of [canary, String(body["token"]).slice(85), idToken.split(".")[2] ?? "", idToken])
    expect(all.includes(secret)).toBe(false);
});
