import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Role } from "#core/role.ts";
import { type ID, newID } from "#core/id.ts";
import { memberKind } from "#core/member/schema.ts";
import { tenantKind } from "#core/tenant/schema.ts";
import * as Token from "#core/token/index.ts";
import type { Token as TokenRow } from "#core/token/schema.ts";
import { access } from "#functions/access/app.ts";
import { api } from "#functions/api/app.ts";
import type { Env } from "#functions/api/env.ts";
import type { Deps } from "#functions/deps.ts";
import { doorOf } from "#functions/doors.ts";

/** The answer of a door, with its body read. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
  text: string;
}

export interface Doors {
  api: OpenAPIHono<Env>;
  access: OpenAPIHono<Env>;
  /** Awaits an answer, letting time pass where the request itself waits for something; left out, nothing passes. */
  answered?: <T>(work: Promise<T>) => Promise<T>;
}
export const newDoors = (deps: Deps): Doors => ({ api: api(deps), access: access(deps) });

/** Whoever calls the doors with one token, or none. A body that is a text is sent as it is. */
export interface Caller {
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  patch(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  delete(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

/** A member with a token. */
export interface Person extends Caller {
  tenant: ID<"tenant">;
  member: ID<"member">;
  token: TokenRow;
  /** The token's own text. */
  text: string;
}

export function newCaller(doors: Doors, token: string | undefined): Caller {
  const call: Caller["call"] = async (method, path, body, headers = {}) => {
    const door = doors[doorOf(path.split("?")[0] ?? "")];
    const sent: Record<string, string> = {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...headers,
    };
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const asked = Promise.resolve(
      door.request(path, { method, headers: sent, ...(body !== undefined && { body: text }) }),
    );
    const answer = await (method === "GET" || doors.answered === undefined ? asked : doors.answered(asked));
    const got = await answer.text();
    const isJSON = /[/+]json\b/.test(answer.headers.get("content-type") ?? "");
    return {
      status: answer.status,
      headers: answer.headers,
      body: isJSON && got !== "" ? (JSON.parse(got) as Record<string, unknown>) : {},
      text: got,
    };
  };
  return {
    call,
    get: (path, headers) => call("GET", path, undefined, headers),
    post: (path, body, headers) => call("POST", path, body, headers),
    patch: (path, body, headers) => call("PATCH", path, body, headers),
    delete: (path, body, headers) => call("DELETE", path, body, headers),
  };
}

/** By the rows alone: no verb lets one make a member yet. */
export async function newPerson(
  { deps, doors }: { deps: Deps; doors: Doors },
  tenant: ID<"tenant">,
  role: Role,
  scopes: string[] | null = null,
): Promise<Person> {
  const id = newID(deps, "member");
  const table = deps.home.table(tenant);
  const born = { state: "active", generation: 1, createdAt: deps.now() } as const;
  const member = { id, tenant, name: role, role, kind: "person" as const, ...born };
  const { token, text, changes } = Token.issue(deps, { tenant, member: id, name: "test", scopes, expiresAt: null });
  await table.write(table.insert(memberKind, id, member), ...changes);
  return { tenant, member: id, token, text, ...newCaller(doors, text) };
}

/** A tenant's first owner. */
export async function newTenant(on: { deps: Deps; doors: Doors }, name: string): Promise<Person> {
  const id = newID(on.deps, "tenant");
  const table = on.deps.home.table(id);
  const row = { id, name, title: name, createdAt: on.deps.now(), state: "active" as const };
  await table.write(table.insert(tenantKind, id, row));
  return await newPerson(on, id, "owner");
}
