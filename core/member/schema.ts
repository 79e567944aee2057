import * as z from "zod";
import { roles } from "../role.ts";
import type { Kind } from "../context.ts";
import { idOf } from "../id.ts";

/** What people may call a member; the same name twice is fine, as members are told apart by their ids. */
const name = z.string().trim().min(1).max(100);
const role = z.enum(roles);
const kind = z.enum(["person", "robot"]);
const state = z.enum(["active", "suspended"]);

/** A person or a robot in a tenant. */
export const Member = z.object({
  id: idOf("member"),
  tenant: idOf("tenant"),
  name: z.string(),
  role,
  kind,
  /** The tokens of a suspended member stop working, and its accounts in clusters go. */
  state: state.default("active"),
  /** Rises with every change; 0 for a row from before there were generations. */
  generation: z.number().int().default(0),
  createdAt: z.iso.datetime(),
});
export type Member = z.output<typeof Member>;

export const memberKind: Kind<Member> = { name: "member", schema: Member };

/** What is asked of a new member. */
export const CreateInput = z.strictObject({ name, kind, role });
export type CreateInput = z.output<typeof CreateInput>;

/** What may change; what is left out stays. */
export const UpdateInput = z
  .strictObject({ name, role, state })
  .partial()
  .refine((input) => Object.values(input).some((value) => value !== undefined), "must change something");
export type UpdateInput = z.output<typeof UpdateInput>;

/** Which members a list keeps; left out, all. */
export const Filter = z.object({ role, kind, state }).partial();
export type Filter = z.output<typeof Filter>;

/** What a caller sees of a member: all of it. */
export const View = Member;
export type View = Member;
