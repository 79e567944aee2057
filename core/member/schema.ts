import * as z from "zod";
import { roles } from "../role.ts";
import type { Kind } from "../context.ts";
import { idOf } from "../id.ts";

/** What people may call a member; the same name twice is fine, as members are told apart by their ids. */
const name = z.string().trim().min(1).max(100);
const role = z.enum(roles);
const kind = z.enum(["person", "robot"]);
const state = z.enum(["active", "suspended"]);

/** Who one is to an identity provider: its issuer and subject together, never an e-mail, are who a member is. */
export const Identity = z.object({
  issuer: z.string(),
  subject: z.string(),
  /** By which of the tenant's providers it came in. */
  provider: idOf("provider").optional(),
});
export type Identity = z.output<typeof Identity>;

/** A person or a robot in a tenant. */
export const Member = z.object({
  id: idOf("member"),
  tenant: idOf("tenant"),
  name: z.string(),
  role,
  kind,
  /** The tokens of a suspended member stop working, and its accounts in clusters go. */
  state: state.default("active"),
  /** As an identity provider tells it, or its inviter. Shown, and never what tells members apart. */
  email: z.string().optional(),
  /** Only of who signs in by a provider. */
  identity: Identity.optional(),
  /** Rises with every change; 0 for a row from before there were generations. */
  generation: z.number().int().default(0),
  createdAt: z.iso.datetime(),
});
export type Member = z.output<typeof Member>;

export const memberKind: Kind<Member> = { name: "member", schema: Member };
/** Under the hash of issuer and subject, so that each is one member at most. */
export const identityKind: Kind<{ id: string; member: Member["id"] }> = {
  name: "identity",
  schema: z.object({ id: z.string(), member: idOf("member") }),
};

/** What is asked of a new member. */
export const CreateInput = z.strictObject({ name, kind, role });
export type CreateInput = z.output<typeof CreateInput>;

/** What may change; what is left out stays. */
export const UpdateInput = z
  .strictObject({ name, role, state })
  .partial()
  .refine((input) => Object.values(input).some((value) => value !== undefined), "must change something");
export type UpdateInput = z.output<typeof UpdateInput>;

/** What becomes of who hands its ownership over. */
export const TransferInput = z.strictObject({ role: z.enum(["owner", "editor", "viewer"]).default("editor") });
export type TransferInput = z.output<typeof TransferInput>;

/** Which members a list keeps; left out, all. */
export const Filter = z.object({ role, kind, state }).partial();
export type Filter = z.output<typeof Filter>;

/** What a caller sees of a member: all of it. */
export const View = Member;
export type View = Member;
