// Rows that failed too often and wait for a person.
export { list, release } from "./home.ts";
export { Released, ReleaseInput, rowID, View } from "./schema.ts";
