// Secrets at rest: envelope encryption. The only room that speaks to a key service.
export { fileKeyring } from "./file.ts";
export { kmsKeyring } from "./kms.ts";
export type { KMSOptions } from "./kms.ts";
export { openSeal } from "./seal.ts";
export type { Keyring } from "./seal.ts";
