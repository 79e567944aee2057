// How much a tenant may have, and how much of it is used.
export { Ledger, Limits, rateDefault, requestsPerSecond, View } from "./schema.ts";
export { beyond, giving, limitsTo, moving, take, taking } from "./store.ts";
export { ledger, list } from "./verbs.ts";
