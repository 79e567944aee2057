// Who did what, written with the change itself.
export { View } from "./schema.ts";
export { entry, list } from "./verbs.ts";
