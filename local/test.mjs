// `npm test`: every test of every project, from a bare checkout. Its last line is the sum.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { go } from "./launch/go.mjs";
import { goOn } from "./launch/go-on.mjs";
import { packages, root } from "./launch/packages.mjs";
import { fail, step } from "./launch/step.mjs";
import { sum } from "./launch/sum.mjs";
import { system } from "./launch/system.mjs";

/** Without a part, the tests that need it fail and are counted; so the command is told, and the others run. */
async function tryTo(work, without) {
  try {
    return await work();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    return without;
  }
}

const [first, ...rest] = process.argv.slice(2);
const deep = first === "--deep";
const asked = deep ? rest : process.argv.slice(2);
// A project named by its name needs only what it uses: the first three, sim and mutation stay here, the cloud's takes npm.
const offline =
  asked.length > 0 && asked.every((each) => /^--project=(unit|flow|guard|cloud|sim|mutation)$/.test(each));

try {
  await packages();
  const paths = [];
  if (!offline) {
    await tryTo(() => system("table", "host"));
    paths.push(await tryTo(go, ""));
  }
  const folder = mkdtempSync(join(tmpdir(), "berth-test-"));
  try {
    const report = join(folder, "vitest.json");
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const env = deep ? { BERTH_DEEP: "1" } : {};
    const code = await step("tests ended", () => goOn([vitest, "run", ...reporters, ...asked], { paths, env }));
    const { passed, failed } = sum([{ report, code }]);
    process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
} catch (error) {
  fail(error);
}
