// Kubernetes clusters that carry tenants' control planes, and the seats on them.
export { all, find, freeSeat, offers, place, probe, regions, seats, target } from "./home.ts";
export { RegisterInput, View } from "./schema.ts";
export { check, get, list, register } from "./verbs.ts";
