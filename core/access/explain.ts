import * as Grant from "../grant/index.ts";
import * as Group from "../group/index.ts";
import type { ID } from "../id.ts";
import { type Ask, permits } from "./rules.ts";

/** Where something is asked: at a cluster's own scope, or in the namespace of a project there. */
export interface Spot {
  cluster: ID<"cluster">;
  project?: ID<"project"> | undefined;
}

/** One rule that a member holds somewhere, and what gives it. */
export interface Reason {
  member: ID<"member">;
  /** `owner`: it comes with the role of an owner of the tenant. */
  grant: ID<"grant"> | "owner";
  group: Group.Ref;
  scope: Grant.Scope;
  /** The team that it was given to. */
  team?: ID<"team">;
  rule: Group.Rule;
  /** On which of the clusters that were asked about. */
  clusters: ID<"cluster">[];
}

/**
 * Every rule that anybody holds in these spots, by what gives it. Of rows alone: it is what the clusters are to enforce.
 * @param now ISO 8601 UTC; what has run out by then gives nothing.
 */
export function reasons(rows: Grant.Rows, spots: readonly Spot[], now: string): Reason[] {
  const rights = Grant.rights(rows, now);
  const found = new Map<string, Reason>();
  for (const { cluster, project } of spots) {
    for (const { member, group, project: inside, right } of Grant.reaching(rights, cluster, rows.projects, now)) {
      if (inside !== undefined && inside !== project) continue;
      const { grant, scope, team } = right;
      for (const rule of rulesAt(group, inside === undefined, rows.groups)) {
        const key = JSON.stringify([member, grant, team, rule]);
        const before = found.get(key) ?? { member, grant, group, scope, ...(team && { team }), rule, clusters: [] };
        if (!before.clusters.includes(cluster)) before.clusters.push(cluster);
        found.set(key, before);
      }
    }
  }
  return [...found.values()];
}

/** What a group gives in a namespace, or for a whole cluster: there an owner holds all of it, and others the companion. */
function rulesAt(group: Group.Ref, wide: boolean, groups: readonly Group.Group[]): Group.Rule[] {
  const both = Group.rulesOf(group, groups);
  if (both === undefined) return [];
  if (!wide) return both.rules;
  return group === "owner" ? distinct([...both.rules, ...both.clusterRules]) : both.clusterRules;
}

const distinct = (rules: Group.Rule[]): Group.Rule[] => [
  ...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values(),
];

/** Of these, what lets one request through. */
export const letting = (all: readonly Reason[], ask: Ask): Reason[] => all.filter(({ rule }) => permits(rule, ask));

/** All the rules that one member holds in one spot. */
export const declared = (rows: Grant.Rows, member: ID<"member">, spot: Spot, now: string): Group.Rule[] =>
  reasons(rows, [spot], now)
    .filter((each) => each.member === member)
    .map(({ rule }) => rule);
