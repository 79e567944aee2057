// Sets of members that rights are granted to as one.
export { claim, drop, joining } from "./own.ts";
export * from "./schema.ts";
export { of } from "./store.ts";
export { create, get, join, leave, list, remove, update } from "./verbs.ts";
