// People and robots, and the role that each has in its tenant.
export { first } from "./home.ts";
export { leads, reaches } from "./rank.ts";
export { CreateInput, Filter, type Member, memberKind, UpdateInput, View } from "./schema.ts";
export { acting, asCaller } from "./store.ts";
export { create, get, list, remove, update } from "./verbs.ts";
