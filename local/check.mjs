// `npm run check`: types, lint, format, unused code, and the tests that need nothing from outside. Offline.
import { environment, packages, root } from "./launch/packages.mjs";
import { fail, run, say } from "./launch/step.mjs";

const projects = ["unit", "flow", "guard"].map((name) => `--project=${name}`);
/** Two rows at once: the tests take about as long as all the rest together. */
const rows = [
  [
    ["types", "tsc", ["--noEmit", "-p", "tsconfig.json"]],
    ["lint", "oxlint", ["--deny-warnings"]],
    ["format", "biome", ["format", "."]],
    ["unused", "knip", []],
  ],
  [["unit, flow and guard tests", "vitest", ["run", ...projects]]],
];

async function row(steps, failures) {
  for (const [name, command, args] of steps) {
    const since = performance.now();
    const { code, text } = await run(command, args, { cwd: root, env: { ...environment(), NO_COLOR: "1" } });
    say(code === 0 ? name : `${name}: FAILED`, since);
    if (code !== 0) failures.push(`--- ${name}: ${command} ${args.join(" ")}\n${text.trim()}\n`);
  }
}

try {
  await packages();
  const failures = [];
  // Whoever runs all tests next need not run these twice.
  const asked = process.argv.includes("--static") ? rows.slice(0, 1) : rows;
  await Promise.all(asked.map((steps) => row(steps, failures)));
  for (const each of failures) process.stdout.write(`\n${each}`);
  say(failures.length === 0 ? "all is well" : `${failures.length} of the checks failed`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} catch (error) {
  fail(error);
}
