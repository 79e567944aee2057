// Kubernetes clusters that carry tenants' control planes, and the seats on them.
export {
  all,
  find,
  freeSeat,
  guards,
  healthy,
  keepStrangers,
  offers,
  place,
  probe,
  regions,
  seats,
  silentSince,
  target,
} from "./home.ts";
export { drain, remove, replaceCredential, resume, update } from "./change.ts";
export { CredentialInput, Drain, RegisterInput, UpdateInput, View } from "./schema.ts";
export { check, get, list, register } from "./verbs.ts";
