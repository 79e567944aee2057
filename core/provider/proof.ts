// Whether an ID token proves who somebody is (OpenID Connect Core 1.0, 3.1.3.7; RFC 8725).
import * as crypto from "node:crypto";
import type { CompactJWSHeaderParameters, FlattenedJWSInput, JSONWebKeySet } from "jose";
import * as z from "zod";
import type { Context } from "../context.ts";
import { doubled } from "./doubled.ts";
import { keysOf } from "./discovery.ts";
import type { Provider } from "./schema.ts";

/** What may have signed: public keys only, so nobody who can check a token can make one. */
const algorithms = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];
const bytesMax = 8 * 1024;
/** How far the provider's clock may be from ours. */
const leewaySeconds = 60;
/** For how long after its making a token is taken. */
const freshSeconds = 600;

/** Nothing that points to a key of the token's own choice, and no extension: what is not known is refused. */
const Header = z.object({
  alg: z.enum(algorithms as [string, ...string[]]),
  typ: z.string().regex(/^jwt$/i).optional(),
  kid: z.string().min(1).max(512).optional(),
});
const barred = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "cty"];

const text = z.string().min(1).max(255);
const time = z.number().min(0).max(1e11);
const Claims = z.looseObject({
  iss: z.string(),
  sub: text,
  aud: z.union([text, z.array(text).min(1).max(20)]),
  azp: text.optional(),
  exp: time,
  nbf: time.optional(),
  iat: time,
  nonce: z.string().optional(),
});

/** What a token proved. */
export interface Proof {
  subject: string;
  claims: Readonly<Record<string, unknown>>;
  /** A hash of what was signed. Not of the whole text: of one token there may be many signatures that all fit. */
  hash: string;
  /** Epoch seconds. */
  expiresAt: number;
}

/**
 * What an ID token of this provider proves, or undefined when it proves nothing, whatever the reason.
 * @param nonce what it must repeat; a token that has one and was not asked for it is another's.
 * @throws Unfit while the provider's keys can't be had.
 */
export async function prove(
  ctx: Pick<Context, "home" | "tenant" | "now">,
  provider: Pick<Provider, "issuer" | "clientID" | "audience">,
  token: string,
  nonce: string | undefined,
): Promise<Proof | undefined> {
  // All that costs nothing comes first, and the signature before anything that it vouches for is told.
  const parts = token.split(".");
  if (Buffer.byteLength(token) > bytesMax || parts.length !== 3 || !parts.every(canonical)) return undefined;
  const [head = "", body = ""] = parts;
  const header = parse(head);
  const claims = parse(body);
  if (header === undefined || claims === undefined) return undefined;
  if (!Header.safeParse(header).success || barred.some((name) => Object.hasOwn(header, name))) return undefined;
  const read = Claims.safeParse(claims);
  if (!read.success || !meant(ctx, provider, read.data, nonce)) return undefined;
  if (!(await signed(ctx, provider.issuer, token))) return undefined;
  const hash = crypto.hash("sha256", `${provider.issuer}\n${head}.${body}`, "hex");
  return { subject: read.data.sub, claims, hash, expiresAt: Math.ceil(read.data.exp) + leewaySeconds };
}

function meant(
  ctx: Pick<Context, "now">,
  { issuer, clientID, audience = clientID }: Pick<Provider, "issuer" | "clientID" | "audience">,
  claims: z.output<typeof Claims>,
  nonce: string | undefined,
): boolean {
  const now = Date.parse(ctx.now()) / 1000;
  const many = [claims.aud].flat();
  return (
    claims.iss === issuer &&
    many.includes(audience) &&
    (claims.azp === undefined ? many.length === 1 : claims.azp === clientID) &&
    claims.exp > now - leewaySeconds &&
    (claims.nbf ?? 0) <= now + leewaySeconds &&
    claims.iat <= now + leewaySeconds &&
    claims.iat >= now - freshSeconds &&
    claims.nonce === nonce
  );
}

async function signed(ctx: Pick<Context, "home" | "tenant" | "now">, issuer: string, token: string): Promise<boolean> {
  const { compactVerify, createLocalJWKSet, errors } = await import("jose");
  const check = async (keys: JSONWebKeySet): Promise<boolean | "unknown"> => {
    const local = createLocalJWKSet(keys);
    const pick = (header: CompactJWSHeaderParameters, input: FlattenedJWSInput) => local(header, input);
    try {
      await compactVerify(token, pick, { algorithms });
      return true;
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return "unknown";
      if (error instanceof errors.JOSEError) return false;
      // A key of the provider's that can't be read is no key; the platform says so in errors of its own.
      if (error instanceof TypeError || error instanceof DOMException) return false;
      throw error;
    }
  };
  const known = await check(await keysOf(ctx, issuer));
  return known === "unknown" ? (await check(await keysOf(ctx, issuer, { unknown: true }))) === true : known;
}

/** One text has one form: no padding, no other alphabet, no bits that nobody reads. */
const canonical = (part: string): boolean =>
  /^[A-Za-z0-9_-]+$/.test(part) && Buffer.from(part, "base64url").toString("base64url") === part;

/** An object without a name said twice: of two, one reader takes the first and another the last. */
function parse(part: string): Record<string, unknown> | undefined {
  try {
    const json = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(part, "base64url"));
    const value: unknown = JSON.parse(json);
    if (typeof value !== "object" || value === null || Array.isArray(value) || doubled(json)) return undefined;
    return value as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
