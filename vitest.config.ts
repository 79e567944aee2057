import { defineConfig } from "vitest/config";

/** One project per kind of proof; `npm run check` runs the first three, offline. */
const project = (name: string, include: string[], more: object = {}) => ({
  extends: true as const,
  test: { name, include: include.map((folder) => `test/${folder}/**/*.test.ts`), ...more },
});

/** These start real programs, one stack at a time: two at once would only wait for each other. */
const alone = { fileParallelism: false, maxWorkers: 1, testTimeout: 600_000, hookTimeout: 600_000 };

export default defineConfig({
  test: {
    environment: "node",
    // Many tests wait for programs that they start; with one worker less than cores, as is the default, cores would idle.
    maxWorkers: "100%",
    // A retry would hide a race, and a focused test the rest.
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    testTimeout: 20_000,
    projects: [
      project("unit", ["core", "functions", "cli"]),
      project("flow", ["flow"]),
      // One seeded scheduler over all of it: on one core, by itself, since it counts its own time.
      project("sim", ["sim"], { testTimeout: 3_600_000 }),
      project("guard", ["guard"]),
      project("contract", ["contract"], { ...alone, testTimeout: 120_000, sequence: { groupOrder: 1 } }),
      project("real", ["real"], { ...alone, sequence: { groupOrder: 2 } }),
      // Runs the tests of others, over and over.
      project("mutation", ["mutation"], { ...alone, sequence: { groupOrder: 4 } }),
      project("cloud", ["cloud"], { ...alone, testTimeout: 60_000, sequence: { groupOrder: 3 } }),
    ],
  },
});
