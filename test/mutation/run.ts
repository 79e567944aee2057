// Each mutant of what decides about rights is made in a copy of the tree, and the tests that ought to notice are run.
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Mutant, mutants } from "./mutants.ts";

/** The tests that hold each source, the quickest first. */
export const held: Record<string, string[]> = {
  "core/allow.ts": ["test/core/allow.test.ts"],
  "core/grant/rights.ts": ["test/core/grant", "test/flow/rights.test.ts", "test/flow/grants.test.ts"],
  "core/grant/held.ts": ["test/core/grant", "test/core/invite"],
  "core/grant/target.ts": ["test/core/grant", "test/core/invite"],
  "core/grant/request.ts": ["test/core/grant"],
  "core/grant/gift.ts": ["test/core/invite", "test/core/grant"],
  "core/grant/verbs.ts": ["test/core/grant", "test/flow/grants.test.ts"],
  "core/group/rules.ts": ["test/core/group", "test/core/grant"],
  "core/group/danger.ts": ["test/core/group", "test/core/grant"],
  "core/group/make.ts": ["test/core/group", "test/core/grant"],
  "core/access/plan.ts": ["test/core/access", "test/flow/rights.test.ts", "test/flow/places.test.ts"],
  "core/access/owed.ts": [
    "test/flow/roles.test.ts",
    "test/core/access",
    "test/flow/rights.test.ts",
    "test/flow/places.test.ts",
  ],
  "core/token/scope.ts": ["test/core/token"],
  "core/token/home.ts": ["test/core/token"],
};

/** Those that change nothing that anybody could see, and why. */
export const known: [mutant: string, why: string][] = [
  ["core/allow.ts passes: filter(Boolean)", "only the words of a refusal"],
  [
    'core/grant/request.ts never: if (member === "system")',
    "Berth itself is an owner, and no door lets it ask for itself",
  ],
];

const root = join(import.meta.dirname, "..", "..");
/** What the tests need of the tree. */
const parts = [
  "core",
  "functions",
  "cli",
  "local",
  "test",
  "docs",
  "package.json",
  "tsconfig.json",
  "vitest.config.ts",
];
const patienceMs = 120_000;

export interface Survivor {
  source: string;
  line: number;
  what: string;
}

/**
 * Runs a part of all mutants: those whose turn is `turn` of every `every`.
 * @returns how many were made, and those that no test found.
 */
export async function hunt(
  options: { every: number; turn?: number; only?: string; tell?: (line: string) => void } = { every: 1 },
): Promise<{ made: number; survivors: Survivor[] }> {
  const copy = mkdtempSync(join(tmpdir(), "berth-mutation-"));
  for (const name of parts) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const result = { made: 0, survivors: [] as Survivor[] };
  try {
    let at = 0;
    for (const [source, tests] of Object.entries(held)) {
      if (options.only !== undefined && options.only !== source) continue;
      const whole = readFileSync(join(copy, source), "utf8");
      const mine = mutants(whole).filter(() => at++ % options.every === (options.turn ?? 0));
      // Tests that fail anyway would find everything.
      if (mine.length > 0 && (await run(copy, tests)) !== 0) {
        result.survivors.push({ source, line: 0, what: "all: its own tests fail as it is" });
        options.tell?.(`its own tests fail: ${source}`);
        continue;
      }
      for (const mutant of mine) await one(copy, source, tests, mutant);
      writeFileSync(join(copy, source), whole);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  return result;

  async function one(folder: string, source: string, tests: string[], { line, what, text }: Mutant): Promise<void> {
    writeFileSync(join(folder, source), text);
    result.made += 1;
    const found = (await run(folder, tests)) !== 0;
    options.tell?.(`${found ? "found   " : "SURVIVED"} ${source}:${line} ${what}`);
    if (!found) result.survivors.push({ source, line, what });
  }
}

/** The exit code of the tests; a run that does not end counts as one that failed. */
function run(folder: string, tests: string[]): Promise<number> {
  const vitest = join(folder, "node_modules", "vitest", "vitest.mjs");
  const args = [vitest, "run", "--bail=1", "--project=unit", "--project=flow", "--reporter=dot", ...tests];
  // What the outer run says of itself is not meant for this one.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|BERTH_DEEP|TEST$)/.test(name)),
  );
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: "ignore", env });
    const bound = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    child.once("error", reject).once("close", (code) => {
      clearTimeout(bound);
      resolve(code ?? 1);
    });
  });
}
