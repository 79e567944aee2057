// Secrets at rest: envelope encryption. The only room that will speak to a key service.
export { fileKeyring } from "./file.ts";
export { openSeal } from "./seal.ts";
export type { Keyring } from "./seal.ts";
