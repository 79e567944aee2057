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

const verbs = () =>
  [...signing.world.tables.rows()]
    .filter(([place]) => place.includes("/audit/"))
    .map(([, row]) => String((row as Record<string, unknown>)["verb"]));

test("who signs in for the first time is a viewer by that where the provider may, and the same member ever after", async () => {
  const { world, ada, provide, enter } = signing;
  await provide({ jit: true, claims: { name: "nick" } });
  const first = await enter({ nick: "bobby", sub: "bob", email: "bob@example.com" });
  expect([first.status, first.body["kind"]]).toEqual([201, "session"]);
  expect(first.body["holder"]).toMatchObject({
    name: "bobby",
    role: "viewer",
    kind: "person",
    email: "bob@example.com",
  });
  const session = world.as(String(first.body["token"]));
  const me = await session.get("/v1/me");
  expect(me.body).toMatchObject({ role: "viewer", tenant: { name: "red" } });
  await world.clock.pass(1_000);
  const again = await enter({ nick: "robert", sub: "bob" });
  expect((again.body["holder"] as { id: string }).id).toBe((first.body["holder"] as { id: string }).id);
  expect(verbs().filter((verb) => verb === "member:create")).toHaveLength(1);
  const listed = await session.get("/v1/tokens?kind=session");
  expect((listed.body["items"] as { id: string }[]).map(({ id }) => id).sort()).toEqual(
    [String(first.body["id"]), String(again.body["id"])].sort(),
  );
  const quotas = (await ada.get("/v1/quotas")).body["items"] as { what: string; used: number }[];
  expect(quotas.find(({ what }) => what === "tokens")?.used).toBe(1);
});

test("who is proved and is no member is told that an owner has to invite, and nobody was made", async () => {
  const { ada, provide, enter } = signing;
  await provide();
  const answer = await enter();
  expect([answer.status, answer.body["detail"]]).toEqual([
    403,
    "You are no member here yet: an owner has to invite you.",
  ]);
  expect(((await ada.get("/v1/members")).body["items"] as unknown[]).length).toBe(1);
});

test("what can't be told apart from outside is one answer: no such tenant, no such provider, a wrong proof, a suspended member", async () => {
  const { ada, provide, enter } = signing;
  await provide({ jit: true });
  const holder = (await enter({ sub: "sue" })).body["holder"] as { id: string };
  await ada.patch(`/v1/members/${holder.id}`, { state: "suspended" });
  const wrong = [
    await enter({}, { tenant: "nowhere" }),
    await enter({}, { provider: "nobody" }),
    await enter({}, { tenant: ada.tenant, provider: `idp_${"0".repeat(26)}` }),
    await enter({ aud: "another" }),
    await enter({ sub: "sue" }),
    await enter({}, { nonce: "never" }),
  ].map(({ status, body: { requestID: _, ...body } }) => JSON.stringify({ status, body }));
  expect([...new Set(wrong)]).toHaveLength(1);
  expect(wrong[0]).toContain("A valid proof of who you are is needed.");
});

test("an ID token is taken once, however it is signed anew and however close the two come", async () => {
  const { world, provide } = signing;
  const other = await newKey("two", "ES256");
  issuer.keys = [other];
  await provide({ jit: true });
  const idToken = await issuer.token(world.clock.now(), { sub: "bob" });
  const say = (token: string) =>
    world.as(undefined).post("/v1/sessions", { tenant: "red", provider: "house", idToken: token });
  const both = await Promise.all([say(idToken), say(idToken)]);
  expect(both.map(({ status }) => String(status)).sort()).toEqual(["201", "401"]);
  // Of an ECDSA signature (r, s) everyone can make a second that fits, (r, n - s).
  const [head = "", body = "", signature = ""] = idToken.split(".");
  const bytes = Buffer.from(signature, "base64url");
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const s = order - BigInt(`0x${bytes.subarray(32).toString("hex")}`);
  const twin = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, "0"), "hex")]);
  expect((await say(`${head}.${body}.${twin.toString("base64url")}`)).status).toBe(401);
});

test("a team that names a claim follows it at each sign-in, and one without is left alone", async () => {
  const { world, ada, provide, enter } = signing;
  await provide({ jit: true, claims: { groups: "teams" } });
  const made = async (name: string, claims: string[]) =>
    String((await ada.post("/v1/teams", { name, claims })).body["id"]);
  const [builders, writers, friends] = [
    await made("builders", ["b"]),
    await made("writers", ["w"]),
    await made("friends", []),
  ];
  const { id } = (await enter({ sub: "bob", teams: ["b"] })).body["holder"] as { id: string };
  await ada.patch(`/v1/teams/${friends}`, { members: [id] });
  const members = async (team: string) => (await ada.get(`/v1/teams/${team}`)).body["members"];
  expect(await Promise.all([builders, writers, friends].map(members))).toEqual([[id], [], [id]]);
  await world.clock.pass(1_000);
  await enter({ sub: "bob", teams: ["w", 7] });
  expect(await Promise.all([builders, writers, friends].map(members))).toEqual([[], [id], [id]]);
  await ada.patch(`/v1/members/${id}`, { state: "suspended" });
  await world.clock.pass(1_000);
  expect((await enter({ sub: "bob", teams: ["b"] })).status).toBe(401);
  expect(await Promise.all([builders, writers, friends].map(members))).toEqual([[], [id], [id]]);
});

test("where only some domains may sign in, the e-mail must be one of theirs and verified", async () => {
  const { provide, enter } = signing;
  await provide({ jit: true, allowedDomains: ["example.com"] });
  for (const claims of [
    {},
    { email: "bob@example.com" },
    { email: "bob@example.com", email_verified: "true" },
    { email: "bob@evil.test", email_verified: true },
    { email: "bob@sub.example.com", email_verified: true },
    { email: "bob@example.com@evil.test", email_verified: true },
  ])
    expect((await enter(claims)).status, JSON.stringify(claims)).toBe(403);
  expect((await enter({ email: "bob@Example.com", email_verified: true })).status).toBe(201);
});

test("two tenants share an issuer and a client, and neither's members are the other's", async () => {
  const { world, ada, provide, enter, owner } = signing;
  await provide({ jit: true });
  const sue = await owner("blue");
  await provide({ jit: true }, sue);
  const red = await enter({ sub: "bob" });
  await world.clock.pass(1_000);
  const blue = await enter({ sub: "bob" }, { tenant: "blue" });
  const holders = [red, blue].map(({ body }) => body["holder"] as { id: string; tenant: string });
  expect(holders[0]?.id).not.toBe(holders[1]?.id);
  expect(holders.map(({ tenant }) => tenant)).toEqual([ada.tenant, sue.tenant]);
  // Not even what the issuer says of itself is one tenant's by way of another.
  expect(issuer.asked.filter((path) => path === "/jwks")).toHaveLength(2);
});

test("a session ends with its time, when it is ended, and with its provider; an API key is no session", async () => {
  const { world, ada, provide, enter } = signing;
  const id = await provide({ jit: true, sessionHours: 1 });
  const session = async (sub: string) => {
    const { body } = await enter({ sub });
    return { id: String(body["id"]), ...world.as(String(body["token"])) };
  };
  const [one, two, three] = [await session("a"), await session("b"), await session("c")];
  expect((await one.delete("/v1/sessions/current")).body).toMatchObject({ id: one.id, state: "revoked" });
  expect((await one.delete("/v1/sessions/current")).status).toBe(401);
  expect((await two.delete(`/v1/sessions/${three.id}`)).status).toBe(404);
  expect((await ada.delete("/v1/sessions/current")).status).toBe(404);
  expect((await ada.delete(`/v1/tokens/${two.id}`)).body).toMatchObject({ state: "revoked" });
  await world.clock.pass(11_000);
  expect((await two.get("/v1/me")).status).toBe(401);
  expect((await three.get("/v1/me")).status).toBe(200);
  expect((await ada.delete(`/v1/providers/${id}`)).status).toBe(200);
  await world.clock.pass(11_000);
  expect((await three.get("/v1/me")).status).toBe(401);
  expect((await enter({ sub: "a" })).status).toBe(401);
  await provide({ jit: true, sessionHours: 1 });
  const four = await session("a");
  await world.clock.pass(3_600_000);
  expect((await four.get("/v1/me")).status).toBe(401);
});

test("of more than 20 sessions of one member the oldest end", async () => {
  const { world, ada, provide, enter } = signing;
  await provide({ jit: true });
  const made: string[] = [];
  for (let i = 0; i < 22; i += 1) {
    await world.clock.pass(1_000);
    made.push(String((await enter({ sub: "bob" })).body["id"]));
  }
  const { items } = (await ada.get("/v1/tokens?kind=session&limit=100")).body as {
    items: { id: string; state: string }[];
  };
  const ended = items.filter(({ state }) => state === "revoked").map(({ id }) => id);
  expect(ended.sort()).toEqual(made.slice(0, 2).sort());
});

test("who was invited makes itself known, and signs in by that from then on; nobody takes another's place", async () => {
  const { world, ada, provide, enter } = signing;
  const id = await provide();
  const bob = await world.member(ada.tenant, "editor");
  const prove = async (who: typeof bob, sub: string) => {
    await world.clock.pass(1_000);
    const idToken = await issuer.token(world.clock.now(), { sub });
    return await who.post("/v1/me/identity", { provider: "house", idToken });
  };
  expect((await enter({ sub: "bob" })).status).toBe(403);
  const wrong = { provider: "house", idToken: await issuer.token(world.clock.now(), { aud: "other" }) };
  expect((await bob.post("/v1/me/identity", wrong)).status).toBe(401);
  expect((await bob.post("/v1/me/identity", { ...wrong, provider: "other" })).status).toBe(404);
  const scoped = await world.member(ada.tenant, "editor", ["token:read"]);
  expect((await prove(scoped, "bob")).status).toBe(403);
  expect(await prove(bob, "bob")).toMatchObject({
    status: 200,
    body: { id: bob.member, identity: { subject: "bob" } },
  });
  await world.clock.pass(1_000);
  expect((await enter({ sub: "bob" })).body["holder"]).toMatchObject({ id: bob.member, role: "editor" });
  const again = await prove(bob, "robert");
  expect([again.status, again.body["detail"]]).toEqual([409, "You are known by an identity already."]);
  const eve = await world.member(ada.tenant, "viewer");
  expect((await prove(eve, "bob")).status).toBe(409);
  // What was taken once is taken no more, though whom it made is gone.
  const idToken = await issuer.token(world.clock.now(), { sub: "sue" });
  await ada.patch(`/v1/providers/${id}`, { jit: true });
  const made = await world.as(undefined).post("/v1/sessions", { tenant: "red", provider: "house", idToken });
  await ada.delete(`/v1/members/${(made.body["holder"] as { id: string }).id}`);
  expect((await eve.post("/v1/me/identity", { provider: id, idToken })).status).toBe(401);
});
