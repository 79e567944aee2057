// The way to Kubernetes API servers. The only room that imports @kubernetes/client-node, and only at the first call.
export { refOf } from "./call.ts";
export { openKube } from "./client.ts";
export type { KubeOptions } from "./client.ts";
export { covers } from "./covers.ts";
export { altered, drift, ending, keyOf, waves } from "./drift.ts";
export type { Objects, Put } from "./drift.ts";
export { parseKubeconfig } from "./kubeconfig.ts";
export { newKubes } from "./kubes.ts";
