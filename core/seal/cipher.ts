import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** What one encryption gives: `ciphertext` ends with the tag. */
export interface Closed {
  iv: Buffer;
  ciphertext: Buffer;
}

const algorithm = "aes-256-gcm";
const ivLength = 12;
const tagLength = 16;

/** AES-256-GCM with a fresh random iv; `bound` is authenticated, and not kept in the result. */
export function close(key: Uint8Array, plain: Uint8Array, bound: Uint8Array): Closed {
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv(algorithm, key, iv, { authTagLength: tagLength });
  cipher.setAAD(bound);
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return { iv, ciphertext };
}

/** @throws Error when anything was altered, or closed with another key or for another `bound`. */
export function open(key: Uint8Array, { iv, ciphertext }: Closed, bound: Uint8Array): Buffer {
  const end = ciphertext.length - tagLength;
  if (iv.length !== ivLength || end < 0) throw new Error("the sealed text was cut");
  const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagLength });
  decipher.setAAD(bound);
  decipher.setAuthTag(ciphertext.subarray(end));
  return Buffer.concat([decipher.update(ciphertext.subarray(0, end)), decipher.final()]);
}

export const encode = (bytes: Buffer): string => bytes.toString("base64url");

/** Only the one spelling of the bytes: the decoder would pass over strangers and spare bits. */
export function decode(text: string): Buffer {
  const bytes = Buffer.from(text, "base64url");
  if (encode(bytes) !== text) throw new Error("the sealed text was altered");
  return bytes;
}
