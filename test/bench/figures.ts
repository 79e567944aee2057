/** What one bench found: raw samples for the reader, and the one line for the gate. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** Raw samples, seconds or MiB, by what they measured. */
  samples: Record<string, number[]>;
  notes: string[];
}

export const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length === 0
    ? Number.NaN
    : ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
};

export const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const round = (value: number): number => Math.round(value * 1000) / 1000;

/** Samples with their spread first; `NAME value unit` last, as every bench ends. */
export function print(figure: Figure, json: boolean): void {
  const value = round(figure.value);
  if (json) {
    const samples = Object.fromEntries(Object.entries(figure.samples).map(([key, all]) => [key, all.map(round)]));
    console.log(JSON.stringify({ ...figure, value, samples }));
    return;
  }
  for (const [what, all] of Object.entries(figure.samples)) {
    const spread = `min ${round(Math.min(...all))}, median ${round(median(all))}, max ${round(Math.max(...all))}`;
    console.log(`${what}: ${all.map(round).join(" ")}   (${spread})`);
  }
  for (const note of figure.notes) console.log(note);
  console.log(`${figure.name} ${value} ${figure.unit}`);
}
