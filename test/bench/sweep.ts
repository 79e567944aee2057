import * as z from "zod";
import type { Kind } from "#core/context.ts";
import { newID } from "#core/id.ts";
import { beat } from "#functions/cron/beat.ts";
import { type Counts, type CountedHome, newCountedHome, total } from "./counted.ts";
import type { Figure } from "./figures.ts";

/** Rows as the sweep sees them: it reads keys alone. */
const Row = z.object({ id: z.string(), lookAt: z.string() });
const kind: Kind<z.output<typeof Row>> = { name: "cluster", schema: Row };
const sizes = [10, 1_000, 10_000];
const due = 5;
const year = 365 * 86_400_000;
const perTenant = 50;

/** What one sweep reads and asks with 5 rows due, beside 10, 1,000 and 10,000 rows that are due next year. */
export async function sweep(tell: (line: string) => void): Promise<Figure> {
  const home = await newCountedHome(tell);
  const samples: Record<string, number[]> = {};
  try {
    await insert(home, due, home.deps.now());
    for (let there = 0, at = 0; at < sizes.length; at += 1) {
      const size = sizes[at] ?? 0;
      await insert(home, size - there, new Date(Date.parse(home.deps.now()) + year).toISOString());
      there = size;
      const runs = [await run(home), await run(home), await run(home)];
      samples[`items read and requests, ${size} settled`] = runs.map((counts) => counts.items + asked(counts));
      samples[`pokes, ${size} settled`] = runs.map(({ requests }) => requests["SendMessage"] ?? 0);
      tell(`${size} settled: ${runs.map((counts) => JSON.stringify(counts)).join(" ")}`);
    }
  } finally {
    await home.stop();
  }
  const of = (size: number): number => Math.max(...(samples[`items read and requests, ${size} settled`] ?? []));
  return { name: "sweep", value: of(10_000) / of(10), unit: "ratio", samples, notes: [`due rows: ${due}`] };
}

const run = (home: CountedHome): Promise<Counts> => home.count(() => beat(home.deps));
const asked = (counts: Counts): number => total(counts) - (counts.requests["SendMessage"] ?? 0);

async function insert({ deps }: CountedHome, count: number, lookAt: string): Promise<void> {
  for (let left = count; left > 0; ) {
    // Many tenants, as in life: an index over all of them must not feel how many there are.
    const table = deps.home.table(newID(deps, "tenant"));
    const ids = Array.from({ length: Math.min(left, perTenant) }, () => newID(deps, "cluster"));
    await table.write(...ids.map((id) => table.insert(kind, id, { id, lookAt })));
    left -= ids.length;
  }
}
