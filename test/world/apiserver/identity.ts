import type { Ref, Target } from "#core/context.ts";
import { type User, userOf } from "./rbac.ts";
import { fault } from "./ref.ts";
import type { Nature, Objects } from "./server.ts";

/** Who a caller is: may do all, may do nothing, is not known, or a user who may do what the bindings say. */
export type Standing = "admin" | "weak" | "stranger" | User;

/** What a token of ours says; it is proved by nothing, as nobody here cheats. */
interface Claims {
  account: { name: string; namespace: string; uid: string };
  secret?: { name: string; uid: string };
  audiences: string[];
  expiresAt: string;
  /** Makes every token another one. */
  id: string;
}

/** The server's own audience, which a token gets when none is asked for. */
const audience = "https://berth.test";
const secondsMin = 600;

/** Certificates are admins; a token is its account's while that and its Secret are there and it has not expired. */
export function standingOf({ user }: Target, objects: Objects, now: string): Standing {
  if (!("token" in user)) return "admin";
  const claims = read(user.token);
  if (claims === undefined || Date.parse(claims.expiresAt) <= Date.parse(now) || !claims.audiences.includes(audience))
    return "stranger";
  const { account, secret } = claims;
  const is = (kind: string, one: { name: string; uid: string }): boolean =>
    objects.find(refTo(kind, one.name, account.namespace))?.metadata.uid === one.uid;
  return is("ServiceAccount", account) && (secret === undefined || is("Secret", secret)) ? userOf(account) : "stranger";
}

/** A token as TokenRequest gives it. @throws KubeFault `missing`, `conflict` for another Secret's uid, `invalid`. */
export function issueToken(
  objects: Objects,
  { name, namespace }: { name: string; namespace: string },
  wanted: { seconds: number; audiences?: string[]; secret?: { name: string; uid: string } },
  nature: Nature,
): { token: string; expiresAt: string } {
  const ref = refTo("ServiceAccount", name, namespace);
  const found = objects.find(ref);
  if (found === undefined) throw fault("missing", 404, ref, "NotFound");
  if (wanted.seconds < secondsMin) throw fault("invalid", 422, ref, "Invalid spec.expirationSeconds");
  if (wanted.secret !== undefined) {
    const secret = objects.find(refTo("Secret", wanted.secret.name, namespace));
    if (secret === undefined) throw fault("missing", 404, ref, "NotFound secret");
    if (secret.metadata.uid !== wanted.secret.uid) throw fault("conflict", 409, ref, "Conflict uid of the secret");
  }
  const expiresAt = new Date(Date.parse(nature.now()) + wanted.seconds * 1_000).toISOString().replace(/\.\d+Z$/, "Z");
  const claims: Claims = {
    account: { name, namespace, uid: found.metadata.uid },
    ...(wanted.secret === undefined ? {} : { secret: wanted.secret }),
    audiences: wanted.audiences ?? [audience],
    expiresAt,
    id: Buffer.from(nature.random(8)).toString("hex"),
  };
  return { token: `fake.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`, expiresAt };
}

function read(token: string): Claims | undefined {
  const [fake, text = ""] = token.split(".");
  return fake === "fake" ? (JSON.parse(Buffer.from(text, "base64url").toString()) as Claims) : undefined;
}

const refTo = (kind: string, name: string, namespace: string): Ref => ({ apiVersion: "v1", kind, name, namespace });
