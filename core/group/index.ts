// Permission groups: named sets of Kubernetes rules.
export { builtin, type Rules } from "./builtin.ts";
export { dangers } from "./danger.ts";
export type { Holds } from "./make.ts";
export { isBuiltin, lacking, rulesOf } from "./rules.ts";
export * from "./schema.ts";
export { create, get, list, remove, update } from "./verbs.ts";
