import type { Ask } from "#core/access/rules.ts";
import { api, core, named } from "./try.ts";

/** A request in RBAC's terms, and as it is sent; `NS` in its path is a namespace. */
export interface Asked extends Ask {
  method: string;
  path: string;
  body?: unknown;
}

const methods: Record<string, string> = { get: "GET", list: "GET", create: "POST", patch: "PATCH" };
const asked = (
  verb: string,
  group: string,
  resource: string,
  [name, body]: [name?: string | undefined, body?: unknown] = [],
): Asked => {
  const [plural = "", sub] = resource.split("/");
  const wide = ["nodes", "namespaces", "persistentvolumes", "storageclasses", "clusterroles"].includes(plural);
  const base = `${group === "" ? core : api(group)}${wide ? "" : "/namespaces/NS"}/${plural}`;
  const path = [base, name, sub].filter((part) => part !== undefined).join("/");
  const dry = body === undefined ? "" : "?dryRun=All";
  return { verb, group, resource, name, method: methods[verb] ?? "GET", path: path + dry, body };
};

/** Some of what the groups give, and of what they don't. */
export const asks: Asked[] = [
  asked("get", "", "configmaps", ["settings"]),
  asked("get", "", "configmaps", ["other"]),
  asked("list", "", "configmaps"),
  asked("list", "", "pods"),
  asked("get", "", "pods/log", ["any"]),
  asked("list", "", "secrets"),
  asked("list", "", "resourcequotas"),
  asked("create", "", "configmaps", [undefined, named("mine")]),
  asked("create", "", "serviceaccounts", [undefined, named("mine")]),
  asked("list", "apps", "deployments"),
  asked("patch", "apps", "deployments/scale", ["any", { spec: { replicas: 1 } }]),
  asked("create", "networking.k8s.io", "networkpolicies", [undefined, named("mine", { spec: { podSelector: {} } })]),
  asked("list", "rbac.authorization.k8s.io", "rolebindings"),
  asked("list", "", "nodes"),
  asked("patch", "", "nodes", ["one", { spec: { unschedulable: true } }]),
  asked("list", "", "namespaces"),
  asked("list", "", "persistentvolumes"),
  asked("list", "storage.k8s.io", "storageclasses"),
  asked("list", "rbac.authorization.k8s.io", "clusterroles"),
];
