import * as z from "zod";
import { permissions } from "../allow.ts";
import type { Actor, Kind } from "../context.ts";
import { type ID, idOf } from "../id.ts";
import * as Quota from "../quota/index.ts";

const Scopes = z.array(z.enum(permissions)).min(1);
const state = z.enum(["active", "expired", "revoked"]);
const kind = z.enum(["key", "session"]);
const boundsMax = 50;

/**
 * An API key or a session of a member, as the table keeps it: under `<member>/<token>`, so that a member's own are a
 * range.
 */
export const Token = z.object({
  id: idOf("token"),
  tenant: idOf("tenant"),
  member: idOf("member"),
  /** A key was made by a caller and holds a place; a session was got by signing in and holds none. */
  kind: kind.default("key"),
  /** Of a session, by which provider: with that one it ends. */
  provider: idOf("provider").optional(),
  name: z.string(),
  /** What it may do at most; null is all that its member may do. */
  scopes: z.array(z.string()).nullable(),
  /** The clusters that it is bound to; left out, it is bound to none in particular. */
  clusters: z.array(idOf("cluster")).optional(),
  /** The projects that it is bound to, likewise. */
  projects: z.array(idOf("project")).optional(),
  /** SHA-256 of the text, hexadecimal. The text itself is kept nowhere. */
  hash: z.string(),
  expiresAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  /** To within an hour; null until the first use. */
  lastUsedAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
  /** The token that took its place. */
  replacedBy: idOf("token").optional(),
  /** How often it was noted where it entered: what ends it has read all of those notes, or begins anew. */
  entries: z.number().int().optional(),
  /** Epoch seconds. Set with its end: from then on it holds no place any more, and 90 days later it is gone. */
  ttl: z.number().int().optional(),
});
export type Token = z.output<typeof Token>;

/** What is asked of a new token. */
export const CreateInput = z.strictObject({
  name: z.string().trim().min(1).max(100),
  /** Left out, as much as the caller's own token. */
  scopes: Scopes.optional(),
  /** Left out, the clusters of the caller's own token, if that is bound to some. */
  clusters: z.array(idOf("cluster")).min(1).max(boundsMax).optional(),
  /** The same of projects. */
  projects: z.array(idOf("project")).min(1).max(boundsMax).optional(),
  /** Left out, it does not expire. */
  expiresInDays: z.number().int().min(1).max(365).optional(),
  /** The robot that it is for; left out, the caller itself. */
  member: idOf("member").optional(),
});
export type CreateInput = z.output<typeof CreateInput>;

/** How long the old secret goes on working beside the new one. */
export const RotateInput = z.strictObject({ overlapSeconds: z.number().int().min(0).max(86_400).default(3_600) });
export type RotateInput = z.output<typeof RotateInput>;

/** Which tokens a list keeps; left out, all. */
export const Filter = z.object({ member: idOf("member"), state, kind }).partial();
export type Filter = z.output<typeof Filter>;

export const tokenKind: Kind<Token> = { name: "token", schema: Token };

/** Under a token's id, whose it is: finds the token without its member, and is due when the token expires. */
export const Holder = z.object({
  id: idOf("token"),
  member: idOf("member"),
  lookAt: z.iso.datetime().optional(),
  ttl: z.number().int().optional(),
});
export type Holder = z.output<typeof Holder>;
export const holderKind: Kind<Holder> = { name: "tokenOwner", schema: Holder };

/** That a token got a credential of a cluster, under `<token>/<cluster>`: whom its end is to be told. */
export const Entered = z.object({ cluster: idOf("cluster"), ttl: z.number().int() });
export type Entered = z.output<typeof Entered>;
export const enteredKind: Kind<Entered> = { name: "entered", schema: Entered };

// What a bound names must be there, and no more of it is read. Both rooms know tokens, so they can't be imported from
// here without a circle; rows of any form will do.
const any = Number.MAX_SAFE_INTEGER;
export const boundKinds = {
  clusters: { name: "cluster", schema: z.looseObject({}), form: any },
  projects: { name: "project", schema: z.looseObject({}), form: any },
} as const;

/**
 * What a token check needs of its tenant's row. The tenant room issues tokens, so it can't be imported from here
 * without a circle; its tests hold that a row of its making is read by this.
 */
const Standing = z.object({
  id: idOf("tenant"),
  state: z.enum(["active", "suspended"]),
  limits: z.object({ requestsPerSecond: Quota.requestsPerSecond }).partial().optional(),
});
export const standingKind: Kind<z.output<typeof Standing>> = { name: "tenant", schema: Standing };

/** What a caller sees of a token. */
export const View = Token.omit({ hash: true, ttl: true, entries: true }).extend({
  /** What it is now: `revoked` also when it expired later. */
  state,
});
export type View = z.output<typeof View>;
/** A new token, with the one thing that is shown only once. */
export const Created = View.extend({
  /** The secret itself: it is kept nowhere and can't be shown again. */
  token: z.string(),
});
export type Created = z.output<typeof Created>;

/** @param now ISO 8601 UTC. */
export function viewOf({ hash: _, ttl: __, entries: ___, ...token }: Token, now: string): View {
  return { ...token, state: token.revokedAt !== null ? "revoked" : over(token, now) ? "expired" : "active" };
}

/** Whether its time is over. */
export const over = ({ expiresAt }: Pick<Token, "expiresAt">, now: string): boolean =>
  expiresAt !== null && Date.parse(expiresAt) <= Date.parse(now);

/** The clusters and projects that a token is bound to, or undefined when it is not bound. */
export function boundsOf({ clusters, projects }: Pick<Token, "clusters" | "projects">): Actor["within"] {
  if (clusters === undefined && projects === undefined) return undefined;
  return { ...(clusters && { clusters }), ...(projects && { projects }) };
}

/** A token's place in the table. */
export const rowID = (member: ID<"member">, token: ID<"token">): string => `${member}/${token}`;
