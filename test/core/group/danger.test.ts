import { expect, test } from "vitest";
import { dangers, type Rule } from "#core/group/index.ts";

const rule = (apiGroup: string, resources: string, verbs: string): Rule => ({
  apiGroups: [apiGroup],
  resources: resources.split(" "),
  verbs: verbs.split(" "),
});
const rbac = "rbac.authorization.k8s.io";
const csr = "certificates.k8s.io";

const anywhere: Rule[] = [
  rule(rbac, "roles", "escalate"),
  rule(rbac, "clusterroles", "bind"),
  rule("", "users", "impersonate"),
  rule("", "serviceaccounts", "get impersonate"),
  rule("authentication.k8s.io", "userextras/scopes", "impersonate"),
  rule("example.com", "things", "bind"),
  rule("", "serviceaccounts/token", "create"),
  rule("", "nodes/proxy", "get"),
  rule("", "*/proxy", "get"),
  rule(csr, "certificatesigningrequests/approval", "update"),
  rule(csr, "certificatesigningrequests/status", "patch"),
  rule(csr, "signers", "approve"),
  rule(rbac, "rolebindings", "create"),
  rule(rbac, "roles", "patch"),
  rule("", "namespaces", "patch"),
  // What wildcards cover.
  rule("", "*", "create"),
  rule("*", "nodes/proxy", "get"),
  rule("", "serviceaccounts", "*"),
  rule("", "*/token", "*"),
  rule("*", "*", "impersonate"),
  rule(rbac, "*", "*"),
  rule(csr, "*/approval", "update"),
  rule("*", "*", "*"),
];
const atCluster: Rule[] = [
  rule("", "secrets", "get"),
  rule("", "secrets", "watch"),
  rule("", "*", "list"),
  rule("", "pods", "list"),
  rule("", "pods/exec", "create"),
  rule("", "*/log", "get"),
  rule("", "services/proxy", "get"),
  rule("apps", "deployments", "create"),
  rule("batch", "*", "create"),
  rule("", "serviceaccounts", "create"),
  rule("", "persistentvolumes", "create"),
  rule("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "create"),
  rule("apiregistration.k8s.io", "apiservices", "update"),
];
const harmless: Rule[] = [
  rule("", "pods pods/log configmaps", "get list watch"),
  rule("", "secrets", "get create"),
  rule("", "serviceaccounts", "get create"),
  rule("apps", "deployments", "*"),
  rule("example.com", "*", "*"),
  rule(rbac, "roles rolebindings", "get list watch"),
];

test("what lets its holder become somebody else is told wherever it stands", () => {
  for (const one of anywhere) {
    expect(dangers({ rules: [one], clusterRules: [] }), JSON.stringify(one)).not.toEqual([]);
    expect(dangers({ rules: [], clusterRules: [one] }), JSON.stringify(one)).not.toEqual([]);
  }
});

test("what reaches every namespace is told at cluster scope alone", () => {
  for (const one of atCluster) {
    expect(dangers({ rules: [], clusterRules: [one] }), JSON.stringify(one)).not.toEqual([]);
    const told = dangers({ rules: [one], clusterRules: [] });
    // `*` of the core is nodes/proxy too.
    if (!one.resources.includes("*")) expect(told, JSON.stringify(one)).toEqual([]);
  }
});

test("what a project's people need is not told of", () => {
  for (const one of harmless) expect(dangers({ rules: [one], clusterRules: [] }), JSON.stringify(one)).toEqual([]);
  expect(dangers({ rules: [], clusterRules: [rule("", "nodes namespaces", "get list watch")] })).toEqual([]);
  expect(dangers({ rules: [], clusterRules: [rule("example.com", "*", "*")] })).toEqual([]);
});

test("each warning is a sentence that names the rule by its place and words", () => {
  const bind = rule(rbac, "clusterroles", "bind");
  expect(dangers({ rules: [bind], clusterRules: [] })).toEqual([
    "rules.0, bind on clusterroles, lets its holder give itself any right.",
  ]);
  const rules = [rule("", "pods", "get"), rule("", "serviceaccounts/token", "create")];
  expect(dangers({ rules, clusterRules: [rule("", "secrets", "get list")] })).toEqual([
    "rules.1, create on serviceaccounts/token, makes tokens of other accounts.",
    "clusterRules.0, get, list on secrets, reaches the Secrets of every namespace, tokens among them.",
  ]);
});
