import type { Rule } from "../group/index.ts";

/** One request, in the terms of RBAC. An empty `group` is the core one; `name` is of one object. */
export interface Ask {
  verb: string;
  group: string;
  /** With its subresource, if any: `pods/log`. */
  resource: string;
  name?: string | undefined;
}

/**
 * Whether a rule lets it through, as kube-apiserver decides (rbac/v1 evaluation_helpers.go): `*` is everything, `x/*`
 * is no pattern, and a rule of named objects says nothing of requests that name none.
 */
export function permits(rule: Rule, { verb, group, resource, name }: Ask): boolean {
  const has = (list: readonly string[], value: string): boolean => list.includes("*") || list.includes(value);
  const sub = resource.split("/")[1];
  return (
    has(rule.verbs, verb) &&
    has(rule.apiGroups, group) &&
    (has(rule.resources, resource) || (sub !== undefined && rule.resources.includes(`*/${sub}`))) &&
    ((rule.resourceNames ?? []).length === 0 || (name !== undefined && rule.resourceNames?.includes(name) === true))
  );
}

/** The smallest pieces of rules: one verb on one resource of one group, and of one name if it is of named objects. */
function pieces(rules: readonly Rule[]): Ask[] {
  const found = new Map<string, Ask>();
  for (const { apiGroups, resources, verbs, resourceNames } of rules)
    for (const group of apiGroups)
      for (const resource of resources)
        for (const verb of verbs)
          for (const name of resourceNames === undefined || resourceNames.length === 0 ? [undefined] : resourceNames)
            found.set([group, resource, verb, name ?? ""].join(" "), { group, resource, verb, name });
  return [...found.values()];
}

/**
 * What of `asked` no rule of `held` gives, in the fewest rules and always in one order; empty when all is given.
 * A wildcard is given only by a wildcard, as it also means what nobody has thought of yet.
 */
export const without = (asked: readonly Rule[], held: readonly Rule[]): Rule[] =>
  tidy(pieces(asked).filter((piece) => !held.some((rule) => permits(rule, piece))));

/** The same rights in the fewest rules, always in one order. */
export const normal = (rules: readonly Rule[]): Rule[] =>
  tidy(
    pieces(rules).filter(
      (piece, at, all) => !all.some((other, where) => where !== at && wider(other, piece) && !wider(piece, other)),
    ),
  );

const wider = (one: Ask, other: Ask): boolean => permits(ruleOf(one), other);
const ruleOf = ({ group, resource, verb, name }: Ask): Rule => ({
  apiGroups: [group],
  resources: [resource],
  verbs: [verb],
  ...(name !== undefined && { resourceNames: [name] }),
});

/** Puts together what differs in its verb, then in its resource, then in its group, then in its name. */
function tidy(some: readonly Ask[]): Rule[] {
  let rules = some.map(ruleOf);
  for (const field of ["verbs", "resources", "apiGroups", "resourceNames"] as const) {
    const alike = new Map<string, Rule>();
    for (const rule of rules) {
      if (field === "resourceNames" && rule.resourceNames === undefined) {
        alike.set(JSON.stringify(rule), rule);
        continue;
      }
      const key = JSON.stringify({ ...rule, [field]: [] });
      const before = alike.get(key)?.[field] ?? [];
      alike.set(key, { ...rule, [field]: [...new Set([...before, ...(rule[field] ?? [])])].sort() });
    }
    rules = [...alike.values()];
  }
  return rules
    .map((rule) => [JSON.stringify(rule), rule] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, rule]) => rule);
}
