// API keys: how a caller proves who it is.
export { authenticate, issue } from "./home.ts";
export { CreateInput, Created, View } from "./schema.ts";
export { create, list, revoke } from "./verbs.ts";
