// How home itself is, for the platform's staff.
export { look } from "./home.ts";
export { Health } from "./schema.ts";
