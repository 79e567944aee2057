// What the cluster's own RBAC is told of who may do what. Pure.
import { membersNamespace } from "../cluster/index.ts";
import { type Manifest, ours } from "../context.ts";
import * as Grant from "../grant/index.ts";
import * as Group from "../group/index.ts";
import { type ID, kubeName } from "../id.ts";
import type { Access } from "./schema.ts";

export const rbac = "rbac.authorization.k8s.io/v1";

/** On all that is made inside of a cluster for people and projects. The control plane's own parts carry another. */
export const labelsOf = ({ id }: Pick<Access, "id">): Record<string, string> => ({
  ...ours,
  "berth.dev/access": kubeName(id),
});

/** Objects that give rights, as a cluster ought to hold them. */
export interface Owed {
  accounts: ID<"member">[];
  /** ServiceAccounts, ClusterRoles and ClusterRoleBindings. */
  wide: Manifest[];
  /** RoleBindings, by project. */
  bindings: Map<ID<"project">, Manifest[]>;
}

/** Everything that a namespace can hold: for who owns the project. */
const within = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];
/** Everything, also what is no resource: for owners alone. */
const all = [...within, { nonResourceURLs: ["*"], verbs: ["*"] }];

/**
 * Accounts where a right exists, the groups that somebody holds, and their bindings: in each project's namespace, and
 * at cluster scope to the group's part of its own for that. A name tells member and group, so a roleRef never changes.
 */
export function owed(access: Pick<Access, "id" | "cluster">, rows: Grant.Rows, now: string): Owed {
  const labels = labelsOf(access);
  const object = (apiVersion: string, kind: string, name: string, rest: object, more: object = {}): Manifest => ({
    apiVersion,
    kind,
    metadata: { name, labels, ...more },
    ...rest,
  });
  const members = new Map(rows.members.map((member) => [member.id, member]));
  const projects = new Map(rows.projects.map((project) => [project.id, project]));
  const wide = new Map<string, Manifest>();
  const bindings = new Map<ID<"project">, Map<string, Manifest>>();
  const role = (name: string, rules: object[]): void =>
    void wide.set(name, object(rbac, "ClusterRole", name, { rules }));
  const binding = (member: ID<"member">, name: string, clusterRole: string, namespace?: string): Manifest =>
    object(
      rbac,
      namespace === undefined ? "ClusterRoleBinding" : "RoleBinding",
      `berth:${kubeName(member)}:${name}`,
      {
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: clusterRole },
        subjects: [{ kind: "ServiceAccount", name: kubeName(member), namespace: membersNamespace }],
      },
      namespace === undefined ? {} : { namespace },
    );
  const accounts = new Set<ID<"member">>();
  for (const { member, group, project } of Grant.reaching(
    Grant.rights(rows, now),
    access.cluster,
    rows.projects,
    now,
  )) {
    const rules = Group.rulesOf(group, rows.groups);
    if (rules === undefined) continue;
    accounts.add(member);
    const name = kubeName(group);
    const base = `berth:${name}`;
    if (project === undefined) {
      const whole = group === "owner";
      if (!whole && rules.clusterRules.length === 0) continue;
      const clusterRole = whole ? base : `${base}-cluster`;
      role(clusterRole, whole ? all : rules.clusterRules);
      const bound = binding(member, name, clusterRole);
      wide.set(`${bound.kind} ${bound.metadata.name}`, bound);
      continue;
    }
    if (rules.rules.length === 0 && group !== "owner") continue;
    const namespace = projects.get(project)?.name;
    if (namespace === undefined) continue;
    const whole = group === "owner";
    const clusterRole = whole ? `${base}-project` : base;
    role(clusterRole, whole ? within : rules.rules);
    const bound = binding(member, name, clusterRole, namespace);
    const held = bindings.get(project) ?? new Map<string, Manifest>();
    bindings.set(project, held.set(bound.metadata.name, bound));
  }
  for (const member of accounts) {
    const name = kubeName(member);
    const annotations = { "berth.dev/name": members.get(member)?.name ?? name };
    const more = { namespace: membersNamespace, annotations };
    wide.set(
      `ServiceAccount ${name}`,
      object("v1", "ServiceAccount", name, { automountServiceAccountToken: false }, more),
    );
  }
  return {
    accounts: [...accounts].sort(),
    wide: [...wide.values()].sort(byName),
    bindings: new Map([...bindings].map(([project, held]) => [project, [...held.values()].sort(byName)])),
  };
}

/** Rows come in no order that means anything; a plan of the same rows is the same. */
const byName = (one: Manifest, other: Manifest): number =>
  `${one.kind} ${one.metadata.name}` < `${other.kind} ${other.metadata.name}` ? -1 : 1;
