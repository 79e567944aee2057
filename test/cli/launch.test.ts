import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const module = join(import.meta.dirname, "..", "..", "local", "launch", "sum.mjs");

/** What the sum says of runs, each a report (undefined: none was written) and an exit code. */
function sum(...runs: [report: unknown, code: number][]): unknown {
  const folder = mkdtempSync(join(tmpdir(), "berth-sum-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const told = runs.map(([report, code], at) => {
    const path = join(folder, `${at}.json`);
    if (report !== undefined) writeFileSync(path, typeof report === "string" ? report : JSON.stringify(report));
    return { report: path, code };
  });
  const text = `import { sum } from ${JSON.stringify(module)}; console.log(JSON.stringify(sum(${JSON.stringify(told)})))`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", text], { encoding: "utf8" });
  return JSON.parse(stdout);
}

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((each) => ({ status: each })),
});

test("reports are added up", () => {
  const good = { numPassedTests: 2, numFailedTests: 0, testResults: [file("passed", "passed", "passed")] };
  const bad = { numPassedTests: 1, numFailedTests: 1, testResults: [file("failed", "passed", "failed")] };
  expect(sum([good, 0], [bad, 1])).toEqual({ passed: 3, failed: 1 });
});

test("a file that could not be loaded is a failure", () => {
  expect(sum([{ numPassedTests: 5, numFailedTests: 0, testResults: [file("failed")] }, 1])).toEqual({
    passed: 5,
    failed: 1,
  });
});

test("a runner that ends badly, or leaves no report, is never green", () => {
  const good = { numPassedTests: 2, numFailedTests: 0, testResults: [] };
  expect(sum([good, 1])).toEqual({ passed: 2, failed: 1 });
  expect(sum([undefined, 0])).toEqual({ passed: 0, failed: 1 });
  expect(sum([undefined, 1])).toEqual({ passed: 0, failed: 1 });
  expect(sum(["{", 0])).toEqual({ passed: 0, failed: 1 });
});
