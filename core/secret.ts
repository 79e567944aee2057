// How every secret text of ours is made: chance that can't be guessed, and a checksum that tells it from noise.
import * as crypto from "node:crypto";
import { crc32 } from "node:zlib";
import type { Context } from "./context.ts";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** `head`, 32 random base62 characters (190 bits), and the CRC-32 of all before in 6 more. */
export function secretAfter(ctx: Pick<Context, "random">, head: string): string {
  const body = head + chance(ctx);
  return body + checksum(body);
}

/** Whether a text ends in its own checksum: what does not, no release of ours wrote. No store is asked. */
export const checked = (text: string): boolean => checksum(text.slice(0, -6)) === text.slice(-6);

/** SHA-256 of the whole text, hexadecimal. The secret has 190 bits of chance, so it needs no salt and no slow hash. */
export const hash = (text: string): string => crypto.hash("sha256", text, "hex");

function chance(ctx: Pick<Context, "random">): string {
  let text = "";
  while (text.length < 32) {
    // 248 is the highest multiple of 62 in a byte: keeping more would favour the first characters.
    for (const byte of ctx.random(48)) if (byte < 248 && text.length < 32) text += alphabet[byte % 62];
  }
  return text;
}

function checksum(body: string): string {
  let rest = crc32(body);
  let text = "";
  for (let i = 0; i < 6; i += 1) {
    text = alphabet.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}
