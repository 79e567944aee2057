import type { Context } from "./context.ts";
import { Fault } from "./error.ts";
import type { Role } from "./role.ts";

/** What may be asked for: `noun:verb`, also the scopes of a token. */
export const permissions = [
  "tenant:read",
  "member:read",
  "member:write",
  "token:read",
  "token:write",
  "audit:read",
  "version:read",
  "cluster:read",
  "cluster:write",
  "cluster:logs",
  "cluster:access",
  "quota:read",
  "home:read",
  "home:write",
  "home:poke",
] as const;
export type Permission = (typeof permissions)[number];

const viewer: Permission[] = ["tenant:read", "member:read", "token:read", "version:read", "cluster:read", "quota:read"];
const editor: Permission[] = [...viewer, "token:write", "cluster:write", "cluster:logs"];
const owner: Permission[] = [...editor, "member:write", "cluster:access", "audit:read"];
const granted: Record<Role, ReadonlySet<Permission>> = {
  viewer: new Set(viewer),
  editor: new Set(editor),
  owner: new Set(owner),
  staff: new Set([...owner, "home:read", "home:write", "home:poke"]),
};

/** All that a role may do. What a token is scoped for can only be less. */
export const grants = (role: Role): ReadonlySet<Permission> => granted[role];

/**
 * The first line of every verb. Synchronous and on the context alone, so that it can't be forgotten to be awaited.
 * @throws Fault `forbidden`; for `home:*` outside of the platform's own tenant `missing`, as if the route were not there.
 */
export function allow(ctx: Context, permission: Permission): void {
  const { role, scopes } = ctx.actor;
  const home = permission.startsWith("home:");
  if (home && (role !== "staff" || ctx.tenant !== ctx.home.tenant)) {
    throw new Fault("missing", "There is no such page.");
  }
  if (ctx.actor.tenant !== ctx.tenant || !granted[role].has(permission)) {
    throw new Fault("forbidden", `The role ${role} does not include ${permission}.`);
  }
  if (scopes !== null && !scopes.includes(permission)) {
    throw new Fault("forbidden", `This token is not scoped for ${permission}.`);
  }
}
