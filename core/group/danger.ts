import type { Rules } from "./builtin.ts";
import type { Rule } from "./schema.ts";

/** Rights by which their holder can become somebody else, or keep what was taken from it. */
interface Danger {
  /** Only at cluster scope, where Berth's own and Kubernetes' namespaces are among all. */
  atCluster?: true;
  apiGroups: string[];
  /** `*` is any; with `/*` at the end, any subresource. */
  resources: string[];
  /** `*` is any. */
  verbs: string[];
  why: string;
}

const write = ["create", "update", "patch", "delete", "deletecollection"];
const change = ["create", "update", "patch"];
const rbac = "rbac.authorization.k8s.io";
const runs = ["daemonsets", "deployments", "replicasets", "statefulsets", "cronjobs", "jobs", "replicationcontrollers"];

const known: Danger[] = [
  {
    apiGroups: [rbac],
    resources: ["roles", "clusterroles"],
    verbs: ["escalate", "bind"],
    why: "lets its holder give itself any right",
  },
  {
    apiGroups: [rbac],
    resources: ["roles", "clusterroles", "rolebindings", "clusterrolebindings"],
    verbs: write,
    why: "lets its holder keep and pass on rights that no grant takes away",
  },
  {
    apiGroups: ["", "authentication.k8s.io"],
    resources: ["users", "groups", "serviceaccounts", "uids", "userextras", "userextras/*"],
    verbs: ["impersonate"],
    why: "lets its holder act as somebody else",
  },
  { apiGroups: [""], resources: ["serviceaccounts/token"], verbs: change, why: "makes tokens of other accounts" },
  {
    apiGroups: [""],
    resources: ["nodes/proxy"],
    verbs: ["*"],
    why: "reaches every Pod of a node through its kubelet",
  },
  {
    apiGroups: [""],
    resources: ["namespaces", "namespaces/*"],
    verbs: write,
    why: "can lift what holds a namespace's Pods back, or remove it",
  },
  {
    apiGroups: ["certificates.k8s.io"],
    resources: ["certificatesigningrequests/approval", "certificatesigningrequests/status"],
    verbs: change,
    why: "can have a certificate of anybody",
  },
  {
    apiGroups: ["certificates.k8s.io"],
    resources: ["signers"],
    verbs: ["approve", "sign"],
    why: "can have a certificate of anybody",
  },
  {
    atCluster: true,
    apiGroups: [""],
    resources: ["secrets"],
    verbs: ["*"],
    why: "reaches the Secrets of every namespace, tokens among them",
  },
  {
    atCluster: true,
    apiGroups: [""],
    resources: ["pods", "pods/*", "services/proxy"],
    verbs: ["*"],
    why: "reaches the Pods of every namespace, those of accounts and of Kubernetes too",
  },
  {
    atCluster: true,
    apiGroups: ["", "apps", "batch"],
    resources: runs,
    verbs: write,
    why: "runs Pods in every namespace, as any account of it",
  },
  {
    atCluster: true,
    apiGroups: [""],
    resources: ["serviceaccounts"],
    verbs: write,
    why: "changes the accounts of every namespace, members' among them",
  },
  { atCluster: true, apiGroups: [""], resources: ["persistentvolumes"], verbs: change, why: "can mount a node's disk" },
  {
    atCluster: true,
    apiGroups: ["admissionregistration.k8s.io", "apiregistration.k8s.io"],
    resources: ["*"],
    verbs: write,
    why: "can see and change the requests of others",
  },
];

/** They mean nothing good on any resource: named outright, they are told of whatever they are on. */
const outright = ["escalate", "bind", "impersonate"];

/**
 * What in the rules lets their holder become somebody else, a sentence for each rule and reason that names the rule; a
 * wildcard is all that it covers. Such groups are an owner's alone to make and to give.
 */
export const dangers = ({ rules, clusterRules }: Rules): string[] => [
  ...rules.flatMap((rule, at) => dangersOf(rule, `rules.${at}`, false)),
  ...clusterRules.flatMap((rule, at) => dangersOf(rule, `clusterRules.${at}`, true)),
];

function dangersOf(rule: Rule, path: string, atCluster: boolean): string[] {
  const { apiGroups, resources, verbs } = rule;
  const found = known.filter(
    (danger) =>
      (atCluster || danger.atCluster === undefined) &&
      overlap(apiGroups, danger.apiGroups) &&
      overlap(verbs, danger.verbs) &&
      resources.some((resource) => danger.resources.some((other) => meets(resource, other))),
  );
  const whys = [...new Set(found.map(({ why }) => why))];
  const named = verbs.find((verb) => outright.includes(verb));
  if (named !== undefined && whys.length === 0) whys.push(`has the verb ${named}, which is an owner's alone`);
  const said = `${path}, ${short(verbs)} on ${short(resources)},`;
  return whys.map((why) => `${said} ${why}.`);
}

const overlap = (some: readonly string[], others: readonly string[]): boolean =>
  some.includes("*") || others.includes("*") || some.some((one) => others.includes(one));

/** Whether a resource as a rule names it and one as a danger does have any in common. */
function meets(resource: string, other: string): boolean {
  if (resource === "*" || other === "*" || resource === other) return true;
  const [kind, sub] = resource.split("/");
  const [otherKind, otherSub] = other.split("/");
  if (sub === undefined || otherSub === undefined) return false;
  return (kind === "*" || kind === otherKind) && (otherSub === "*" || sub === otherSub);
}

const short = (words: readonly string[]): string =>
  words.length <= 4 ? words.join(", ") : `${words.slice(0, 3).join(", ")} and ${words.length - 3} more`;
