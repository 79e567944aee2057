import { kubeName } from "#core/id.ts";
import type { Part } from "./people.ts";
import { api, core, drop, get, inside, members, named, patch, post, put, rbac, system, type Try } from "./try.ts";

const rules = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];
const roleRef = (name: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name });
const pod = (serviceAccountName: string) => ({
  containers: [{ name: "one", image: "example.invalid/one" }],
  serviceAccountName,
});
/** A certificate of a client; what is asked for in it does not matter to who may ask. */
const signing = {
  spec: { request: "bm9uZQ==", signerName: "kubernetes.io/kube-apiserver-client", usages: ["client auth"] },
};
const controller = "clusterrole-aggregation-controller";

/** Ways to become the owner, each for itself: a single success would be the whole cluster. */
export const becoming = (self: Pick<Part, "id">, owner: Pick<Part, "id">, namespace: string): Try[] => [
  ...accounts(kubeName(self.id), kubeName(owner.id)),
  ...names(kubeName(owner.id)),
  ...bindings(kubeName(self.id), kubeName(owner.id), namespace),
];

/** By an account's token, or a Pod that runs as it. */
function accounts(self: string, other: string): Try[] {
  const spec = pod(other);
  const template = { metadata: { labels: { app: "x" } }, spec };
  const workload = named("mine", { spec: { selector: { matchLabels: { app: "x" } }, template } });
  const job = named("mine", { spec: { template: { spec: { ...spec, restartPolicy: "Never" } } } });
  const secret = {
    metadata: { name: "mine", annotations: { "kubernetes.io/service-account.name": other } },
    type: "kubernetes.io/service-account-token",
  };
  const bootstrap = { metadata: { name: "bootstrap-token-abcdef" }, type: "bootstrap.kubernetes.io/token" };
  return [
    post("a token of the owner", `${members}/serviceaccounts/${other}/token`, { spec: {} }),
    post("a longer token of one's own", `${members}/serviceaccounts/${self}/token`, { spec: {} }),
    post("a token Secret of the owner", `${members}/secrets`, secret),
    post("a Pod as the owner", `${members}/pods`, named("mine", { spec })),
    post("a Deployment as the owner", `${api("apps")}/namespaces/berth-members/deployments`, workload),
    post("a Job as the owner", `${api("batch")}/namespaces/berth-members/jobs`, job),
    post("a shell next to the accounts", `${members}/pods/any/exec?command=sh&container=one&stdin=true`),
    patch("a container in a Pod there", `${members}/pods/any/ephemeralcontainers`, {
      spec: { ephemeralContainers: [] },
    }),
    post("a Pod as a controller", `${system}/pods`, named("mine", { spec: pod(controller) })),
    post("a token of a controller", `${system}/serviceaccounts/${controller}/token`, { spec: {} }),
    post("a bootstrap token", `${system}/secrets`, bootstrap),
  ];
}

/** By saying that one is somebody else, or by having that believed. */
function names(other: string): Try[] {
  const user = `system:serviceaccount:berth-members:${other}`;
  const secrets = `${system}/secrets`;
  const requests = `${api("certificates.k8s.io")}/certificatesigningrequests`;
  const authentication = `${system}/configmaps/extension-apiserver-authentication`;
  return [
    get("to be the owner by header", secrets, { "impersonate-user": user }),
    get("to be a master by header", secrets, { "impersonate-user": "a", "impersonate-group": "system:masters" }),
    get("to be a node by header", secrets, {
      "impersonate-user": "system:node:a",
      "impersonate-group": "system:nodes",
    }),
    get("to come as the front proxy", secrets, { "x-remote-user": "a", "x-remote-group": "system:masters" }),
    post("a certificate of the masters", requests, named("mine", signing)),
    put("to approve a certificate", `${requests}/any/approval`, named("any", signing)),
    patch("another who is believed", authentication, { data: { "requestheader-client-ca-file": "" } }),
  ];
}

/** By a binding or a role. */
function bindings(self: string, other: string, namespace: string): Try[] {
  const subjects = [{ kind: "ServiceAccount", name: self, namespace: "berth-members" }];
  const bound = (role: string) => named("mine", { roleRef: roleRef(role), subjects });
  const [wide, roles] = [`${rbac}/clusterrolebindings`, `${rbac}/clusterroles`];
  const space = `${rbac}/namespaces/${namespace}`;
  const sum = named("sum", { rules: [], aggregationRule: { clusterRoleSelectors: [{}] } });
  const token = `${core}/namespaces/${namespace}/serviceaccounts/default/token`;
  return [
    post("a binding to cluster-admin", wide, bound("cluster-admin")),
    post("a binding to Berth's owner", wide, bound("berth:owner")),
    patch("to be in the owner's binding", `${wide}/berth:${other}:owner`, { subjects }),
    drop("to have the owner's binding gone", `${wide}/berth:${other}:owner`),
    patch("more in one's own group", `${roles}/berth:edit`, { rules }),
    patch("more in its companion", `${roles}/berth:view-cluster`, { rules }),
    patch("more in what everybody has", `${roles}/system:basic-user`, { rules }),
    post("a role of everything", roles, named("mine", { rules })),
    post("a role by aggregation", roles, sum),
    post("to bind in kube-system", `${rbac}/namespaces/kube-system/rolebindings`, bound("berth:owner")),
    post("to bind next to the accounts", `${rbac}/namespaces/berth-members/rolebindings`, bound("berth:edit")),
    inside(post("to own the project", `${space}/rolebindings`, bound("berth:owner"))),
    inside(patch("another group", `${space}/rolebindings/berth:${self}:edit`, { roleRef: roleRef("berth:owner") })),
    inside(drop("somebody else's binding gone", `${space}/rolebindings/berth:${other}:any`)),
    inside(post("a role in the project", `${space}/roles`, named("mine", { rules }))),
    inside(post("a token in the project", token, { spec: {} })),
  ];
}
