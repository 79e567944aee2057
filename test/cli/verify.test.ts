import fc from "fast-check";
import { expect, test } from "vitest";
import { hashOf } from "#core/audit/canonical.ts";
import { newKey, newSigner } from "#core/audit/key.ts";
import type { Digest as Row } from "#core/audit/schema.ts";
import { type Digest, type Trail, verify } from "../../cli/verify.ts";
import { copyOf, newTrail, tampersOf, trailOf, type Whole } from "./tamper.ts";

const { world, ada, young, whole } = await newTrail();
const copy = (): Whole => copyOf(whole);

test("a trail that nobody touched is whole, and says its end and its key", () => {
  expect(verify(whole)).toMatchObject({
    findings: [],
    entries: 24,
    sealed: 24,
    digests: 4,
    head: whole.heads[0],
    keys: [whole.keys[0]?.id],
  });
  expect(verify({ lines: [], digests: [], keys: [], heads: [], at: 0 })).toMatchObject({ findings: [], head: null });
});

test("what is younger than three minutes needs no digest yet; what is older, or ahead of its time, does", async () => {
  await ada.post("/v1/tokens", { name: "new", scopes: ["version:read"] });
  const trail = await trailOf(world, ada);
  expect(verify(trail)).toMatchObject({ findings: [], entries: 25, sealed: 24 });
  expect(verify({ ...trail, at: trail.at + 180_001 }).findings).toMatchObject([{ what: "unsealed" }]);
  expect(verify({ ...trail, at: trail.at - 180_001 }).findings).toMatchObject([{ what: "unsealed" }]);
  expect(verify({ ...trail, at: trail.at - 180_001, until: trail.at }).findings).toEqual([]);
});

test("an export that goes on while a digest is made is whole", async () => {
  const before = await trailOf(world, ada);
  expect(
    verify({ ...before, digests: young.digests, heads: young.heads, at: young.at, until: before.at }).findings,
  ).toEqual([]);
});

test("whatever is dropped, edited, swapped or cut off is found", () => {
  let done = 0;
  fc.assert(
    fc.property(tampersOf(whole), (tamper) => {
      const trail = copy();
      const what = tamper(trail);
      fc.pre(what !== undefined);
      done += 1;
      expect(verify(trail).findings, what).not.toEqual([]);
    }),
    { numRuns: 2_000, seed: 4 },
  );
  expect(done).toBeGreaterThanOrEqual(2_000);
});

const found = (trail: Trail): string[] => verify(trail).findings.map(({ what }) => what);

test("who can write all rows, the chain's end too, but can't sign, is found by the signature", () => {
  const trail = copy();
  const last = trail.digests.at(-1) as Digest;
  const gone = last.entries.pop()?.id ?? "";
  trail.lines = trail.lines.filter((text) => !text.includes(gone));
  expect(found({ ...trail, heads: [{ sequence: last.sequence, sha256: hashOf(last) }] })).toEqual(["signature"]);
  // The same bytes in other letters are no signature of ours.
  const same = copy();
  const end = same.digests.at(-1) as Digest;
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  end.signature = `${end.signature.slice(0, -1)}${letters[letters.indexOf(end.signature.at(-1) ?? "") + 1]}`;
  expect(Buffer.from(end.signature, "base64url")).toEqual(
    Buffer.from((whole.digests.at(-1) as Digest).signature, "base64url"),
  );
  expect(found({ ...same, heads: [] })).toEqual(["signature"]);
});

test("digests that are signed but make no chain are found: a gap, another beginning, an entry held twice, a stranger's", () => {
  const { privateKey, ...key } = newKey(new Uint8Array(32).fill(5));
  const signer = newSigner(key.id, privateKey);
  const { signature: _, ...base } = whole.digests[0] as Row;
  const chain = (...edits: Partial<Row>[]): Trail => {
    const digests: Row[] = [];
    for (const edit of edits) {
      const previous = digests.length === 0 ? null : hashOf(digests.at(-1));
      digests.push(signer.sign({ ...base, entries: [], sequence: digests.length + 1, previous, ...edit }));
    }
    return { lines: [], digests, keys: [key], heads: [], at: 0 };
  };
  expect(found(chain({}, {}))).toEqual([]);
  expect(found(chain({}, { sequence: 3 }))).toEqual(["gap"]);
  expect(found(chain({}, { sequence: 1 }))).toEqual(["order"]);
  expect(found(chain({}, { previous: null }))).toEqual(["chain"]);
  expect(found(chain({}, { tenant: "tnt_01k00000000000000000000000" }))).toEqual(["chain"]);
  const { entries } = base;
  expect(found({ ...chain({ entries }, { entries: entries.slice(0, 1) }), lines: whole.lines.slice(0, 6) })).toEqual([
    "twice",
  ]);
});

test("a line is as it was written: no name twice, no space, no other escape", () => {
  const [first = ""] = whole.lines;
  for (const line of [
    first.replace("{", '{"verb":"x",'),
    first.replace(":", ": "),
    first.replace("token:", "tok\\u0065n:"),
  ]) {
    expect(JSON.parse(line)).toEqual(JSON.parse(first));
    expect(found({ ...whole, lines: [line, ...whole.lines.slice(1)] })).toEqual(["form", "missing"]);
  }
});

test("a chain that is made anew with another key is found by who kept the key's name", () => {
  const stranger = { ...whole.keys[0], id: "0".repeat(32) } as Trail["keys"][number];
  expect(verify({ ...copy(), keys: [stranger] }).findings.map(({ what }) => what)).toContain("key");
});
