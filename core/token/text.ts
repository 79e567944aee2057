import * as crypto from "node:crypto";
import { crc32 } from "node:zlib";
import type { Context } from "../context.ts";
import { type ID, nounOf } from "../id.ts";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const form = /^berth_([0-9a-hjkmnp-tv-z]{26})([0-9a-hjkmnp-tv-z]{26})([0-9a-hjkmnp-tv-z]{26})_[0-9A-Za-z]{38}$/;

/** The three ids inside a token's text: where to look, in one read. They are no secret. */
export interface Place {
  tenant: ID<"tenant">;
  member: ID<"member">;
  token: ID<"token">;
}

/**
 * A new token's text: `berth_`, the ULIDs of tenant, member and token, `_`, 32 random base62 characters (190 bits),
 * and the CRC-32 of all before in 6 more. The checksum lets secret scanners tell a real one from noise.
 */
export function compose(ctx: Pick<Context, "random">, { tenant, member, token }: Place): string {
  const ids = [tenant, member, token].map((id) => id.slice(4)).join("");
  const body = `berth_${ids}_${secret(ctx)}`;
  return body + checksum(body);
}

/** The ids in a token's text, or undefined when no release of ours wrote it. No store is asked. */
export function parse(text: string): Place | undefined {
  const found = form.exec(text);
  if (found === null || checksum(text.slice(0, -6)) !== text.slice(-6)) return undefined;
  const [tenant, member, token] = [`tnt_${found[1]}`, `mbr_${found[2]}`, `tok_${found[3]}`];
  if (nounOf(tenant) !== "tenant" || nounOf(member) !== "member" || nounOf(token) !== "token") return undefined;
  return { tenant: tenant as ID<"tenant">, member: member as ID<"member">, token: token as ID<"token"> };
}

/** SHA-256 of the whole text, hexadecimal. The secret has 190 bits of chance, so it needs no salt and no slow hash. */
export const hash = (text: string): string => crypto.hash("sha256", text, "hex");

function secret(ctx: Pick<Context, "random">): string {
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
