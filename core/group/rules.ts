import { builtin, type Rules } from "./builtin.ts";
import { builtinNames, type BuiltinName, type Group, type Ref, type Rule } from "./schema.ts";

export const isBuiltin = (ref: string): ref is BuiltinName => (builtinNames as readonly string[]).includes(ref);

/** What a grant's group may do: a built-in one's rules, or those of the tenant's own; undefined when it is no more. */
export function rulesOf(ref: Ref, groups: readonly Pick<Group, "id" | keyof Rules>[]): Rules | undefined {
  return isBuiltin(ref) ? builtin[ref] : groups.find(({ id }) => id === ref);
}

/** One right: a verb on a resource of a group, of one name or (undefined) of any. */
interface Right {
  group: string;
  resource: string;
  verb: string;
  name: string | undefined;
}

/**
 * The first of the rights asked for that those held do not cover, in words; undefined when all are covered. As RBAC
 * matches (k8s.io/kubernetes/pkg/apis/rbac): `*` is any verb, group or resource with all its subresources, `*` with a
 * subresource that one of any resource, and a resource does not bring its subresources. It is exact: of the endlessly
 * many that a wildcard means, one that no rule names can only be covered by a rule that covers them all.
 */
export function lacking(held: readonly Rule[], asked: readonly Rule[]): string | undefined {
  const have = held.map(({ apiGroups, resources, verbs, resourceNames }) => ({
    groups: new Set(apiGroups),
    resources: new Set(resources),
    verbs: new Set(verbs),
    names: resourceNames === undefined ? undefined : new Set(resourceNames),
  }));
  const covered = ({ group, resource, verb, name }: Right): boolean =>
    have.some(
      ({ groups, resources, verbs, names }) =>
        (groups.has("*") || groups.has(group)) &&
        (verbs.has("*") || verbs.has(verb)) &&
        (resources.has("*") || resources.has(resource) || resources.has(anyOf(resource))) &&
        (names === undefined || (name !== undefined && names.has(name))),
    );
  for (const rule of asked) for (const right of rightsOf(rule)) if (!covered(right)) return inWords(right);
  return undefined;
}

/** The wildcard that covers this subresource of any resource; the resource itself when it is none. */
const anyOf = (resource: string): string => {
  const at = resource.indexOf("/");
  return at < 0 ? resource : `*${resource.slice(at)}`;
};

function* rightsOf({ apiGroups, resources, verbs, resourceNames }: Rule): Generator<Right, void> {
  for (const group of apiGroups)
    for (const resource of resources)
      for (const verb of verbs) for (const name of resourceNames ?? [undefined]) yield { group, resource, verb, name };
}

/** `create on deployments.apps`, as kubectl names resources. */
function inWords({ group, resource, verb, name }: Right): string {
  const [kind = "", sub] = resource.split("/");
  const full = `${kind}${group === "" ? "" : `.${group}`}${sub === undefined ? "" : `/${sub}`}`;
  return `${verb} on ${full}${name === undefined ? "" : ` named ${name}`}`;
}
