// API keys: how a caller proves who it is.
export { authenticate, issue } from "./home.ts";
export { CreateInput, Created, Filter, RotateInput, View } from "./schema.ts";
export { endAll, expire } from "./store.ts";
export { create, get, list, revoke, rotate } from "./verbs.ts";
