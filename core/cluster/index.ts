// A tenant's Kubernetes: its own etcd, API server, controller manager and scheduler, as Pods on a host.
export { hostKinds, sightOf } from "./digest.ts";
export { sorts } from "./filter.ts";
export { accessTarget, type Way, ways } from "./door.ts";
export { hear, type Issuer, issuer } from "./home.ts";
export { all, type Inward, inward, type Known } from "./inward.ts";
export { clear, type Remains, type Survey, survey, unaware } from "./lap.ts";
export { logs } from "./logs.ts";
export { membersNamespace } from "./manifests/inside.ts";
export { reconcile } from "./reconcile.ts";
export { CreateInput, PublicKey, Receipt, UpdateInput, View } from "./schema.ts";
export { create, get, kubeconfig, list, receipt, remove, update, wait } from "./verbs.ts";
export { turns, visit } from "./visit.ts";
