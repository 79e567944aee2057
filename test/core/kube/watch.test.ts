import * as fc from "fast-check";
import { expect, test } from "vitest";
import { changesIn } from "#core/kube/watch.ts";

const event = (type: string, name: string): string => `${JSON.stringify({ type, object: { metadata: { name } } })}\n`;

async function* pieces(bytes: Buffer, cuts: number[]): AsyncGenerator<Uint8Array> {
  const ends = [...cuts.map((cut) => cut % bytes.length).toSorted((one, other) => one - other), bytes.length];
  let start = 0;
  for (const end of ends) {
    yield bytes.subarray(start, end);
    start = end;
  }
}

test("changes are the same wherever their bytes were cut, inside of a letter too", async () => {
  const bytes = Buffer.from(`${event("ADDED", "één")}${event("BOOKMARK", "b")}\n${event("DELETED", "zwölf 🚢")}`);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat()), async (cuts) => {
      const names: string[] = [];
      for await (const { type, object } of changesIn(pieces(bytes, cuts), "watch", false)) {
        names.push(`${type} ${object.metadata.name}`);
      }
      expect(names).toEqual(["ADDED één", "DELETED zwölf 🚢"]);
    }),
  );
});
