import type { ID, Noun } from "#core/id.ts";
import { prefixes } from "#core/id.ts";
import type { Grant, Rows, Scope } from "#core/grant/index.ts";
import { builtinNames, type Group, type Ref, type Rule } from "#core/group/index.ts";
import type { Member } from "#core/member/index.ts";
import type { Project } from "#core/project/index.ts";

// A tenant as rows, with each built-in group at each scope, and what of it ought to be held on one of its clusters:
// written down here a second time, so that what the rows come to is not checked against itself.

export const tenant = idAt("tenant", 0);
/** The cluster that is asked, and another one. */
export const here = idAt("cluster", 1);
export const away = idAt("cluster", 2);
const at = "2026-01-01T00:00:00.000Z";
export const now = "2026-06-01T00:00:00.000Z";

function idAt<N extends Noun>(noun: N, at: number): ID<N> {
  return `${prefixes[noun]}_01k${String(at).padStart(23, "0")}` as ID<N>;
}

/** Each is a namespace on the clusters that it is on. */
const places = { red: [here], blue: [here, away], green: [away] } as const;
type Name = keyof typeof places;
const numbers: Record<Name, number> = { red: 1, blue: 2, green: 3 };
const project = (name: Name): ID<"project"> => idAt("project", numbers[name]);
/** Where nobody but owners may be, and what no project is. */
export const outside = ["default", "kube-system", "berth-members", "kube-public"] as const;
export const spaces = ["red", "blue", ...outside] as const;
export type Space = (typeof spaces)[number];

/** A group of the tenant's own: one named object, a subresource, and a kind that Kubernetes does not have. */
export const custom = {
  rules: [
    { apiGroups: [""], resources: ["configmaps"], verbs: ["get", "update"], resourceNames: ["settings"] },
    { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
    { apiGroups: ["example.com"], resources: ["widgets", "widgets/status"], verbs: ["get", "list", "create"] },
  ],
  clusterRules: [{ apiGroups: ["storage.k8s.io"], resources: ["storageclasses"], verbs: ["get", "list"] }],
} satisfies { rules: Rule[]; clusterRules: Rule[] };
const customID = idAt("group", 1);
const teamID = idAt("team", 1);

/** One of the cast: what is given to it, and where it then holds the group's rules in namespaces and at cluster scope. */
export interface Part {
  id: ID<"member">;
  name: string;
  /** What it holds in which namespaces, and whether for the whole cluster too. */
  holds: { group: Ref; spaces: Space[]; wide: boolean }[];
  owner: boolean;
}

const scopes: Record<string, { scope: Scope; spaces: Space[]; wide: boolean }> = {
  tenant: { scope: "tenant", spaces: ["red", "blue"], wide: true },
  cluster: { scope: here, spaces: ["red", "blue"], wide: true },
  project: { scope: project("red"), spaces: ["red"], wide: false },
};

const members: Member[] = [];
const grants: Grant[] = [];
const parts: Part[] = [];

function add(name: string, role: Member["role"] = "viewer", state: Member["state"] = "active"): Part {
  const id = idAt("member", members.length + 1);
  members.push({ id, tenant, name, role, kind: "person", state, generation: 1, createdAt: at });
  const part: Part = { id, name, holds: [], owner: role === "owner" };
  parts.push(part);
  return part;
}

function give(subject: Grant["subject"], group: Ref, scope: Scope, more: Partial<Grant> = {}): void {
  const id = idAt("grant", grants.length + 1);
  grants.push({
    id,
    tenant,
    subject,
    group,
    scope,
    state: "active",
    createdAt: at,
    createdBy: "system",
    generation: 1,
    ...more,
  });
}

const wide = add("ada, an owner", "owner");
wide.holds.push({ group: "owner", spaces: [...spaces], wide: true });
for (const group of builtinNames) {
  for (const [name, { scope, ...holds }] of Object.entries(scopes)) {
    const part = add(`${group} at ${name}`);
    give(part.id, group, scope);
    const all = group === "owner" && holds.wide;
    part.holds.push({ group, ...holds, ...(all && { spaces: [...spaces] }) });
    part.owner = all;
  }
}
for (const name of ["tenant", "project"]) {
  const { scope, ...holds } = scopes[name] ?? { scope: "tenant", spaces: [], wide: false };
  const part = add(`custom at ${name}`);
  give(part.id, customID, scope);
  part.holds.push({ group: customID, ...holds });
}
const two = add("bob, another group in each project", "editor");
give(two.id, "edit", project("red"));
give(two.id, "view", project("blue"));
two.holds.push({ group: "edit", spaces: ["red"], wide: false }, { group: "view", spaces: ["blue"], wide: false });
const mate = add("carol, by a team");
give(teamID, "admin", project("blue"));
mate.holds.push({ group: "admin", spaces: ["blue"], wide: false });
const mixed = add("dan, view wide and admin in one");
give(mixed.id, "view", "tenant");
give(mixed.id, "admin", project("red"));
mixed.holds.push(
  { group: "view", spaces: ["red", "blue"], wide: true },
  { group: "admin", spaces: ["red"], wide: false },
);

/** Who has a right here, and so an account. */
export const cast: readonly Part[] = [...parts];

// Those who must have none: elsewhere only, suspended, run out, not approved, or an editor who was given nothing.
give(add("elsewhere").id, "admin", away);
give(add("in green").id, "admin", project("green"));
give(add("suspended", "owner", "suspended").id, "admin", "tenant");
give(add("over").id, "admin", "tenant", { expiresAt: "2026-05-31T23:59:59.000Z" });
give(add("asked").id, "admin", "tenant", { state: "requested" });
add("nothing given", "editor");
export const nobodies: readonly Part[] = parts.slice(cast.length);

const spec: Project["spec"] = {
  title: "",
  labels: {},
  limits: {},
  reservePercent: 0,
  defaults: {},
  podSecurity: "restricted",
  network: { mode: "isolated", openings: [] },
  deletionProtection: false,
};

export const rows: Rows = {
  members,
  grants,
  teams: [
    { id: teamID, tenant, name: "team", title: "", members: [mate.id], claims: [], generation: 1, createdAt: at },
  ],
  groups: [
    {
      id: customID,
      tenant,
      name: "custom",
      title: "",
      ...custom,
      generation: 1,
      createdAt: at,
      createdBy: wide.id,
    } satisfies Group,
  ],
  projects: (Object.keys(places) as Name[]).map((name) => ({
    id: project(name),
    tenant,
    name,
    spec,
    places: places[name].map((cluster) => ({ cluster, weight: 1 })),
    generation: 1,
    revision: 1,
    createdAt: at,
    createdBy: wide.id,
  })),
};
export const projectOf = (space: Space): ID<"project"> | undefined =>
  space === "red" || space === "blue" ? project(space) : undefined;
