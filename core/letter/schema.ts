import * as z from "zod";
import { type ID, idOf, nounOf } from "../id.ts";
import { limitDefault, limitMax } from "../page.ts";

/** A dead letter, told only as far as it is one of ours: what strangers wrote into it is nobody's to read here. */
export const View = z.object({
  /** The queue's own name of it. */
  id: z.string(),
  /** When it was first sent, ISO 8601 UTC. */
  sentAt: z.iso.datetime(),
  reason: z.string(),
  /** What it names; null when it can't be read, and then it is never sent again. */
  names: z
    .object({
      tenant: idOf("tenant"),
      id: z.custom<ID>((id) => typeof id === "string" && nounOf(id) !== undefined).meta({ type: "string" }),
    })
    .nullable(),
});
export type View = z.output<typeof View>;

export const RedriveInput = z.strictObject({
  /** How many at most. */
  limit: z.number().int().min(1).max(limitMax).default(limitDefault),
});
export type RedriveInput = z.output<typeof RedriveInput>;

export const Redriven = z.object({
  /** How many were sent back to the queue; what can't be read stays. */
  redriven: z.number().int(),
});
export type Redriven = z.output<typeof Redriven>;
