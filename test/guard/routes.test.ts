import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, homeTenant, newWorld, type Person, type World } from "../world/index.ts";
import { grants, permissions } from "#core/allow.ts";
import { type ID, newID, type Noun } from "#core/id.ts";
import { memberKind } from "#core/member/schema.ts";
import { roles } from "#core/role.ts";
import * as Tenant from "#core/tenant/index.ts";
import { tenantKind } from "#core/tenant/schema.ts";
import { rowID, tokenKind } from "#core/token/schema.ts";
import { newRow } from "../world/host.ts";
import { bind, newThings, said, type Things } from "./things.ts";
import { type Fill, places, request, type Route, walkOf } from "./walk.ts";

// Every route that is served is walked as everyone who must not get in. What a route asks for stands in its own
// declaration, and what it takes in its schemas, so a new route is walked without a line here, and one without a
// declaration fails.

const first = newWorld();
const text = await (await first.doors.api.request("/v1/openapi.json")).text();
const { routes: declared, schemas } = walkOf(text);
const closed = declared.filter(({ permission }) => permission !== "public");

/** Who needs no token: each is here by hand, and its own tests hold what it tells. */
const open = [
  "GET /v1/health",
  "POST /v1/invites/accept",
  "GET /v1/sign-in",
  "POST /v1/sessions",
  "GET /oidc/{tenant}/{cluster}/.well-known/openid-configuration",
  "GET /oidc/{tenant}/{cluster}/openid/v1/jwks",
];
/** What a token that is bound may ask of its tenant nevertheless, or of itself. */
const unbound = new Set(["tenant:read", "version:read", "quota:read", "home:poke", "member"]);

let world: World;
let victim: { tenant: ID<"tenant">; owner: Person; things: Things };
let stranger: { owner: Person; things: Things };
let invite: string | undefined;
/** Another cluster and project of the victim's. */
let elsewhere: { cluster: ID<"cluster">; project: ID<"project"> };
let cells = 0;

beforeAll(async () => {
  world = newWorld();
  await world.staff();
  const { id: host } = await newRow(world.deps, { healthyAt: "2099-01-01T00:00:00.000Z" });
  const owner = await world.tenant("victim");
  const { things, texts } = await newThings(world, owner, host);
  invite = texts.find((each) => /invite|inv_/.test(each));
  victim = { tenant: owner.tenant, owner, things };
  const other = await world.tenant("stranger");
  stranger = { owner: other, things: (await newThings(world, other, host)).things };
  elsewhere = { cluster: newID(world.deps, "cluster"), project: newID(world.deps, "project") };
});
afterAll(() => console.info(`${closed.length} routes, ${cells} cells`));

const fillOf =
  (things: Things): Fill =>
  (noun) =>
    things[noun];
async function call(as: Pick<Person, "call">, route: Route, fill = fillOf(victim.things), turn = 0): Promise<Answer> {
  cells += 1;
  const { path, query, body } = request(route, schemas, fill, turn);
  return await world.run(as.call(route.method, path + query, body));
}
/** All rows but the notes of when a token was used. */
const state = () => JSON.stringify([...world.tables.rows()].filter(([key]) => !key.includes("/token/")));
const theirs = () =>
  JSON.stringify([...world.tables.rows()].filter(([key]) => key.startsWith(victim.tenant) && !key.includes("/token/")));

/** A token of another audience, well signed by somebody: of an OpenID provider, and of a cluster's own API server. */
function foreign(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const head = `${part({ alg: "HS256", typ: "JWT", kid: "1" })}.${part({ iat: 1, exp: 4_102_444_800, ...claims })}`;
  return `${head}.${createHmac("sha256", "a key of theirs").update(head).digest("base64url")}`;
}

describe("the registry", () => {
  test("every route that is served is declared, with who may call it", () => {
    const served = [...first.doors.api.routes, ...first.doors.access.routes]
      // What is for all paths is no route but what all of them pass through.
      .filter(({ method, path }) => method !== "ALL" || !/^(\/?\*|\/)$/.test(path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, "{$1}")}`);
    const known = declared.map(({ method, path }) => `${method} ${path}`);
    expect([...new Set(served)].sort()).toEqual([...known, "GET /openapi.json", "GET /v1/openapi.json"].sort());
    const allowed = new Set<string>([...permissions, "member", "public"]);
    expect(declared.filter(({ permission }) => !allowed.has(permission))).toEqual([]);
  });

  test("what is open to anyone is what is named here", () => {
    const found = declared.filter(({ permission }) => permission === "public");
    expect(found.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([...open].sort());
  });

  test("every part of a path that may vary is an id that this walk has a thing of, but for the proxy's own", () => {
    const bare = closed.flatMap((route) => {
      const known = new Set(places(route, schemas).map(({ place }) => place));
      return route.params.filter(({ name }) => !known.has(`path.${name}`)).map(({ name }) => `${route.path} ${name}`);
    });
    expect(bare.filter((each) => !/^\/v1\/kube\/.* (path|rest)$|^\/v1\/home\/letters/.test(each))).toEqual([]);
  });
});

describe.each(closed)("$method $path", (route) => {
  const home = route.permission.startsWith("home:");

  test("is shut to all who have no token that is good now, with one answer", async () => {
    const table = world.deps.home.table(victim.tenant);
    const newcomer = () => world.member(victim.tenant, "owner");
    const marked = async (set: Record<string, unknown>): Promise<string> => {
      const { member, token, text } = await newcomer();
      await table.edit(tokenKind, rowID(member, token.id), { set });
      return text;
    };
    const away = await world.tenant("away");
    await world.deps.home.table(away.tenant).edit(tenantKind, away.tenant, { set: { state: "suspended" } });
    const [{ text }, suspended, removed] = [await newcomer(), await newcomer(), await newcomer()];
    await table.edit(memberKind, suspended.member, { set: { state: "suspended" } });
    await table.write(table.remove(memberKind, removed.member));
    const strangers: Record<string, string | undefined> = {
      none: undefined,
      garbage: "berth_garbage",
      altered: `${text.slice(0, -1)}${text.endsWith("0") ? "1" : "0"}`,
      expired: await marked({ expiresAt: world.clock.now() }),
      revoked: await marked({ revokedAt: world.clock.now() }),
      "of a member who is suspended": suspended.text,
      "of a member who is gone": removed.text,
      "of a tenant that is suspended": away.text,
      "an ID token": foreign({ iss: "https://issuer.sample.test", aud: "berth", sub: "bob" }),
      "a cluster's token": foreign({
        iss: `https://berth.test/oidc/${victim.tenant}/${victim.things.cluster}`,
        aud: ["https://berth.test"],
        sub: `system:serviceaccount:berth-members:${victim.owner.member.replace("_", "-")}`,
      }),
      "an invite": invite ?? "berth_none",
    };
    const before = state();
    const answers = new Set<string>();
    for (const [who, token] of Object.entries(strangers)) {
      const answer = await call(world.as(token), route);
      expect(answer.status, who).toBe(401);
      expect(answer.headers.get("www-authenticate"), who).toBe("Bearer");
      answers.add(JSON.stringify(said(answer)));
    }
    expect(answers.size).toBe(1);
    expect(state()).toBe(before);
  });

  test("is shut to every role and every scope without its permission", async () => {
    const { permission } = route;
    if (permission === "member" || permission === "public") return;
    const tenant = home ? homeTenant : victim.tenant;
    const others = permissions.filter((each) => each !== permission);
    const weak = roles.filter((role) => !grants(role).has(permission)).map((role) => ({ role, scopes: null }));
    const strong = roles.filter((role) => grants(role).has(permission)).map((role) => ({ role, scopes: [...others] }));
    for (const { role, scopes } of [...weak, ...strong]) {
      const person = await world.member(tenant, role, scopes);
      const before = state();
      const { status } = await call(person, route);
      expect(status, `${role} ${scopes}`).toBe(home && role !== "staff" ? 404 : 403);
      expect(state()).toBe(before);
    }
  });

  test("does not act on, nor tell of, what a bound token is not bound to", async () => {
    if (home) return;
    for (const to of [
      { clusters: [elsewhere.cluster] },
      { projects: [elsewhere.project] },
      { clusters: [elsewhere.cluster], projects: [elsewhere.project] },
    ]) {
      const person = await world.member(victim.tenant, "owner");
      await bind(world, person, to);
      const before = state();
      const answer = await call(person, route);
      const what = `${JSON.stringify(to)} ${answer.status} ${answer.text.slice(0, 300)}`;
      if (!unbound.has(route.permission)) expect(state(), what).toBe(before);
      if (answer.status >= 400) {
        expect([403, 404], what).toContain(answer.status);
        continue;
      }
      // A list that is kept to what the token reaches, or what any token may ask.
      if (route.method !== "GET") expect(unbound.has(route.permission), what).toBe(true);
      for (const noun of ["cluster", "project", "grant"] as const)
        expect(answer.text, what).not.toContain(victim.things[noun]);
    }
  });

  test("does not tell another tenant what is there, wherever its id is said", async () => {
    const own = stranger.things;
    for (let turn = 0; turn < 3; turn += 1) {
      for (const { place: at, noun } of places(route, schemas, turn)) {
        const never = newID(world.deps, noun as "cluster");
        const filled =
          (foreign: string): Fill =>
          (each, place) =>
            place === at ? foreign : (own as Record<Noun, string>)[each];
        const before = theirs();
        const [told, nothing] = [
          await call(stranger.owner, route, filled(victim.things[noun]), turn),
          await call(stranger.owner, route, filled(never), turn),
        ];
        const plain = (answer: Answer): string =>
          JSON.stringify(said(answer)).replaceAll(victim.things[noun], "ID").replaceAll(never, "ID");
        expect(plain(told), at).toBe(plain(nothing));
        expect(told.text.replaceAll(victim.things[noun], ""), at).not.toContain(victim.tenant);
        if (!at.startsWith("query.")) expect(told.status, `${at} ${told.text}`).toBeGreaterThanOrEqual(400);
        if (at.startsWith("path.") && !home) expect(told.status, told.text).toBe(404);
        expect(theirs(), at).toBe(before);
      }
    }
    if (!home) return;
    const nowhere = await world.as(stranger.owner.text).get("/v1/nowhere");
    expect(said(await call(stranger.owner, route))).toEqual(said(nowhere));
  });

  test("is open to whoever has its permission and nothing else", async () => {
    const { permission } = route;
    const scopes = permission === "member" ? ["version:read"] : [permission];
    const person = await world.member(home ? homeTenant : victim.tenant, home ? "staff" : "owner", scopes);
    // Ids that never were, so that the walk leaves things standing: past the door, 404 is the noun's own answer.
    const never: Fill = (noun) => newID(world.deps, noun as "cluster");
    const { status, body } = await call(person, route, never);
    expect([200, 201, 202, 204, 400, 403, 404, 409], JSON.stringify(body)).toContain(status);
    if (status === 403) {
      // For what it asks beside, as to give away what one has: with all of that there is nothing that refuses.
      expect(body["detail"]).not.toContain(` ${permission}.`);
      const full = await world.member(home ? homeTenant : victim.tenant, home ? "staff" : "owner");
      expect((await call(full, route, never)).status).not.toBe(403);
    }
    if (status === 404) expect(body["detail"]).toMatch(/^There is no such [a-z ]+\.$/);
  });
});

test("staff of the home tenant only is staff: the role alone, in another tenant, opens nothing", async () => {
  const person = await world.member(victim.tenant, "staff");
  for (const route of closed.filter(({ permission }) => permission.startsWith("home:"))) {
    expect((await call(person, route)).status, route.operationId).toBe(404);
  }
  expect(await Tenant.bootstrap(world.deps)).toMatch(/^berth_/);
});
