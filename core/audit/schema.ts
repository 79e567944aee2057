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
  /** Until a digest holds it; places the row in the sparse index of what is not sealed yet. */
  unsealed: z.literal(true).optional(),
});
export type Audit = z.output<typeof Audit>;

export const auditKind: Kind<Audit> = { name: "audit", schema: Audit };

/** What a caller sees of an entry. */
export const View = Audit.omit({ unsealed: true });
export type View = z.output<typeof View>;
