// Links by which people become members: one use each, and not for long.
export { accept, type Give, type Knocking } from "./home.ts";
export { Accepted, AcceptInput, Created, CreateInput, Filter, type Gift, View } from "./schema.ts";
export { expire } from "./store.ts";
export { create, get, list, revoke } from "./verbs.ts";
