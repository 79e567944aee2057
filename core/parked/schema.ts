import * as z from "zod";
import { Condition } from "../condition.ts";
import type { Kind } from "../context.ts";
import { type ID, idOf, nounOf } from "../id.ts";
import { engineShape } from "../lease.ts";

/** The id of a thing of any noun. */
export const rowID = z
  .custom<ID>((value) => typeof value === "string" && nounOf(value) !== undefined, { error: "must be an id" })
  .meta({ type: "string" });

/** Whatever the noun: what the engine keeps on each row, and its name where it has one. */
const Row = z.object({
  ...engineShape,
  name: z.string().optional(),
  status: z.object({ conditions: z.array(Condition) }),
});
export type Row = z.output<typeof Row>;

/** Rows of one noun, seen as what the engine keeps on them. */
export const kindOf = (noun: string): Kind<Row> => ({ name: noun, schema: Row });

/** What staff sees of a row that waits. */
export const View = z.object({
  tenant: idOf("tenant"),
  id: rowID,
  noun: z.string(),
  /** Null for what has no name, and for what this release can't read. */
  name: z.string().nullable(),
  /** Why it was given up, in the words of its last failure. */
  why: z.string(),
  /** Since when it waits, ISO 8601 UTC; null when this release can't read it. */
  since: z.iso.datetime().nullable(),
});
export type View = z.output<typeof View>;

export const ReleaseInput = z.strictObject({ tenant: idOf("tenant") });
export type ReleaseInput = z.output<typeof ReleaseInput>;

export const Released = z.object({
  tenant: idOf("tenant"),
  id: rowID,
  /** False when it was not parked: then nothing was done. */
  released: z.boolean(),
});
export type Released = z.output<typeof Released>;
