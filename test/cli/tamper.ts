import fc from "fast-check";
import { expect } from "vitest";
import type { Digest, Trail } from "../../cli/verify.ts";
import { newWorld, type Person, type World } from "../world/index.ts";

/** A trail of which nothing is broken yet. */
export type Whole = Trail & { lines: string[]; digests: Digest[]; keys: { id: string; publicKey: string }[] };
export const copyOf = (trail: Trail): Whole => structuredClone(trail) as Whole;

/** A trail as an owner's command reads it from the API. */
export async function trailOf(world: World, ada: Person): Promise<Trail> {
  const [digests, keys, exported] = [
    (await ada.get("/v1/audit/digests?limit=100")).body,
    (await ada.get("/v1/audit/keys")).body,
    (await ada.get("/v1/audit/export")).text,
  ];
  return {
    lines: exported.split("\n").filter((line) => line !== ""),
    digests: digests["items"] as Digest[],
    keys: keys["items"] as Trail["keys"],
    heads: [digests["head"] as Trail["heads"][number]],
    at: Date.parse(world.clock.now()),
  };
}

/** A trail of 24 entries in 4 digests: right after the last, and ten minutes later. */
export async function newTrail() {
  const world = newWorld();
  const ada = await world.tenant("red");
  for (let digest = 0; digest < 4; digest += 1) {
    for (let i = 0; i < 6; i += 1) {
      await world.clock.pass(10);
      const { status } = await ada.post("/v1/tokens", { name: `t${i}`, scopes: ["version:read"] });
      expect(status).toBe(201);
    }
    await world.digest();
  }
  const young = await trailOf(world, ada);
  await world.clock.pass(600_000);
  return { world, ada, young, whole: await trailOf(world, ada) };
}
const other = (text: string, at: number, by: number): string => {
  const code = 32 + ((text.charCodeAt(at) - 32 + 1 + (by % 94)) % 95);
  return `${text.slice(0, at)}${String.fromCharCode(code)}${text.slice(at + 1)}`;
};
const fields = ["id", "sequence", "tenant", "from", "to", "previous", "at", "keyID", "signature"] as const;
const swap = <T>(list: T[], a: number, b: number): void => void ([list[a], list[b]] = [list[b] as T, list[a] as T]);

/** Everything one may do to a trail with a text editor; each returns what it did, or undefined when that is nothing. */
type Tamper = (trail: Whole) => string | undefined;
export const tampersOf = (whole: Trail): fc.Arbitrary<Tamper> => {
  const line = fc.nat(whole.lines.length - 1);
  const digest = fc.nat(whole.digests.length - 1);
  return fc.oneof(
    line.map(
      (at): Tamper =>
        (trail) => (trail.lines.splice(at, 1), `dropped entry ${at}`),
    ),
    line.map(
      (at): Tamper =>
        (trail) => (trail.lines.splice(at), `cut the export at ${at}`),
    ),
    line.map(
      (at): Tamper =>
        (trail) => (trail.lines.splice(at, 0, trail.lines[at] ?? ""), `doubled entry ${at}`),
    ),
    fc.tuple(line, line).map(
      ([a, b]): Tamper =>
        (trail) => {
          swap(trail.lines, a, b);
          return a === b ? undefined : `swapped entries ${a} and ${b}`;
        },
    ),
    fc.tuple(line, line).map(
      ([a, b]): Tamper =>
        (trail) => {
          const [one, two] = [JSON.parse(trail.lines[a] ?? "{}"), JSON.parse(trail.lines[b] ?? "{}")] as {
            id: string;
          }[];
          trail.lines[a] = JSON.stringify({ ...two, id: one?.id });
          trail.lines[b] = JSON.stringify({ ...one, id: two?.id });
          return a === b ? undefined : `swapped what is in entries ${a} and ${b}`;
        },
    ),
    fc.tuple(line, fc.nat(), fc.nat()).map(
      ([at, where, by]): Tamper =>
        (trail) => {
          const text = trail.lines[at] ?? "";
          trail.lines[at] = other(text, where % text.length, by);
          return `edited entry ${at} at ${where % text.length}`;
        },
    ),
    fc.tuple(line, fc.nat()).map(
      ([at, where]): Tamper =>
        (trail) => {
          const text = trail.lines[at] ?? "";
          trail.lines[at] = text.slice(0, 1 + (where % (text.length - 1)));
          return `cut off entry ${at}`;
        },
    ),
    fc.tuple(line, fc.constantFrom("verb", "target", "note"), fc.string()).map(
      ([at, name, value]): Tamper =>
        (trail) => {
          const entry = JSON.parse(trail.lines[at] ?? "{}") as Record<string, unknown>;
          trail.lines[at] = JSON.stringify({ ...entry, [name]: value });
          return entry[name] === value ? undefined : `set ${name} of entry ${at}`;
        },
    ),
    fc.tuple(line, fc.string({ minLength: 1 })).map(
      ([at, target]): Tamper =>
        (trail) => {
          const entry = JSON.parse(trail.lines[at] ?? "{}") as { id: string };
          trail.lines.splice(at + 1, 0, JSON.stringify({ ...entry, id: `${entry.id.slice(0, -1)}~`, target }));
          return `invented an entry after ${at}`;
        },
    ),
    digest.map(
      (at): Tamper =>
        (trail) => (trail.digests.splice(at, 1), `dropped digest ${at}`),
    ),
    digest.map(
      (at): Tamper =>
        (trail) => (trail.digests.splice(at), `cut the digests at ${at}`),
    ),
    digest.map(
      (at): Tamper =>
        (trail) => {
          const gone = new Set(trail.digests.splice(at).flatMap(({ entries }) => entries.map(({ id }) => id)));
          trail.lines = trail.lines.filter((text) => !gone.has((JSON.parse(text) as { id: string }).id));
          return `cut the digests at ${at}, with all that they hold`;
        },
    ),
    fc.tuple(digest, digest).map(
      ([a, b]): Tamper =>
        (trail) => {
          swap(trail.digests, a, b);
          return a === b ? undefined : `swapped digests ${a} and ${b}`;
        },
    ),
    fc.tuple(digest, fc.constantFrom(...fields), fc.nat(), fc.nat()).map(
      ([at, name, where, by]): Tamper =>
        (trail) => {
          const row = trail.digests[at] as unknown as Record<string, unknown>;
          const value = row[name];
          row[name] =
            typeof value === "string" ? other(value, where % value.length, by) : Number(value ?? 0) + 1 + (by % 9);
          return `edited ${name} of digest ${at}`;
        },
    ),
    fc.tuple(digest, fc.nat(5), fc.constantFrom("id", "sha256"), fc.nat()).map(
      ([at, nth, name, by]): Tamper =>
        (trail) => {
          const entry = trail.digests[at]?.entries[nth] as { id: string; sha256: string };
          entry[name as "id"] = other(entry[name as "id"], by % 20, by);
          return `edited ${name} of what digest ${at} holds`;
        },
    ),
    fc.tuple(digest, fc.nat(5)).map(
      ([at, nth]): Tamper =>
        (trail) => {
          trail.digests[at]?.entries.splice(nth);
          return `cut off what digest ${at} holds`;
        },
    ),
    fc.tuple(digest, fc.nat(5)).map(
      ([at, nth]): Tamper =>
        (trail) => {
          // Whoever can write rows, but not sign, alters an entry and all that holds its hash.
          const held = trail.digests[at]?.entries[nth] as { id: string; sha256: string };
          const index = trail.lines.findIndex((text) => text.includes(held.id));
          trail.lines.splice(index, 1);
          trail.digests[at]?.entries.splice(nth, 1);
          return `took an entry out of digest ${at} too`;
        },
    ),
    fc.nat(70).map(
      (where): Tamper =>
        (trail) => {
          const [key] = trail.keys;
          if (key === undefined) return undefined;
          key.publicKey = other(key.publicKey, 60 + (where % 50), where);
          return "edited the key";
        },
    ),
  );
};
