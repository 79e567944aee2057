// How members come into clusters: as their own ServiceAccount, by short tokens that end with their session.
export { issue, kubeconfig } from "./verbs.ts";
export type { Issued } from "./verbs.ts";
