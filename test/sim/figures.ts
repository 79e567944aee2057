import type { Run } from "./run.ts";

/** What a whole test tried, in one line. */
export class Figures {
  points = 0;
  pointsAll = 0;
  readonly #since = process.cpuUsage();
  #seeds = 0;
  #operations = 0;
  #faults = 0;
  #checks = 0;
  #calls = 0;
  #parked = 0;
  #worst = 0;
  readonly #kinds = new Set<string>();
  readonly #places = new Set<string>();
  readonly #broken = { lost: 0, doubled: 0, leaked: 0, other: 0 };

  /** @param seeded whether it was a storm, and not one fault alone. */
  add(run: Run, seeded = false): void {
    if (seeded) this.#seeds += 1;
    this.#operations += run.operations;
    this.#faults += run.met.length;
    this.#checks += run.checks;
    this.#calls += run.calls;
    this.#parked += run.parked;
    this.#worst = Math.max(this.#worst, run.recoverySeconds);
    for (const { kind, what } of run.met) this.#kinds.add(`${what.split(" ")[0]} ${kind}`);
    for (const place of run.points) this.#places.add(place);
    for (const { invariant } of run.broken) this.#broken[lossOf(invariant)] += 1;
  }

  line(): string {
    const { lost, doubled, leaked, other } = this.#broken;
    const { user, system } = process.cpuUsage(this.#since);
    return (
      `simulator: ${this.#seeds} seeds, ${this.#operations} operations, ${this.#faults} faults of ${this.#kinds.size} kinds ` +
      `at ${this.#places.size} places in ${this.#calls} calls, ${this.points} of ${this.pointsAll} call points one by one, ` +
      `${this.#checks} invariants checked: lost ${lost}, doubled ${doubled}, leaked ${leaked}, other ${other}, ` +
      `parked ${this.#parked}, worst recovery ${this.#worst} s, ${Math.round((user + system) / 1e6)} s of CPU`
    );
  }
}

function lossOf(invariant: string): "lost" | "doubled" | "leaked" | "other" {
  if (invariant.startsWith("I2")) return "lost";
  if (/^I(3|9|10)/.test(invariant)) return "doubled";
  return /^I(1|5|6) /.test(invariant) ? "leaked" : "other";
}
