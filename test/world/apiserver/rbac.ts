import type { Found, Review } from "#core/context.ts";
import { placeOf } from "#core/kube/kinds.ts";
import type { Objects } from "./server.ts";

/** Who asks, as Kubernetes knows it. */
export interface User {
  user: string;
  groups: readonly string[];
}

/** What is asked for; a resource may have a subresource, as in `pods/log`. */
export type Wanted =
  | { verb: string; group: string; resource: string; namespace?: string | undefined; name?: string | undefined }
  | { verb: string; path: string };

interface Rule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

const rbac = "rbac.authorization.k8s.io/v1";
/** What every server has for all who are known: `system:basic-user`, `system:discovery`, `system:public-info-viewer`. */
const everybody: Rule[] = [
  {
    verbs: ["create"],
    apiGroups: ["authorization.k8s.io"],
    resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
  },
  {
    verbs: ["get"],
    nonResourceURLs: ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/readyz", "/openapi/*", "/version"],
  },
];
const everything: Rule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

/** The user that an account's token speaks for. */
export const userOf = ({ name, namespace }: { name: string; namespace: string }): User => ({
  user: `system:serviceaccount:${namespace}:${name}`,
  groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
});

/** Whether the server's own bindings let this user do it. */
export function allows(objects: Objects, user: User, wanted: Wanted): boolean {
  return rulesOf(objects, user, "path" in wanted ? undefined : wanted.namespace).some((rule) => covers(rule, wanted));
}

/** What a review asks for. */
export function wantedIn(spec: unknown): Wanted {
  const { resourceAttributes: of, nonResourceAttributes: plain } = spec as {
    resourceAttributes?: Record<string, string>;
    nonResourceAttributes?: { verb: string; path: string };
  };
  if (of === undefined) return plain ?? { verb: "", path: "" };
  const { verb = "", group = "", resource = "", subresource, namespace, name } = of;
  const some = { namespace: namespace || undefined, name: name || undefined };
  return { verb, group, resource: subresource ? `${resource}/${subresource}` : resource, ...some };
}

/** The answer of a self review, by the server's own bindings. */
export function reviewed(objects: Objects, user: User | "admin", review: Review): Review {
  const { kind, spec } = review;
  if (kind === "SelfSubjectRulesReview") {
    const { namespace } = spec as { namespace?: string };
    const rules = user === "admin" ? everything : rulesOf(objects, user, namespace);
    const [plain, resources] = [rules.filter(isPlain), rules.filter((rule) => !isPlain(rule))];
    return { ...review, status: { resourceRules: resources, nonResourceRules: plain, incomplete: false } };
  }
  const { user: named, groups = [] } = spec as { user?: string; groups?: string[] };
  const whose = kind === "SubjectAccessReview" ? { user: named ?? "", groups } : user;
  const allowed = whose === "admin" || allows(objects, whose, wantedIn(spec));
  return { ...review, status: { allowed } };
}

const isPlain = ({ nonResourceURLs }: Rule): boolean => nonResourceURLs !== undefined;

function rulesOf(objects: Objects, user: User, namespace: string | undefined): Rule[] {
  const bindings = [
    ...objects.list({ apiVersion: rbac, kind: "ClusterRoleBinding" }),
    ...(namespace === undefined ? [] : objects.list({ apiVersion: rbac, kind: "RoleBinding", namespace })),
  ];
  return [...everybody, ...bindings.filter((one) => isOn(one, user)).flatMap((one) => roleOf(objects, one))];
}

function isOn(binding: Found, { user, groups }: User): boolean {
  const subjects = (binding["subjects"] ?? []) as { kind: string; name: string; namespace?: string }[];
  return subjects.some(({ kind, name, namespace = binding.metadata.namespace ?? "" }) => {
    if (kind === "Group") return groups.includes(name);
    return user === (kind === "User" ? name : userOf({ name, namespace }).user);
  });
}

function roleOf(objects: Objects, binding: Found): Rule[] {
  const { kind, name } = binding["roleRef"] as { kind: string; name: string };
  if (kind === "ClusterRole" && name === "cluster-admin") return everything;
  const { namespace } = binding.metadata;
  const place = kind === "Role" && namespace !== undefined ? { namespace } : {};
  return (objects.find({ apiVersion: rbac, kind, name, ...place })?.["rules"] ?? []) as Rule[];
}

const has = (list: string[] | undefined, one: string): boolean =>
  list?.some((each) => each === "*" || each === one) === true;

function covers(rule: Rule, wanted: Wanted): boolean {
  if (!has(rule.verbs, wanted.verb)) return false;
  if ("path" in wanted) {
    const fits = (url: string): boolean =>
      url.endsWith("*") ? wanted.path.startsWith(url.slice(0, -1)) : url === wanted.path;
    return rule.nonResourceURLs?.some(fits) === true;
  }
  const { group, resource, name } = wanted;
  const sub = resource.includes("/") ? `*/${resource.split("/")[1] ?? ""}` : resource;
  if (!has(rule.apiGroups, group) || !(has(rule.resources, resource) || rule.resources?.includes(sub))) return false;
  return rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name));
}

/** What a call of the port asks of RBAC. A create is an apply, for which both are asked. */
export function wantedOf(
  verb: string,
  on: { apiVersion: string; kind: string; namespace?: string; name?: string },
): Wanted[] {
  const { root, plural } = placeOf(on);
  const group = root.startsWith("/apis/") ? (root.split("/")[2] ?? "") : "";
  const verbs = { create: ["create", "patch"], apply: ["patch"], annotate: ["patch"], remove: ["delete"] }[verb];
  const sub = { logs: ["get", "/log"], token: ["create", "/token"] }[verb];
  const { namespace, name } = on;
  return (verbs ?? [sub?.[0] ?? verb]).map((each) => ({
    verb: each,
    group,
    resource: `${plural}${sub?.[1] ?? ""}`,
    namespace,
    // One that is to be made has no name yet, as far as the rules go.
    name: each === "create" && sub === undefined ? undefined : name,
  }));
}
