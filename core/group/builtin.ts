import type { BuiltinName, Rule } from "./schema.ts";

/** What a group may do in the namespaces of projects, and what beside at cluster scope. */
export interface Rules {
  rules: Rule[];
  /** They hold where the group is granted on a cluster or the tenant, never by a grant on a project. */
  clusterRules: Rule[];
}

const rule = (apiGroup: string, resources: string[], verbs: string[]): Rule => ({
  apiGroups: [apiGroup],
  resources,
  verbs,
});
const read = ["get", "list", "watch"];
const write = ["create", "update", "patch", "delete", "deletecollection"];
const reading = (kinds: Record<string, string[]>): Rule[] =>
  Object.entries(kinds).map(([group, resources]) => rule(group, resources, read));

/** Kinds whose objects hold no data of an application: what runs, what it may use, and what became of it. */
const shape: Record<string, string[]> = {
  "": [
    "pods",
    "pods/status",
    "services",
    "services/status",
    "endpoints",
    "events",
    "limitranges",
    "persistentvolumeclaims",
    "persistentvolumeclaims/status",
    "podtemplates",
    "replicationcontrollers",
    "replicationcontrollers/scale",
    "replicationcontrollers/status",
    "resourcequotas",
    "resourcequotas/status",
    "serviceaccounts",
  ],
  apps: [
    "controllerrevisions",
    "daemonsets",
    "daemonsets/status",
    "deployments",
    "deployments/scale",
    "deployments/status",
    "replicasets",
    "replicasets/scale",
    "replicasets/status",
    "statefulsets",
    "statefulsets/scale",
    "statefulsets/status",
  ],
  batch: ["cronjobs", "cronjobs/status", "jobs", "jobs/status"],
  autoscaling: ["horizontalpodautoscalers", "horizontalpodautoscalers/status"],
  policy: ["poddisruptionbudgets", "poddisruptionbudgets/status"],
  "networking.k8s.io": ["ingresses", "ingresses/status", "networkpolicies"],
  "discovery.k8s.io": ["endpointslices"],
  "events.k8s.io": ["events"],
  "coordination.k8s.io": ["leases"],
};
const rbac = { "rbac.authorization.k8s.io": ["rolebindings", "roles"] };

// A namespace's own object is asked for in that namespace, so this shows no other.
const view: Rule[] = [
  ...reading(shape),
  ...reading({ "": ["configmaps", "pods/log"] }),
  rule("", ["namespaces"], ["get"]),
  rule("metrics.k8s.io", ["pods"], ["get", "list"]),
];

/**
 * Who may create Pods somewhere can be any ServiceAccount of that namespace, and who may create Secrets there can have
 * a token of it; so nobody but an owner is let into `berth-members`, and inside of a project both are given.
 * Not given: `serviceaccounts/token` and `impersonate`; the subresource `proxy`, through which requests come from the API
 * server itself; endpoints, which can lead into another namespace; quotas, limits and network policies, as RBAC can't
 * keep somebody from the ones that are Berth's and let it have others.
 */
const edit: Rule[] = [
  ...view,
  rule("", ["secrets"], read),
  rule(
    "",
    [
      "configmaps",
      "persistentvolumeclaims",
      "pods",
      "podtemplates",
      "replicationcontrollers",
      "replicationcontrollers/scale",
      "secrets",
      "serviceaccounts",
      "services",
    ],
    write,
  ),
  // A stream begins with a GET when it is a WebSocket.
  rule("", ["pods/attach", "pods/exec", "pods/portforward"], ["get", "create"]),
  rule("", ["pods/eviction"], ["create"]),
  rule("", ["pods/ephemeralcontainers", "pods/resize"], ["get", "update", "patch"]),
  rule(
    "apps",
    [
      "daemonsets",
      "deployments",
      "deployments/scale",
      "replicasets",
      "replicasets/scale",
      "statefulsets",
      "statefulsets/scale",
    ],
    write,
  ),
  rule("batch", ["cronjobs", "jobs"], write),
  rule("autoscaling", ["horizontalpodautoscalers"], write),
  rule("policy", ["poddisruptionbudgets"], write),
  rule("networking.k8s.io", ["ingresses"], write),
  rule("coordination.k8s.io", ["leases"], write),
];

/** Beside `edit`: who may do what, to see it, as bindings are made by grants alone; and the ways through the network. */
const admin: Rule[] = [...edit, ...reading(rbac), rule("networking.k8s.io", ["networkpolicies"], write)];

/** What there is and who may do what: no data, no logs. A Pod's own text is in it, so secrets belong in Secrets. */
const audit: Rule[] = [...reading(shape), ...reading(rbac), rule("", ["namespaces"], ["get"])];

/** What a cluster offers to all who work on it. A PersistentVolume tells of its namespace's claim: for admin and audit. */
const offers: Record<string, string[]> = {
  "": ["namespaces", "nodes"],
  "storage.k8s.io": ["storageclasses"],
  "networking.k8s.io": ["ingressclasses"],
  "scheduling.k8s.io": ["priorityclasses"],
  "node.k8s.io": ["runtimeclasses"],
  "apiextensions.k8s.io": ["customresourcedefinitions"],
};
const usage = rule("metrics.k8s.io", ["nodes"], ["get", "list"]);
const around: Rule[] = [...reading(offers), usage];

const everything: Rule = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };

/**
 * The groups that every tenant has, all of our own: Kubernetes' `edit` and `admin` let their holders become others.
 * At cluster scope nobody but owners reads Secrets or Pods.
 */
export const builtin: Record<BuiltinName, Rules> = {
  owner: { rules: [everything], clusterRules: [everything] },
  admin: {
    rules: admin,
    clusterRules: [
      ...around,
      rule("", ["persistentvolumes"], read),
      // For labels and cordon. RBAC knows no fields, and NodeRestriction holds kubelets alone: taints come with it.
      rule("", ["nodes"], ["update", "patch"]),
    ],
  },
  edit: { rules: edit, clusterRules: around },
  view: { rules: view, clusterRules: around },
  audit: {
    rules: audit,
    clusterRules: [
      ...reading(offers),
      ...reading({
        "": ["persistentvolumes"],
        "rbac.authorization.k8s.io": ["clusterrolebindings", "clusterroles"],
        "admissionregistration.k8s.io": [
          "mutatingwebhookconfigurations",
          "validatingadmissionpolicies",
          "validatingadmissionpolicybindings",
          "validatingwebhookconfigurations",
        ],
        "apiregistration.k8s.io": ["apiservices"],
        "certificates.k8s.io": ["certificatesigningrequests"],
      }),
    ],
  },
};
