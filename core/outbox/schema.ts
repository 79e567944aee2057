import * as z from "zod";
import type { Kind } from "../context.ts";
import { idOf } from "../id.ts";

/** Which clusters a change of rights or projects concerns. */
export const Whom = z.union([z.literal("all"), z.array(idOf("cluster")).max(500)]);
export type Whom = z.output<typeof Whom>;

/** Written in the transaction of a change that clusters are to follow, so that neither can be without the other. */
export const Note = z.object({
  id: idOf("outbox"),
  clusters: Whom,
  /** Due from its birth: what a request leaves behind, the sweep finds. */
  lookAt: z.iso.datetime(),
});
export type Note = z.output<typeof Note>;

export const noteKind: Kind<Note> = { name: "outbox", schema: Note };
