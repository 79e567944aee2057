import { decodeTime, ulid } from "ulid";
import * as z from "zod";

/** The prefix of each noun's ids (DESIGN 4). */
export const prefixes = {
  tenant: "tnt",
  member: "mbr",
  token: "tok",
  team: "tem",
  invite: "inv",
  provider: "idp",
  group: "grp",
  grant: "grt",
  project: "prj",
  host: "hst",
  cluster: "cls",
  access: "acc",
  outbox: "out",
  audit: "aud",
} as const;

export type Noun = keyof typeof prefixes;
/** `cls_` and 26 lower-case ULID characters; typed per noun, so that one noun's id can't pass for another's. */
export type ID<N extends Noun = Noun> = N extends Noun ? `${(typeof prefixes)[N]}_${string}` : never;

// Made once: a request checks several ids, and to make a pattern costs more than to use it.
const patterns = Object.fromEntries(
  Object.entries(prefixes).map(([noun, prefix]) => [noun, new RegExp(`^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`)]),
) as Record<Noun, RegExp>;
const pattern = (noun: Noun): RegExp => patterns[noun];

/** A new id. Time and chance come from the context, so a simulation can be replayed. */
export function newID<N extends Noun>(ctx: { now(): string; random(bytes: number): Uint8Array }, noun: N): ID<N> {
  const chance = (): number => new DataView(ctx.random(4).buffer).getUint32(0) / 2 ** 32;
  return `${prefixes[noun]}_${ulid(Date.parse(ctx.now()), chance).toLowerCase()}` as ID<N>;
}

/** The schema of an id of `noun`, for doors and rows. */
export const idOf = <N extends Noun>(noun: N) =>
  z
    .custom<ID<N>>((value) => typeof value === "string" && pattern(noun).test(value), {
      error: `must be the id of a ${noun}, such as ${prefixes[noun]}_01k…`,
    })
    // OpenAPI can't see into a custom check; without a type here the document can't be made.
    .meta({ type: "string", pattern: pattern(noun).source });

/** Which noun an id belongs to, or undefined when it is none that this release knows. */
export function nounOf(id: string): Noun | undefined {
  return (Object.keys(prefixes) as Noun[]).find((noun) => pattern(noun).test(id));
}

/** The Kubernetes name of a thing: its id with `-` for `_`. Deterministic, legal and never reused. */
export const kubeName = (id: string): string => id.replace("_", "-");

/** The other way: the id of a `noun` whose Kubernetes name this is; undefined when it is no such name. */
export function idNamed<N extends Noun>(noun: N, name = ""): ID<N> | undefined {
  const id = name.replace("-", "_");
  return pattern(noun).test(id) ? (id as ID<N>) : undefined;
}

/** When an id was made, in milliseconds. */
export const bornAt = (id: string): number => decodeTime(id.slice(id.indexOf("_") + 1));
