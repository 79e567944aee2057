import { beforeAll, describe, expect, test } from "vitest";
import { grants, type Permission, permissions } from "#core/allow.ts";
import { roles } from "#core/role.ts";
import * as Tenant from "#core/tenant/index.ts";
import { type ID, newID, nounOf } from "#core/id.ts";
import { rowID, tokenKind } from "#core/token/schema.ts";
import { tenantKind } from "#core/tenant/schema.ts";
import { type Answer, homeTenant, newStage, type Stage } from "../functions/stage.ts";

// Every route that is served is walked as everyone who must not get in. What a route asks for stands in its own
// declaration, so a new route is walked without a line here, and one without a declaration fails.

interface Route {
  method: string;
  path: string;
  permission: Permission | "member" | "public";
  operationId: string;
}

const first = newStage();
const document = (await (await first.doors.api.request("/v1/openapi.json")).json()) as Doc;
type Doc = { paths: Record<string, Record<string, { "x-permission"?: Route["permission"]; operationId: string }>> };
const declared: Route[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { operationId, ...more }]) => ({
    method: method.toUpperCase(),
    path,
    permission: more["x-permission"] ?? ("" as never),
    operationId,
  })),
);
const closed = declared.filter(({ permission }) => permission !== "public");
const bodies: Record<string, unknown> = {
  poke: { pokes: [{ tenant: `tnt_${"0".repeat(26)}`, id: `cls_${"0".repeat(26)}` }] },
  updateCluster: { deletionProtection: true },
  updateTenant: { state: "active" },
  releaseParked: { tenant: `tnt_${"0".repeat(26)}` },
  updateHost: { title: "North" },
  createMember: { name: "bob", kind: "robot", role: "viewer" },
  updateMember: { name: "bob" },
};

let stage: Stage;
let victim: { id: ID<"tenant">; owner: { text: string } };
let ids: Record<string, string>;

beforeAll(async () => {
  stage = newStage();
  await stage.staff();
  victim = await stage.tenant("victim");
  const host = await stage.host();
  const cluster = await stage.as(victim.owner.text)("POST", "/v1/clusters", { name: "red" });
  const token = await stage.as(victim.owner.text)("POST", "/v1/tokens", { name: "mine" });
  expect([cluster.status, token.status]).toEqual([201, 201]);
  const { member } = await stage.member(victim.id, "viewer");
  ids = {
    clusters: String(cluster.body["id"]),
    tokens: String(token.body["id"]),
    hosts: host.id,
    parked: String(cluster.body["id"]),
    tenants: victim.id,
    members: member,
  };
});

const idIn = (path: string): string => ids[/\/(\w+)\/\{id\}/.exec(path)?.[1] ?? ""] ?? "none";
const call = (token: string | undefined, { method, path, operationId }: Route, id = idIn(path)): Promise<Answer> => {
  const body = method === "GET" || method === "DELETE" ? undefined : (bodies[operationId] ?? {});
  return stage.as(token)(method, path.replace("{id}", id), body);
};
const said = ({ status, body: { requestID: _, ...body } }: Answer) => ({ status, body });
/** All rows but the notes of when a token was used. */
const state = () => JSON.stringify([...stage.tables.rows()].filter(([key]) => !key.includes("/token/")));

describe("the registry", () => {
  test("every route that is served is declared, with who may call it", () => {
    const served = [...first.doors.api.routes, ...first.doors.access.routes]
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    const known = declared.map(({ method, path }) => `${method} ${path}`);
    expect([...new Set(served)].sort()).toEqual([...known, "GET /openapi.json", "GET /v1/openapi.json"].sort());
    const allowed = new Set<string>([...permissions, "member", "public"]);
    expect(declared.filter(({ permission }) => !allowed.has(permission))).toEqual([]);
  });

  test("only health, and what verifiers of a cluster's tokens need, is open", () => {
    expect(declared.filter(({ permission }) => permission === "public").map(({ path }) => path)).toEqual([
      "/v1/health",
      "/oidc/{tenant}/{cluster}/.well-known/openid-configuration",
      "/oidc/{tenant}/{cluster}/openid/v1/jwks",
    ]);
  });

  test("every id in a path is of a noun that this walk has a thing of", () => {
    const nouns = closed.filter(({ path }) => path.includes("{")).map(({ path }) => nounOf(idIn(path)));
    expect(nouns).not.toContain(undefined);
  });
});

describe.each(closed)("$method $path", (route) => {
  test("is shut to no token, garbage, an expired, a revoked and a suspended one, with one answer", async () => {
    const table = stage.deps.home.table(victim.id);
    const marked = async (set: Record<string, unknown>) => {
      const { member, token, text } = await stage.member(victim.id, "owner");
      await table.edit(tokenKind, rowID(member, token.id), { set });
      return text;
    };
    const away = await stage.tenant("away");
    await stage.deps.home.table(away.id).edit(tenantKind, away.id, { set: { state: "suspended" } });
    const { text } = await stage.member(victim.id, "owner");
    const strangers = {
      none: undefined,
      garbage: "berth_garbage",
      altered: `${text.slice(0, -1)}${text.endsWith("0") ? "1" : "0"}`,
      expired: await marked({ expiresAt: stage.clock.now() }),
      revoked: await marked({ revokedAt: stage.clock.now() }),
      suspended: away.owner.text,
    };
    const before = state();
    const answers = new Set<string>();
    for (const [who, token] of Object.entries(strangers)) {
      const answer = await call(token, route);
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
    const home = permission.startsWith("home:");
    const tenant = home ? homeTenant : victim.id;
    const others = permissions.filter((each) => each !== permission);
    const weak = roles.filter((role) => !grants(role).has(permission)).map((role) => ({ role, scopes: null }));
    const strong = roles.filter((role) => grants(role).has(permission)).map((role) => ({ role, scopes: [...others] }));
    for (const { role, scopes } of [...weak, ...strong]) {
      const { text } = await stage.member(tenant, role, scopes);
      const before = state();
      const { status } = await call(text, route);
      expect(status, `${role} ${scopes}`).toBe(home && role !== "staff" ? 404 : 403);
      expect(state()).toBe(before);
    }
  });

  test("does not tell another tenant what is there", async () => {
    const stranger = await stage.tenant(`stranger`);
    const before = state();
    const answer = await call(stranger.owner.text, route);
    expect(answer.text).not.toContain(victim.id);
    if (route.permission.startsWith("home:")) {
      const nowhere = await stage.as(stranger.owner.text)("GET", "/v1/nowhere");
      expect(said(answer)).toEqual(said(nowhere));
    } else if (route.path.includes("{id}")) {
      const noun = nounOf(idIn(route.path)) ?? "cluster";
      expect(answer.status).toBe(404);
      expect(said(answer)).toEqual(said(await call(stranger.owner.text, route, newID(stage.deps, noun))));
    }
    if (route.path.includes("{id}") || route.permission.startsWith("home:")) expect(state()).toBe(before);
  });

  test("is open to whoever has its permission and nothing else", async () => {
    const { permission } = route;
    const home = permission.startsWith("home:");
    const scopes = permission === "member" ? ["version:read"] : [permission];
    const { text } = await stage.member(home ? homeTenant : victim.id, home ? "staff" : "owner", scopes);
    const noun = nounOf(idIn(route.path));
    // An id that never was, so that the walk leaves things standing: past the door, 404 is the noun's own answer.
    const { status, body } = await call(text, route, noun && newID(stage.deps, noun));
    expect([200, 201, 202, 400, 404], JSON.stringify(body)).toContain(status);
    if (status === 404)
      expect(body["detail"]).toMatch(/^There is no such (cluster|token|member|host|tenant|receipt)\.$/);
  });
});

test("staff of the home tenant only is staff: the role alone, in another tenant, opens nothing", async () => {
  const { text } = await stage.member(victim.id, "staff");
  for (const route of closed.filter(({ permission }) => permission.startsWith("home:"))) {
    expect((await call(text, route)).status, route.operationId).toBe(404);
  }
  expect(await Tenant.bootstrap(stage.deps)).toMatch(/^berth_/);
});
