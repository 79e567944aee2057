import * as z from "zod";
import { type ID, idOf, nounOf } from "../id.ts";

/** What a message says: that this row wants to be looked at, and nothing else. */
export interface Poke {
  tenant: ID<"tenant">;
  id: ID;
}

const Poke = z.strictObject({
  tenant: idOf("tenant"),
  id: z.custom<ID>((value) => typeof value === "string" && nounOf(value) !== undefined),
});

/** The body of a message, in its one form. */
export const bodyOf = (tenant: ID<"tenant">, id: ID): string => JSON.stringify({ tenant, id } satisfies Poke);

/**
 * Reads a body. Undefined for what this release does not know to the letter: no JSON, another key, an id of an unknown
 * noun. Such a message is newer than we are or broken; it belongs to the dead letters.
 */
export function parse(body: string): Poke | undefined {
  try {
    return Poke.safeParse(JSON.parse(body)).data;
  } catch {
    // Only JSON.parse throws here.
    return undefined;
  }
}
