import * as z from "zod";
import { roles } from "../allow.ts";
import type { Kind } from "../context.ts";
import { idOf } from "../id.ts";

/** A person or a robot in a tenant. */
export const Member = z.object({
  id: idOf("member"),
  tenant: idOf("tenant"),
  name: z.string(),
  role: z.enum(roles),
  kind: z.enum(["person", "robot"]),
  createdAt: z.iso.datetime(),
});
export type Member = z.output<typeof Member>;

export const memberKind: Kind<Member> = { name: "member", schema: Member };

/** What a caller sees of a member: all of it. */
export const View = Member;
export type View = Member;
