// A tenant's Kubernetes: its own etcd, API server, controller manager and scheduler, as Pods on a host.
export { accessTarget } from "./door.ts";
export { reconcile } from "./reconcile.ts";
export { CreateInput, Receipt, UpdateInput, View } from "./schema.ts";
export { create, get, kubeconfig, list, receipt, remove, update, wait } from "./verbs.ts";
