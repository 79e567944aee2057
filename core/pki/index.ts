// Keys, certificates and kubeconfigs. The only room that speaks X.509; it keeps nothing and reaches nothing.
export { authority, expiry, leaf, signer } from "./certificate.ts";
export type { AuthorityOptions, LeafOptions, Pair, Signer } from "./certificate.ts";
export { kubeconfig } from "./kubeconfig.ts";
export type { KubeconfigOptions, KubeconfigUser } from "./kubeconfig.ts";
