import type { Met } from "./fault.ts";
import { type Run, type Setting, simulate } from "./run.ts";

const triesMax = 60;

/** The same seed with as few faults as still break the same promise. */
export async function shrink(run: Run, setting: Setting = {}): Promise<Run> {
  const promise = run.broken[0]?.invariant;
  const spare = new Set<string>();
  let best = run;
  let tries = 0;
  const without = async (some: Met[]): Promise<boolean> => {
    if (some.length === 0 || (tries += 1) > triesMax) return false;
    const fewer = new Set([...spare, ...some.map(({ key }) => key)]);
    const next = await simulate(run.seed, { ...setting, spare: fewer });
    if (!next.broken.some(({ invariant }) => invariant === promise)) return false;
    for (const { key } of some) spare.add(key);
    best = next;
    return true;
  };
  for (let size = Math.ceil(best.met.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.met.length; ) if (!(await without(best.met.slice(at, at + size)))) at += size;
  }
  return await simulate(run.seed, { ...setting, spare, keep: true });
}

/** What a person needs to see it again. */
export function report(run: Run): string {
  const faults = run.met.map(({ key, kind, what }) => `  ${key} ${what}: ${kind}`);
  return [
    `BERTH_SEED=${run.seed} npm test -- --project=sim   (trace ${run.hash.slice(0, 12)})`,
    ...run.broken.slice(0, 5).map(({ invariant, how }) => `  ${invariant}: ${how}`),
    `${faults.length} faults are enough:`,
    ...faults.slice(0, 40),
  ].join("\n");
}
