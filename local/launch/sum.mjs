import { existsSync, readFileSync } from "node:fs";

/** The failures of one report: its failed tests, and each file that failed without one (it could not be loaded). */
function count(report) {
  const files = report.testResults ?? [];
  const broken = files.filter(
    ({ status, assertionResults }) => status === "failed" && !assertionResults.some((each) => each.status === "failed"),
  );
  return { passed: report.numPassedTests ?? 0, failed: (report.numFailedTests ?? 0) + broken.length };
}

/**
 * Adds up runners' reports (vitest's JSON).
 * A runner that ended badly while its report shows no failure, or left none, counts as one failure: nothing that went
 * wrong may end in a green sum.
 * @param {{report: string, code: number}[]} runs where each report is, and how its runner ended.
 */
export function sum(runs) {
  const total = { passed: 0, failed: 0 };
  for (const { report, code } of runs) {
    let found = { passed: 0, failed: 0 };
    try {
      if (existsSync(report)) found = count(JSON.parse(readFileSync(report, "utf8")));
      else throw new Error("there is none");
    } catch (error) {
      process.stderr.write(`A test runner's report cannot be read: ${error.message}\n`);
      found.failed = 1;
    }
    if (code !== 0 && found.failed === 0) {
      process.stderr.write(`A test runner ended with ${code} though no test failed.\n`);
      found.failed = 1;
    }
    total.passed += found.passed;
    total.failed += found.failed;
  }
  return total;
}
