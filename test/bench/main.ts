// `npm run bench NAME [-- --json]`: runs one bench on real parts; the last line is `NAME value unit`.
import { measure as bundle } from "./bundle.ts";
import { burst } from "./burst.ts";
import { create } from "./create.ts";
import { drift } from "./drift.ts";
import { fanout } from "./fanout.ts";
import { type Figure, print } from "./figures.ts";
import { idle } from "./idle.ts";
import { memory } from "./memory.ts";
import { request } from "./request.ts";
import { revoke } from "./revoke.ts";
import { sweep } from "./sweep.ts";
import { token } from "./token.ts";

const benches: Record<string, (tell: (line: string) => void) => Promise<Figure>> = {
  bundle,
  burst,
  create,
  drift,
  fanout,
  memory,
  idle,
  request,
  revoke,
  sweep,
  token,
};

const args = process.argv.slice(2);
const name = args.find((each) => !each.startsWith("--")) ?? "";
const bench = benches[name];
if (bench === undefined) {
  console.error(`npm run bench NAME [-- --json], where NAME is one of: ${Object.keys(benches).join(", ")}`);
  process.exitCode = 2;
} else {
  const began = performance.now();
  const tell = (line: string): void =>
    console.error(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  print(await bench(tell), args.includes("--json"));
  // What was opened for the bench may hold the process; its work is done.
  process.exit();
}
