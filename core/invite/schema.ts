import * as z from "zod";
import type { Kind } from "../context.ts";
import * as Grant from "../grant/index.ts";
import * as Group from "../group/index.ts";
import { idOf } from "../id.ts";
import * as Member from "../member/index.ts";
import { roles } from "../role.ts";

const name = z.string().trim().min(1).max(100);
const teamsMax = 10;
const grantsMax = 10;
/** How long whoever accepts is signed in with it. */
const sessionDays = { usual: 30, most: 90 };

/** A right that comes with an invite. */
export const Gift = z.strictObject({ group: Group.Ref, scope: Grant.Scope });
export type Gift = z.output<typeof Gift>;

/** A link by which one person becomes a member, once. */
export const Invite = z.object({
  id: idOf("invite"),
  tenant: idOf("tenant"),
  /** Whom it is for, in the words of its maker. */
  name: z.string().optional(),
  role: z.enum(roles),
  teams: z.array(idOf("team")),
  grants: z.array(Gift),
  /** SHA-256 of the text, hexadecimal. The text itself is kept nowhere. */
  hash: z.string(),
  createdBy: idOf("member"),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  acceptedAt: z.iso.datetime().optional(),
  /** Who came in by it. */
  acceptedBy: idOf("member").optional(),
  revokedAt: z.iso.datetime().optional(),
  /** When it expires; gone with its end. */
  lookAt: z.iso.datetime().optional(),
  /** Epoch seconds. Set with its end: from then on it holds no place any more, and 90 days later it is gone. */
  ttl: z.number().int().optional(),
});
export type Invite = z.output<typeof Invite>;
export const inviteKind: Kind<Invite> = { name: "invite", schema: Invite };

/** What accepting needs of its tenant's row; the tenant room stands above this one. */
export const standingKind: Kind<{ id: Invite["tenant"]; name: string; title: string; state: string }> = {
  name: "tenant",
  schema: z.object({ id: idOf("tenant"), name: z.string(), title: z.string(), state: z.string() }),
};

export const CreateInput = z.strictObject({
  role: z.enum(roles),
  teams: z
    .array(idOf("team"))
    .max(teamsMax)
    .transform((ids) => [...new Set(ids)])
    .default([]),
  grants: z
    .array(Gift)
    .max(grantsMax)
    .refine(
      (gifts) => new Set(gifts.map(({ group, scope }) => `${scope}/${group}`)).size === gifts.length,
      "must not name the same group and scope twice",
    )
    .default([]),
  name: name.optional(),
  expiresInDays: z.number().int().min(1).max(30).default(3),
});
export type CreateInput = z.output<typeof CreateInput>;

export const AcceptInput = z.strictObject({
  /** The link, or the text at its end. */
  invite: z.string().min(1).max(2_000),
  /** What the new member is to be called; left out, as the invite says. */
  name: name.optional(),
  /** How long the session lasts. */
  expiresInDays: z.number().int().min(1).max(sessionDays.most).default(sessionDays.usual),
});
export type AcceptInput = z.output<typeof AcceptInput>;

const state = z.enum(["open", "accepted", "revoked", "expired"]);
/** Which invites a list keeps; left out, all. */
export const Filter = z.object({ state }).partial();
export type Filter = z.output<typeof Filter>;

export const View = Invite.omit({ hash: true, lookAt: true, ttl: true }).extend({ state });
export type View = z.output<typeof View>;

/** A new invite, with the one thing that is shown only once. */
export const Created = View.extend({
  /** Whoever has it may come in: it is kept nowhere and can't be shown again. */
  link: z.string(),
});
export type Created = z.output<typeof Created>;

/** Who came in, and the session that it has from its first moment on. */
export const Accepted = z.object({
  tenant: z.object({ id: idOf("tenant"), name: z.string(), title: z.string() }),
  member: Member.View,
  /** The session's secret: it is kept nowhere and can't be shown again. */
  token: z.string(),
  expiresAt: z.iso.datetime(),
});
export type Accepted = z.output<typeof Accepted>;

/** Whether its time is over. */
export const over = ({ expiresAt }: Pick<Invite, "expiresAt">, now: string): boolean =>
  Date.parse(expiresAt) <= Date.parse(now);

/** @param now ISO 8601 UTC. */
export function viewOf({ hash: _, lookAt: __, ttl: ___, ...invite }: Invite, now: string): View {
  const { acceptedAt, revokedAt } = invite;
  const ended = over(invite, now) ? "expired" : "open";
  return { ...invite, state: acceptedAt !== undefined ? "accepted" : revokedAt !== undefined ? "revoked" : ended };
}
