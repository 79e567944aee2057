// Customer organisations, and the platform's own.
export { bootstrap, create, get, list, update } from "./home.ts";
export { CreateInput, Created, Me, UpdateInput, View, Whole } from "./schema.ts";
export { me } from "./verbs.ts";
