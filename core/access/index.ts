// How members come into clusters: as their own ServiceAccount, by short tokens that end with their session.
export { contexts, Place } from "./contexts.ts";
export { type Issued, issue, kubeconfig } from "./credential.ts";
export { proxy, type Request as ProxyRequest } from "./proxy.ts";
export { type Access, accessKind, accessOf, Confirmation } from "./schema.ts";
export { reconcile } from "./reconcile.ts";
export { birth, confirm, spread } from "./spread.ts";
export { isReady, stateOf, type States } from "./state.ts";
export { visit } from "./visit.ts";
export { Comparison, comparison } from "./comparison.ts";
export { Able, can, Explained, RightsInput, whoCan } from "./rights.ts";
export { Unused, unused } from "./unused.ts";
export { Contents, contents, Usage, usage } from "./contents.ts";
