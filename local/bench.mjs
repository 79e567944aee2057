// `npm run bench NAME`: the figures that Berth promises, each measured by one file of test/bench.
import { go } from "./launch/go.mjs";
import { goOn } from "./launch/go-on.mjs";
import { packages } from "./launch/packages.mjs";
import { fail } from "./launch/step.mjs";
import { system } from "./launch/system.mjs";

try {
  await packages();
  await system("table", "host");
  process.exitCode = await goOn(["test/bench/main.ts", ...process.argv.slice(2)], { paths: [await go()] });
} catch (error) {
  fail(error);
}
