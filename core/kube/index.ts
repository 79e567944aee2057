// The way to Kubernetes API servers. The only room that imports @kubernetes/client-node, and only at the first call.
export { refOf } from "./call.ts";
export { openKube } from "./client.ts";
export type { KubeOptions } from "./client.ts";
export { covers } from "./covers.ts";
export { parseKubeconfig } from "./kubeconfig.ts";
export { newKubes } from "./kubes.ts";
