// Who did what: written with the change itself, sealed within minutes into a chain that shows what was altered later.
export { entriesMax, keys, openSigner, seal } from "./home.ts";
export type { Signer } from "./key.ts";
export { Digest, Filter, Head, KeyView, Period, View } from "./schema.ts";
export { type Acting, digests, entries, entry, lastDone, type LastDone, list } from "./verbs.ts";
