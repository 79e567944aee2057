import * as z from "zod";
import type { Kind } from "../context.ts";
import * as Group from "../group/index.ts";
import { idOf } from "../id.ts";

/** Who gets the rights: a member, or a team's members as long as they are in it. */
export const Subject = z.union([idOf("member"), idOf("team")], { error: "must be the id of a member or a team" });
export type Subject = z.output<typeof Subject>;

/** Where they hold: in the whole tenant, on one cluster, or in one project. */
export const Scope = z.union([z.literal("tenant"), idOf("cluster"), idOf("project")], {
  error: "must be tenant, the id of a cluster or the id of a project",
});
export type Scope = z.output<typeof Scope>;

const reason = z.string().trim().min(1).max(300);
const days = z.number().int().min(1).max(365);

/** A permission group, given to somebody, somewhere. */
export const Grant = z.object({
  id: idOf("grant"),
  tenant: idOf("tenant"),
  subject: Subject,
  group: Group.Ref,
  scope: Scope,
  /** `requested`: it waits for one who may give it, and gives nothing yet. */
  state: z.enum(["active", "requested"]),
  /** Why, in the words of who asked for it. */
  reason: z.string().optional(),
  /** From then on it gives nothing, and goes. */
  expiresAt: z.iso.datetime().optional(),
  /** How long it is to hold from its approval; of one that is requested. */
  forDays: z.number().int().optional(),
  createdAt: z.iso.datetime(),
  createdBy: z.union([idOf("member"), z.literal("system")]),
  approvedBy: idOf("member").optional(),
  generation: z.number().int(),
  /** When it is over, or when nobody has answered the request. */
  lookAt: z.iso.datetime().optional(),
});
export type Grant = z.output<typeof Grant>;
export const grantKind: Kind<Grant> = { name: "grant", schema: Grant };
/** Under `<subject>/<scope>/<group>`, so that the same is not given twice. */
export const givenKind: Kind<{ id: Grant["id"] }> = { name: "given", schema: z.object({ id: idOf("grant") }) };

export const CreateInput = z.strictObject({
  subject: Subject,
  group: Group.Ref,
  scope: Scope,
  expiresInDays: days.optional(),
  reason: reason.optional(),
});
export type CreateInput = z.output<typeof CreateInput>;
/** What one asks for oneself. */
export const RequestInput = z.strictObject({
  group: Group.Ref,
  scope: Scope,
  expiresInDays: days.optional(),
  reason,
});
export type RequestInput = z.output<typeof RequestInput>;

/** Which grants a list keeps; left out, all. */
export const Filter = z.object({
  subject: Subject.optional(),
  group: Group.Ref.optional(),
  scope: Scope.optional(),
  state: z.enum(["active", "requested"]).optional(),
});
export type Filter = z.output<typeof Filter>;

export const View = Grant.omit({ lookAt: true });
export type View = z.output<typeof View>;
