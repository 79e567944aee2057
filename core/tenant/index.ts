// Customer organisations, and the platform's own.
export { bootstrap, create, list, setState } from "./home.ts";
export { CreateInput, Created, Me, UpdateInput, View } from "./schema.ts";
export { me } from "./verbs.ts";
