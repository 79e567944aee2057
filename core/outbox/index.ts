// What is still to be told to clusters: written with a change of rights, and gone once all of them were told.
export { done, note, pending } from "./store.ts";
export type { Note, Whom } from "./schema.ts";
