// API keys and sessions: how a caller proves who it is, and what its proof is bound to.
export { ended } from "./ended.ts";
export { enter } from "./enter.ts";
export { authenticate, issue } from "./home.ts";
export { CreateInput, Created, Filter, RotateInput, View } from "./schema.ts";
export { endSessions, session, signOut } from "./session.ts";
export { endAll, expire } from "./store.ts";
export { create, get, list, revoke, rotate } from "./verbs.ts";
