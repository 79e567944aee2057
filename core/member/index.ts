// People and robots, and the role that each has in its tenant.
export { first } from "./home.ts";
export { memberKind, View } from "./schema.ts";
export { get, list } from "./verbs.ts";
