import * as z from "zod";
import type { Kind } from "../context.ts";
import { idOf } from "../id.ts";

export const membersMax = 500;
const name = z
  .string()
  .regex(
    /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/,
    "must be 1 to 40 lower-case letters, digits and inner dashes, a letter first",
  );
const title = z.string().trim().min(1).max(100);
/** Said twice, one is in once. */
const members = z
  .array(idOf("member"))
  .max(membersMax)
  .transform((ids) => [...new Set(ids)]);
/**
 * What an identity provider calls it: whoever signs in with one of these in its groups claim is in, and nobody else who
 * signs in there. Whoever may say this gives away all that the team is granted, which is why only owners change teams.
 */
const claims = z.array(z.string().min(1).max(200)).max(20);

/** A set of members that rights are granted to as one. */
export const Team = z.object({
  id: idOf("team"),
  tenant: idOf("tenant"),
  /** Unique in the tenant. */
  name: z.string(),
  title: z.string(),
  members: z.array(idOf("member")),
  claims: z.array(z.string()),
  generation: z.number().int(),
  createdAt: z.iso.datetime(),
});
export type Team = z.output<typeof Team>;
export const teamKind: Kind<Team> = { name: "team", schema: Team };
/** Holds a name once per tenant. */
export const nameKind: Kind<{ id: Team["id"] }> = { name: "teamName", schema: z.object({ id: idOf("team") }) };

export const CreateInput = z.strictObject({
  name,
  title: title.optional(),
  members: members.default([]),
  claims: claims.default([]),
});
export type CreateInput = z.output<typeof CreateInput>;
/** Whose teams a list keeps; left out, all. */
export const Filter = z.object({ member: idOf("member") }).partial();
export type Filter = z.output<typeof Filter>;

/** What may change; what is left out stays. Of members and claims the whole list is said. */
export const UpdateInput = z
  .strictObject({ title, members, claims })
  .partial()
  .refine((input) => Object.values(input).some((value) => value !== undefined), "must change something");
export type UpdateInput = z.output<typeof UpdateInput>;

export const View = Team;
export type View = Team;
