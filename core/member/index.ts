// People and robots, and the role that each has in its tenant.
export { covered, first, mayGive } from "./home.ts";
export { byIdentity, identifying, join } from "./identity.ts";
export { leads, reaches } from "./rank.ts";
export { CreateInput, Filter, Identity, type Member, memberKind, TransferInput, UpdateInput, View } from "./schema.ts";
export { acting, asCaller } from "./store.ts";
export { leave, remove } from "./removal.ts";
export { transfer } from "./transfer.ts";
export { create, get, list, update } from "./verbs.ts";
