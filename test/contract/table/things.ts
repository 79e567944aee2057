import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import * as z from "zod";
import { type Home, type Kind, Refused, type Table } from "#core/context.ts";
import { type ID, newID } from "#core/id.ts";

const Thing = z.object({
  name: z.string(),
  count: z.number().optional(),
  flag: z.boolean().optional(),
  lookAt: z.string().optional(),
  parkedAt: z.string().optional(),
  unsealed: z.string().optional(),
  hostedOn: z.string().optional(),
  sight: z.string().optional(),
  ttl: z.number().optional(),
  deep: z.record(z.string(), z.unknown()).optional(),
});
export const thing: Kind<z.output<typeof Thing>> = { name: "thing", schema: Thing };
export const other: Kind<{ name: string }> = { name: "other", schema: z.strictObject({ name: z.string() }) };

/** A table that nobody else uses, and its clock. */
export interface World extends Pick<Home, "table" | "due" | "parked" | "unsealed" | "carried"> {
  clock: { now: string };
}
export type Open = () => Promise<World>;

export const begin = "2027-03-01T12:00:00.000Z";
export const beginSeconds = Date.parse(begin) / 1000;

export const newTenant = (): ID<"tenant"> =>
  newID({ now: () => begin, random: (bytes) => new Uint8Array(randomBytes(bytes)) }, "tenant");

/** A new world and the table of one tenant in it. */
export async function one(open: Open): Promise<World & { mine: Table }> {
  const world = await open();
  return { ...world, mine: world.table(newTenant()) };
}

/** What a write was refused with; fails when it was not refused. */
export async function refusal(work: Promise<unknown>): Promise<Refused> {
  const cause = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(cause).toBeInstanceOf(Refused);
  return cause as Refused;
}
