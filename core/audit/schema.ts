import * as z from "zod";
import type { Kind } from "../context.ts";
import { idOf } from "../id.ts";

/** Who did what to what. It names changed fields and never their values, so no secret can get in. */
export const Audit = z.object({
  id: idOf("audit"),
  tenant: idOf("tenant"),
  /** `noun:verb`, such as `cluster:create`. */
  verb: z.string(),
  /** The id of what it was done to. */
  target: z.string(),
  /** Names of the fields that changed. */
  changes: z.array(z.string()).optional(),
  actor: z.object({
    /** `system` for what Berth did by itself. */
    member: z.union([idOf("member"), z.literal("system")]),
    token: idOf("token").nullable(),
  }),
  requestID: z.string(),
  /** ISO 8601 UTC. */
  at: z.iso.datetime(),
  /** Since when it waits for a digest; gone once one holds it. Places the row in the index of what is to be sealed. */
  unsealed: z.iso.datetime().optional(),
});
export type Audit = z.output<typeof Audit>;

export const auditKind: Kind<Audit> = { name: "audit", schema: Audit };

/** An entry as it is sealed and exported: what a digest holds the SHA-256 of, in canonical form. */
export const Entry = Audit.omit({ unsealed: true });
export type Entry = z.output<typeof Entry>;

/** An entry as it is searched. */
export const View = Entry.extend({
  actor: Entry.shape.actor.extend({
    /** What the member is called now; left out when it is gone, and for Berth itself. No digest holds it. */
    name: z.string().optional(),
  }),
  /** What its target is called now, or was when it went; left out of what has no name. No digest holds it. */
  targetName: z.string().optional(),
});
export type View = z.output<typeof View>;

/** From when to when, both included. */
export const Period = z.strictObject({
  from: z.iso.datetime({ offset: true }).optional().describe("No earlier than this, ISO 8601."),
  to: z.iso.datetime({ offset: true }).optional().describe("No later than this, ISO 8601."),
});
export type Period = z.output<typeof Period>;

/** Which entries are looked for; what is left out does not matter. */
export const Filter = Period.extend({
  actor: z
    .union([idOf("member"), z.literal("system")], { error: "must be the id of a member, or system" })
    .optional()
    .describe("Who did it: the id of a member, or `system`."),
  verb: z
    .string()
    .regex(/^[a-z]{1,40}(:[a-z-]{1,40})?$/i, "must be a noun, or noun:verb")
    .optional()
    .describe("What was done, such as `cluster:create`, or a noun for all that was done to its kind."),
  target: z.string().min(1).max(200).optional().describe("The id of what it was done to."),
});
export type Filter = z.output<typeof Filter>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** A page of a tenant's sealed book: up to 90 entries, chained to the page before, and signed. */
export const Digest = z.object({
  /** `sequence` in 12 digits. */
  id: z.string(),
  /** From 1, without a gap. */
  sequence: z.number().int(),
  tenant: idOf("tenant"),
  /** The times of the oldest and newest entry in it. An entry that came late is in a later digest, so these may overlap. */
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  /** Each with the SHA-256 of its canonical form, hexadecimal, in the order of ids. */
  entries: z.array(z.object({ id: idOf("audit"), sha256 })),
  /** SHA-256 of the canonical form of the digest before, its signature included; null for the first. */
  previous: sha256.nullable(),
  at: z.iso.datetime(),
  keyID: z.string(),
  /** Ed25519 in base64url, over `berth audit digest v1`, a line feed, and the canonical form of all else. */
  signature: z.string(),
});
export type Digest = z.output<typeof Digest>;
export const digestKind: Kind<Digest> = { name: "digest", schema: Digest };

/** The end of a tenant's chain. Whoever writes it down can show later that nothing was cut off. */
export const Head = z.object({ sequence: z.number().int(), sha256 });
export type Head = z.output<typeof Head>;
/** One row per tenant, moved with each digest: of two sealers at once, one finds it moved. */
export const headKind: Kind<Head> = { name: "digestHead", schema: Head };
export const headID = "head";

/** A key that signs digests, in the home tenant. It stays when a newer one signs, so that old digests can be checked. */
export const Key = z.object({
  /** The first 32 hexadecimal digits of the SHA-256 of the public key (SubjectPublicKeyInfo, DER). */
  id: z.string(),
  algorithm: z.literal("Ed25519"),
  /** PEM. */
  publicKey: z.string(),
  /** The private key, sealed. */
  sealed: z.string(),
  createdAt: z.iso.datetime(),
});
export type Key = z.output<typeof Key>;
export const auditKeyKind: Kind<Key> = { name: "auditKey", schema: Key };

/** Which key signs now. */
export const signerKind: Kind<{ keyID: string }> = { name: "auditSigner", schema: z.object({ keyID: z.string() }) };
export const signerID = "current";

/** What a caller sees of a key. */
export const KeyView = Key.omit({ sealed: true });
export type KeyView = z.output<typeof KeyView>;
