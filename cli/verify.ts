import { createHash, createPublicKey, type KeyObject, verify as verifyBytes } from "node:crypto";

// The check of an audit trail, over what the API exported. It needs no server and no trust in one: whoever keeps the id
// of the signing key and the head that an earlier check printed finds out what anybody altered since.

/** An entry as far as the check reads it; its hash is over all that is in its line. */
export interface Entry {
  id: string;
  at: string;
  [field: string]: unknown;
}

export interface Digest {
  sequence: number;
  entries: { id: string; sha256: string }[];
  previous: string | null;
  at: string;
  keyID: string;
  signature: string;
  [field: string]: unknown;
}

export interface Key {
  id: string;
  publicKey: string;
}

export interface Head {
  sequence: number;
  sha256: string;
}

/** What is checked. */
export interface Trail {
  /** Each line of an export that is not empty, oldest first: all of the tenant's. */
  lines: readonly string[];
  /** From the first on, in their order. */
  digests: readonly unknown[];
  keys: readonly Key[];
  /** Ends of the chain that were seen before; each must still be in it. */
  heads: readonly Head[];
  /** When the digests were read, in milliseconds: what was older than three minutes then must be sealed. */
  at: number;
  /** When the last entry was read, in milliseconds; as `at` when left out. */
  until?: number;
}

export type What =
  | "form"
  | "order"
  | "altered"
  | "missing"
  | "twice"
  | "unsealed"
  | "gap"
  | "chain"
  | "signature"
  | "key"
  | "head";

/** One thing that is wrong, and with which entry, digest or key. */
export interface Finding {
  what: What;
  subject: string;
  message: string;
}

export interface Verdict {
  findings: Finding[];
  entries: number;
  sealed: number;
  digests: number;
  /** The end of the chain, to be kept and named at the next check; null before the first digest. */
  head: Head | null;
  /** The keys that signed. */
  keys: string[];
}

const sealedWithinMs = 180_000;

/** Checks a whole trail. It finds all that is wrong, not the first; a trail that is whole has no finding. */
export function verify(trail: Trail): Verdict {
  const findings: Finding[] = [];
  const find = (what: What, subject: string, message: string): void => void findings.push({ what, subject, message });
  const entries = readEntries(trail.lines, find);
  const { held, heads, keys } = readDigests(trail, find);

  for (const [id, { sha256, digest }] of held) {
    const entry = entries.get(id);
    if (entry === undefined) find("missing", id, `${digest} holds it, and it is not there`);
    else if (entry.sha256 !== sha256) find("altered", id, `it is not what ${digest} holds`);
  }
  for (const [id, { at }] of entries) {
    if (held.has(id)) continue;
    // A time that lies ahead, or is none, would be young for ever.
    const young = at >= trail.at - sealedWithinMs && at <= (trail.until ?? trail.at) + sealedWithinMs;
    if (!young) find("unsealed", id, "no digest holds it, and it is not new");
  }
  for (const { sequence, sha256 } of trail.heads) {
    const known = heads.get(sequence);
    if (known === undefined) find("head", `digest ${sequence}`, "the chain once reached it, and it is not there");
    else if (known !== sha256) find("head", `digest ${sequence}`, "it is another one than was seen before");
  }
  const last = [...heads].at(-1);
  return {
    findings,
    entries: entries.size,
    sealed: [...entries.keys()].filter((id) => held.has(id)).length,
    digests: heads.size,
    head: last === undefined ? null : { sequence: last[0], sha256: last[1] },
    keys: [...keys],
  };
}

type Find = (what: What, subject: string, message: string) => void;

function readEntries(lines: readonly string[], find: Find): Map<string, { sha256: string; at: number }> {
  const entries = new Map<string, { sha256: string; at: number }>();
  let before = "";
  lines.forEach((line, index) => {
    const entry = entryOf(line);
    if (entry === undefined) return find("form", `line ${index + 1}`, "it is no entry");
    if (entries.has(entry.id)) return find("twice", entry.id, `it is in line ${index + 1} again`);
    if (entry.id < before) find("order", entry.id, `line ${index + 1} is not in its place`);
    before = entry.id;
    entries.set(entry.id, { sha256: hashOf(entry), at: Date.parse(entry.at) });
  });
  return entries;
}

/** A line that says a name twice would be read by its last and shown by its first, so it must be as we write it. */
function entryOf(line: string): Entry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<Entry> | null;
    if (typeof entry?.id !== "string" || typeof entry.at !== "string") return undefined;
    return JSON.stringify(entry) === line ? (entry as Entry) : undefined;
  } catch {
    return undefined;
  }
}

interface Chain {
  /** What each entry was when it was sealed, and where. */
  held: Map<string, { sha256: string; digest: string }>;
  /** The hash of each digest. */
  heads: Map<number, string>;
  keys: Set<string>;
}

function readDigests({ digests, keys: known }: Pick<Trail, "digests" | "keys">, find: Find): Chain {
  const publicKeys = readKeys(known, find);
  const chain: Chain = { held: new Map(), heads: new Map(), keys: new Set() };
  let [sequence, sha256]: [number, string | null] = [0, null];
  let tenant: unknown;
  digests.forEach((value, index) => {
    if (!isDigest(value)) return find("form", `digest at ${index + 1}`, "it is no digest");
    const name = `digest ${value.sequence}`;
    if (value.sequence <= sequence) find("order", name, `it comes after digest ${sequence}`);
    else if (value.sequence !== sequence + 1) find("gap", name, `it comes right after digest ${sequence}`);
    if (value.previous !== sha256) find("chain", name, "it does not go on from the digest before it");
    if (tenant !== undefined && value["tenant"] !== tenant) find("chain", name, "it is of another tenant");
    const key = publicKeys.get(value.keyID);
    if (key === undefined) find("key", name, `there is no key ${value.keyID}`);
    else if (!signed(value, key)) find("signature", name, "its signature is not of its content");
    for (const { id, sha256: hash } of value.entries) {
      const other = chain.held.get(id);
      if (other !== undefined) find("twice", id, `${name} holds it, as does ${other.digest}`);
      else chain.held.set(id, { sha256: hash, digest: name });
    }
    [sequence, sha256] = [value.sequence, hashOf(value)];
    tenant = value["tenant"];
    chain.heads.set(sequence, sha256);
    chain.keys.add(value.keyID);
  });
  return chain;
}

function isDigest(value: unknown): value is Digest {
  const digest = value as Partial<Digest> | null;
  const texts = [digest?.keyID, digest?.signature, digest?.at];
  return (
    Number.isSafeInteger(digest?.sequence) &&
    texts.every((text) => typeof text === "string") &&
    Array.isArray(digest?.entries) &&
    digest.entries.every((entry) => typeof entry?.id === "string" && typeof entry.sha256 === "string")
  );
}

/** A key is named by its fingerprint, so under a name that somebody kept no other key can be slipped in. */
function readKeys(known: readonly Key[], find: Find): Map<string, KeyObject> {
  const keys = new Map<string, KeyObject>();
  for (const { id, publicKey } of known) {
    try {
      const key = createPublicKey(publicKey);
      const der = key.export({ format: "der", type: "spki" });
      const fingerprint = createHash("sha256").update(der).digest("hex").slice(0, 32);
      const ours = key.asymmetricKeyType === "ed25519" && key.export({ format: "pem", type: "spki" }) === publicKey;
      if (!ours || fingerprint !== id) find("key", id, "it is another key than its name says");
      else keys.set(id, key);
    } catch {
      find("key", id, "it is no public key");
    }
  }
  return keys;
}

function signed({ signature, ...unsigned }: Digest, key: KeyObject): boolean {
  const text = Buffer.from(`berth audit digest v1\n${canonical(unsigned)}`);
  const bytes = Buffer.from(signature, "base64url");
  // Base64url has several texts for the same bytes; only one is ours.
  return bytes.toString("base64url") === signature && verifyBytes(null, text, key, bytes);
}

const hashOf = (value: unknown): string => createHash("sha256").update(canonical(value)).digest("hex");

/** A value as JSON in one way only: names sorted, no space (as RFC 8785, for the values of a trail). */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([name, part]) => `${JSON.stringify(name)}:${canonical(part)}`).join(",")}}`;
}
