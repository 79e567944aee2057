import type { Binding, Seal } from "#core/context.ts";
import { close, decode, encode, open } from "#core/seal/cipher.ts";
import { openSeal } from "#core/seal/index.ts";

/** The real seal; what wraps its data keys is in memory. */
export function newSeal(random: (bytes: number) => Uint8Array): Seal {
  const master = random(32);
  const bound = (binding: Binding): Buffer => Buffer.from(JSON.stringify(binding));
  return openSeal({
    async dataKey(binding) {
      const key = random(32);
      const { iv, ciphertext } = close(master, key, bound(binding));
      return { key, wrapped: `${encode(iv)}.${encode(ciphertext)}` };
    },
    async unwrap(wrapped, binding) {
      const [iv = "", ciphertext = ""] = wrapped.split(".");
      return open(master, { iv: decode(iv), ciphertext: decode(ciphertext) }, bound(binding));
    },
  });
}
