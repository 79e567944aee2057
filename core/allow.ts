import type { Context } from "./context.ts";
import { Fault } from "./error.ts";
import type { ID } from "./id.ts";
import type { Role } from "./role.ts";

/** What may be asked for: `noun:verb`, also the scopes of a token. */
export const permissions = [
  "tenant:read",
  "member:read",
  "member:write",
  "team:read",
  "team:write",
  "invite:read",
  "invite:write",
  "provider:read",
  "provider:write",
  "token:read",
  "token:write",
  "group:read",
  "group:write",
  "grant:read",
  "grant:request",
  "grant:write",
  "project:read",
  "project:write",
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

// What one may do inside of a cluster is not here: that is granted by permission groups, and the cluster enforces it.
const viewer: Permission[] = [
  "tenant:read",
  "member:read",
  "team:read",
  "token:read",
  "group:read",
  "grant:read",
  "grant:request",
  "project:read",
  "version:read",
  "cluster:read",
  "cluster:access",
  "quota:read",
];
const editor: Permission[] = [
  ...viewer,
  "token:write",
  "group:write",
  "grant:write",
  "project:write",
  "cluster:write",
  "cluster:logs",
];
const owner: Permission[] = [
  ...editor,
  "member:write",
  "team:write",
  "invite:read",
  "invite:write",
  "provider:read",
  "provider:write",
  "audit:read",
];
const granted: Record<Role, ReadonlySet<Permission>> = {
  viewer: new Set(viewer),
  editor: new Set(editor),
  owner: new Set(owner),
  staff: new Set([...owner, "home:read", "home:write", "home:poke"]),
};

/** All that a role may do. What a token is scoped for can only be less. */
export const grants = (role: Role): ReadonlySet<Permission> => granted[role];

/** What a request is about: a token may be bound to some clusters and projects. */
export interface Where {
  cluster?: ID<"cluster">;
  project?: ID<"project">;
}

/** Of the tenant as a whole: what a bound token may ask for nevertheless. */
const unbound: ReadonlySet<Permission> = new Set(["tenant:read", "version:read", "quota:read", "home:poke"]);

/**
 * The first line of every verb. Synchronous and on the context alone, so that it can't be forgotten to be awaited.
 * @param where what it is about; `some` for a list, which is then to be kept to what `within` says. Left out, it is
 * about the tenant as a whole, which no bound token may ask about.
 * @throws Fault `forbidden`; for `home:*` outside of the platform's own tenant `missing`, as if the route were not there.
 */
export function allow(ctx: Context, permission: Permission, where?: Where | "some"): void {
  const { role, scopes, within: bounds } = ctx.actor;
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
  if (bounds === undefined || where === "some" || unbound.has(permission)) return;
  if (where === undefined) throw new Fault("forbidden", `This token is bound to some ${bounded(bounds)}.`);
  if (!within(ctx, where)) throw new Fault("forbidden", `This token is bound to other ${bounded(bounds)}.`);
}

/** Whether the caller's token reaches this. What is in a bound token's project on any cluster is within it. */
export function within({ actor: { within: bounds } }: Pick<Context, "actor">, where: Where): boolean {
  if (bounds === undefined) return true;
  const { cluster, project } = where;
  // Of what is in both, both must fit; a kind that the token is not bound by holds it back only where it is alone.
  const fits = <T>(list: readonly T[] | undefined, id: T | undefined): boolean | undefined =>
    id === undefined || list === undefined ? undefined : list.includes(id);
  const [c, p] = [fits(bounds.clusters, cluster), fits(bounds.projects, project)];
  return c !== false && p !== false && (c === true || p === true);
}

const bounded = ({ clusters, projects }: NonNullable<Context["actor"]["within"]>): string =>
  [clusters && "clusters", projects && "projects"].filter(Boolean).join(" and ");
