import type { Binding, Seal } from "../context.ts";
import { close, decode, encode, open } from "./cipher.ts";

/** Makes and opens data keys; what wraps them (a key service, a file's key) never leaves it. */
export interface Keyring {
  /** A new key of 32 bytes, and the same key wrapped for `binding`. The caller wipes `key`: it must be its own copy. */
  dataKey(binding: Binding): Promise<{ key: Uint8Array; wrapped: string }>;
  /** The key of a `wrapped` one; the caller wipes it. @throws Error for another binding, or when altered. */
  unwrap(wrapped: string, binding: Binding): Promise<Uint8Array>;
}

/**
 * Seals texts, each with a data key of its own, as `v1.<wrapped key>.<iv>.<ciphertext>` in base64url (AES-256-GCM).
 * A sealed text opens only under the tenant, cluster and name that it was sealed for. Errors hold nothing of the text.
 */
export function openSeal(keyring: Keyring): Seal {
  return {
    async seal(plain, binding) {
      const { key, wrapped } = await keyring.dataKey(binding);
      try {
        const { iv, ciphertext } = close(key, Buffer.from(plain), canonical(binding));
        return ["v1", encode(Buffer.from(wrapped)), encode(iv), encode(ciphertext)].join(".");
      } finally {
        key.fill(0);
      }
    },

    async open(sealed, binding) {
      const [version, wrapped = "", iv = "", ciphertext = "", ...more] = sealed.split(".");
      if (version !== "v1" || more.length > 0) throw new Error("the sealed text has an unknown form");
      const parts = { iv: decode(iv), ciphertext: decode(ciphertext) };
      const key = await keyring.unwrap(decode(wrapped).toString(), binding);
      try {
        return open(key, parts, canonical(binding)).toString();
      } finally {
        key.fill(0);
      }
    },
  };
}

/** The binding as bytes, in one way only: no two bindings have the same. */
const canonical = ({ tenant, cluster, name }: Binding): Buffer =>
  Buffer.from(JSON.stringify(["berth seal v1", tenant, cluster, name]));
