import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { canonical } from "./canonical.ts";
import type { Digest, KeyView } from "./schema.ts";

/** Signs digests. */
export interface Signer {
  keyID: string;
  sign(digest: Omit<Digest, "keyID" | "signature">): Digest;
}

/** An Ed25519 private key in PKCS #8 is this and its 32 bytes (RFC 8410, section 7). */
const prefix = Buffer.from("302e020100300506032b657004220420", "hex");

const privateKeyOf = (der: Buffer) => createPrivateKey({ key: der, format: "der", type: "pkcs8" });

/**
 * A new key.
 * @param seed 32 random bytes.
 * @returns what everybody may know of it, and the private key (PKCS #8, base64), which is to be sealed.
 */
export function newKey(seed: Uint8Array): Omit<KeyView, "createdAt"> & { privateKey: string } {
  const der = Buffer.concat([prefix, seed]);
  const publicKey = createPublicKey(privateKeyOf(der));
  return {
    id: createHash("sha256")
      .update(publicKey.export({ format: "der", type: "spki" }))
      .digest("hex")
      .slice(0, 32),
    algorithm: "Ed25519",
    publicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
    privateKey: der.toString("base64"),
  };
}

/** @param privateKey as `newKey` made it. */
export function newSigner(keyID: string, privateKey: string): Signer {
  const key = privateKeyOf(Buffer.from(privateKey, "base64"));
  return {
    keyID,
    sign(digest) {
      const unsigned = { ...digest, keyID };
      const signature = sign(null, Buffer.from(`berth audit digest v1\n${canonical(unsigned)}`), key);
      return { ...unsigned, signature: signature.toString("base64url") };
    },
  };
}
