// A tenant's Kubernetes: its own etcd, API server, controller manager and scheduler, as Pods on a host.
export { hostKinds, sightOf } from "./digest.ts";
export { sorts } from "./filter.ts";
export { accessTarget } from "./door.ts";
export { hear, type Issuer, issuer } from "./home.ts";
export { clear, type Remains, type Survey, survey, unaware } from "./lap.ts";
export { logs } from "./logs.ts";
export { reconcile } from "./reconcile.ts";
export { CreateInput, PublicKey, Receipt, UpdateInput, View } from "./schema.ts";
export { stir } from "./stir.ts";
export { create, get, kubeconfig, list, receipt, remove, update, wait } from "./verbs.ts";
export { turns, visit } from "./visit.ts";
