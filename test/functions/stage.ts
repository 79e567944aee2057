import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Kube, KubeFault, Log, Seal, Target } from "#core/context.ts";
import type { Role } from "#core/allow.ts";
import { type ID, newID } from "#core/id.ts";
import { hostKind } from "#core/host/schema.ts";
import { memberKind } from "#core/member/schema.ts";
import * as PKI from "#core/pki/index.ts";
import * as Tenant from "#core/tenant/index.ts";
import { tenantKind } from "#core/tenant/schema.ts";
import * as Token from "#core/token/index.ts";
import { access } from "#functions/access/app.ts";
import { api } from "#functions/api/app.ts";
import type { Env } from "#functions/api/door.ts";
import { contextOf, type Deps, system } from "#functions/deps.ts";
import { newChance, newClock } from "../world/clock.ts";
import { newQueue } from "../world/queue.ts";
import { newTable } from "../world/table.ts";

export const homeTenant: ID<"tenant"> = "tnt_01k0000000000000000000h0me";

/** A line of the log, as it was said. */
export interface Line {
  level: "info" | "warn" | "error";
  message: string;
  fields: Record<string, unknown>;
}

/** What the API servers of this stage do. */
export interface Servers {
  /** What the next calls throw, by server; absent means all is well. */
  faults: Map<string, KubeFault>;
  asked: Target[];
}

/** The doors over stores in memory, with a clock and a chance of our own. */
export function newStage() {
  const clock = newClock();
  const tables = newTable({ now: () => clock.now() });
  const queue = newQueue();
  const lines: Line[] = [];
  const servers: Servers = { faults: new Map(), asked: [] };
  const home = tables.home({
    tenant: homeTenant,
    url: "https://berth.test",
    poke: (tenant, id) => queue.poke(tenant, id),
  });
  const deps: Deps = {
    home,
    log: logTo(lines),
    now: () => clock.now(),
    random: newChance(7),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    tools: async () => ({ kube: (target) => kubeOf(servers, target), seal: plainSeal }),
    bury: (body, reason) => queue.bury(body, reason),
  };
  const doors = { api: api(deps), access: access(deps) };
  const as = (text: string | undefined) => caller(doors, text);
  return {
    clock,
    tables,
    queue,
    lines,
    servers,
    deps,
    doors,
    as,
    /** A context as Berth itself in one tenant. */
    context: (tenant: ID<"tenant">) => contextOf(deps, system(tenant), "test"),
    staff: async () => as(await Tenant.bootstrap(deps)),
    tenant: (name: string) => newTenant(deps, name),
    member: (tenant: ID<"tenant">, role: Role, scopes: string[] | null = null) => newMember(deps, tenant, role, scopes),
    host: (more: Partial<HostRow> = {}) => newHost(deps, more),
  };
}
export type Stage = ReturnType<typeof newStage>;
type HostRow = (typeof hostKind)["schema"]["_zod"]["output"];

/** The answer of a door, with its body read. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
  text: string;
}

function caller(doors: { api: OpenAPIHono<Env>; access: OpenAPIHono<Env> }, token: string | undefined) {
  return async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const door = path.startsWith("/v1/kube/") ? doors.access : doors.api;
    const sent: Record<string, string> = {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...headers,
    };
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await door.request(path, { method, headers: sent, ...(body !== undefined && { body: text }) });
    const got = await answer.text();
    const json = answer.headers.get("content-type")?.includes("json")
      ? (JSON.parse(got) as Record<string, unknown>)
      : {};
    return { status: answer.status, headers: answer.headers, body: json, text: got };
  };
}

/** A member's token, by the rows alone: no verb lets one make a member yet. */
async function newMember(deps: Deps, tenant: ID<"tenant">, role: Role, scopes: string[] | null) {
  const id = newID(deps, "member");
  const table = deps.home.table(tenant);
  const member = { id, tenant, name: role, role, kind: "person" as const, createdAt: deps.now() };
  const token = Token.issue(deps, { tenant, member: id, name: "test", scopes, expiresAt: null });
  await table.write(table.insert(memberKind, id, member), token.change);
  return { member: id, token: token.token, text: token.text };
}

async function newTenant(deps: Deps, name: string) {
  const id = newID(deps, "tenant");
  const table = deps.home.table(id);
  await table.write(table.insert(tenantKind, id, { id, name, title: name, createdAt: deps.now(), state: "active" }));
  return { id, owner: await newMember(deps, id, "owner", null) };
}

async function newHost(deps: Deps, more: Partial<HostRow>): Promise<HostRow> {
  const now = deps.now();
  const host: HostRow = {
    id: newID(deps, "host"),
    name: "north",
    region: "north",
    zones: [],
    address: "192.0.2.10",
    ports: { from: 30_000, to: 30_002 },
    versions: ["1.34.4", "1.35.4"],
    policyEngine: null,
    imagePrefix: "images.test/berth",
    storageClass: "standard",
    serviceCIDRs: ["10.96.0.0/16"],
    podCIDRs: ["10.244.0.0/16"],
    state: "ready",
    runs: "v1.34.4",
    createdAt: now,
    checkedAt: now,
    healthyAt: now,
    ...more,
  };
  const table = deps.home.table(deps.home.tenant);
  await table.write(table.insert(hostKind, host.id, host));
  return host;
}

/** A kubeconfig of a server that this stage plays. */
export async function kubeconfigOf(server: string): Promise<string> {
  const { certificate } = await PKI.authority({ commonName: "stage", days: 3650, now: "2026-01-01T00:00:00.000Z" });
  return PKI.kubeconfig({ name: "stage", server, authority: certificate, user: { token: "host-token-canary" } });
}

/** Seals nothing, but holds the binding as the real one does. */
const plainSeal: Seal = {
  seal: async (plain, binding) => Buffer.from(JSON.stringify([binding, plain])).toString("base64"),
  async open(sealed, binding) {
    const [bound, plain] = JSON.parse(Buffer.from(sealed, "base64").toString()) as [unknown, string];
    if (JSON.stringify(bound) !== JSON.stringify(binding)) throw new Error("sealed for another binding");
    return plain;
  },
};

function kubeOf(servers: Servers, target: Target): Kube {
  const answer = <T>(value: T): Promise<T> => {
    servers.asked.push(target);
    const fault = servers.faults.get(target.server);
    return fault === undefined ? Promise.resolve(value) : Promise.reject(fault);
  };
  const not = (): never => {
    throw new Error("this stage has no objects");
  };
  return {
    version: () => answer("v1.34.4"),
    ready: () => answer(true).catch(() => false),
    create: not,
    apply: not,
    get: not,
    list: not,
    remove: not,
    watch: not,
    token: not,
  };
}

function logTo(lines: Line[]): Log {
  const say =
    (level: Line["level"]) =>
    (message: string, fields: Record<string, unknown> = {}): void =>
      void lines.push({ level, message, fields });
  return { info: say("info"), warn: say("warn"), error: say("error") };
}
