import * as z from "zod";
import { permissions } from "../allow.ts";
import type { Kind } from "../context.ts";
import { type ID, idOf } from "../id.ts";

const Scopes = z.array(z.enum(permissions)).min(1);

/** An API key of a member, as the table keeps it: under `<member>/<token>`, so that a member's own are a range. */
export const Token = z.object({
  id: idOf("token"),
  tenant: idOf("tenant"),
  member: idOf("member"),
  name: z.string(),
  /** What it may do at most; null is all that its member may do. */
  scopes: z.array(z.string()).nullable(),
  /** SHA-256 of the text, hexadecimal. The text itself is kept nowhere. */
  hash: z.string(),
  expiresAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  /** To within an hour; null until the first use. */
  lastUsedAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
});
export type Token = z.output<typeof Token>;

/** What is asked of a new token. */
export const CreateInput = z.strictObject({
  name: z.string().trim().min(1).max(100),
  /** Left out, as much as the caller's own token. */
  scopes: Scopes.optional(),
  /** Left out, it does not expire. */
  expiresInDays: z.number().int().min(1).max(365).optional(),
});
export type CreateInput = z.output<typeof CreateInput>;

export const tokenKind: Kind<Token> = { name: "token", schema: Token };

/**
 * What a token check needs of its tenant's row. The tenant room issues tokens, so it can't be imported from here
 * without a circle; its tests hold that a row of its making is read by this.
 */
export const standingKind: Kind<{ id: ID<"tenant">; state: "active" | "suspended" }> = {
  name: "tenant",
  schema: z.object({ id: idOf("tenant"), state: z.enum(["active", "suspended"]) }),
};

/** What a caller sees of a token. */
export const View = Token.omit({ hash: true });
export type View = z.output<typeof View>;
/** A new token, with the one thing that is shown only once. */
export const Created = View.extend({
  /** The secret itself: it is kept nowhere and can't be shown again. */
  token: z.string(),
});
export type Created = z.output<typeof Created>;
