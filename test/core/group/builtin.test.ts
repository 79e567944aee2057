import { describe, expect, test } from "vitest";
import { builtin, builtinNames, dangers, lacking } from "#core/group/index.ts";
import { asked, permits } from "./permits.ts";

const others = builtinNames.filter((name) => name !== "owner");

/** What lets its holder become somebody else, or keep what was taken away. */
const never = [
  "create serviceaccounts/token",
  "impersonate serviceaccounts",
  "impersonate users",
  "impersonate groups",
  "impersonate authentication.k8s.io/userextras/scopes",
  "escalate rbac.authorization.k8s.io/roles",
  "escalate rbac.authorization.k8s.io/clusterroles",
  "bind rbac.authorization.k8s.io/roles",
  "bind rbac.authorization.k8s.io/clusterroles",
  "create rbac.authorization.k8s.io/rolebindings",
  "patch rbac.authorization.k8s.io/rolebindings",
  "delete rbac.authorization.k8s.io/rolebindings",
  "create rbac.authorization.k8s.io/roles",
  "create rbac.authorization.k8s.io/clusterrolebindings",
  "get nodes/proxy",
  "create nodes/proxy",
  "get pods/proxy",
  "create services/proxy",
  "update certificates.k8s.io/certificatesigningrequests/approval",
  "update certificates.k8s.io/certificatesigningrequests/status",
  "approve certificates.k8s.io/signers",
  "create admissionregistration.k8s.io/validatingwebhookconfigurations",
  "patch admissionregistration.k8s.io/mutatingwebhookconfigurations",
  "create apiregistration.k8s.io/apiservices",
  "create resourcequotas",
  "delete resourcequotas",
  "patch limitranges",
  "patch namespaces",
  "delete namespaces",
  "create endpoints",
  "create discovery.k8s.io/endpointslices",
  "create persistentvolumes",
];

describe.each(others)("%s", (name) => {
  const { rules, clusterRules } = builtin[name];

  test("can become nobody else, in a namespace or at cluster scope", () => {
    for (const text of never) {
      expect(permits(rules, asked(text)), `${text} in namespaces`).toBe(false);
      expect(permits(clusterRules, asked(text)), `${text} at cluster scope`).toBe(false);
    }
    expect(dangers(builtin[name])).toEqual([]);
  });

  test("reaches nothing of a namespace at cluster scope: no Secrets, no Pods, no configuration", () => {
    for (const resource of ["secrets", "pods", "pods/exec", "pods/log", "configmaps", "serviceaccounts", "services"])
      for (const verb of ["get", "list", "watch", "create", "patch", "delete"])
        expect(permits(clusterRules, asked(`${verb} ${resource}`)), `${verb} ${resource}`).toBe(false);
  });

  test("names no wildcard, so that what Kubernetes adds later is not given by itself", () => {
    const words = [...rules, ...clusterRules].flatMap((rule) => [...rule.apiGroups, ...rule.resources, ...rule.verbs]);
    expect(words.filter((word) => word.includes("*"))).toEqual([]);
  });
});

const may = (name: (typeof builtinNames)[number], texts: string[], at: "rules" | "clusterRules" = "rules") =>
  Object.fromEntries(texts.map((text) => [text, permits(builtin[name][at], asked(text))]));
const all = (texts: string[], value: boolean) => Object.fromEntries(texts.map((text) => [text, value]));

test("owner holds everything, and is warned of", () => {
  expect(lacking(builtin.owner.rules, [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }])).toBeUndefined();
  expect(dangers(builtin.owner).length).toBeGreaterThan(5);
});

test("admin holds all of edit, and edit all of view; admin holds what audit reads in namespaces", () => {
  expect(lacking(builtin.edit.rules, builtin.view.rules)).toBeUndefined();
  expect(lacking(builtin.admin.rules, builtin.edit.rules)).toBeUndefined();
  expect(lacking(builtin.admin.rules, builtin.audit.rules)).toBeUndefined();
  for (const name of ["edit", "view"] as const)
    expect(lacking(builtin.admin.clusterRules, builtin[name].clusterRules)).toBeUndefined();
});

test("view sees what runs, its logs and configuration, and no Secrets, no rbac, and changes nothing", () => {
  const sees = [
    "list pods",
    "get pods/log",
    "watch configmaps",
    "get apps/deployments",
    "list events",
    "get namespaces",
  ];
  const not = ["get secrets", "list rbac.authorization.k8s.io/rolebindings", "create pods", "create pods/exec"];
  expect(may("view", [...sees, ...not])).toEqual({ ...all(sees, true), ...all(not, false) });
  const verbs = new Set(builtin.view.rules.flatMap((rule) => rule.verbs));
  expect([...verbs].sort()).toEqual(["get", "list", "watch"]);
});

test("edit runs workloads with their Secrets and accounts, and leaves network policies alone; admin changes those", () => {
  const does = [
    "create pods",
    "create pods/exec",
    "get pods/portforward",
    "patch apps/deployments/scale",
    "get secrets",
  ];
  const more = ["create secrets", "delete serviceaccounts", "create pods/eviction", "create batch/jobs"];
  const policies = ["create networking.k8s.io/networkpolicies", "delete networking.k8s.io/networkpolicies"];
  const rbac = ["list rbac.authorization.k8s.io/rolebindings", "get rbac.authorization.k8s.io/roles"];
  expect(may("edit", [...does, ...more])).toEqual(all([...does, ...more], true));
  expect(may("edit", [...policies, ...rbac])).toEqual(all([...policies, ...rbac], false));
  expect(may("admin", [...policies, ...rbac])).toEqual(all([...policies, ...rbac], true));
});

test("audit sees who may do what and what there is, and no data: no logs, Secrets or ConfigMaps", () => {
  const sees = ["list rbac.authorization.k8s.io/rolebindings", "list events", "get pods", "list serviceaccounts"];
  const not = ["get pods/log", "get secrets", "list secrets", "get configmaps", "create pods"];
  expect(may("audit", [...sees, ...not])).toEqual({ ...all(sees, true), ...all(not, false) });
  const wide = ["list rbac.authorization.k8s.io/clusterroles", "list certificates.k8s.io/certificatesigningrequests"];
  expect(may("audit", wide, "clusterRules")).toEqual(all(wide, true));
  expect(may("admin", wide, "clusterRules")).toEqual(all(wide, false));
});

test("at cluster scope view and edit see nodes, namespaces and classes; admin changes nodes, but makes none", () => {
  const sees = ["list nodes", "watch namespaces", "get storage.k8s.io/storageclasses", "list metrics.k8s.io/nodes"];
  for (const name of ["view", "edit", "admin"] as const)
    expect(may(name, sees, "clusterRules"), name).toEqual(all(sees, true));
  const nodes = ["patch nodes", "update nodes"];
  expect(may("admin", nodes, "clusterRules")).toEqual(all(nodes, true));
  expect(may("edit", nodes, "clusterRules")).toEqual(all(nodes, false));
  const not = ["create nodes", "delete nodes", "patch nodes/status"];
  expect(may("admin", not, "clusterRules")).toEqual(all(not, false));
});
