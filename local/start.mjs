// `npm start`: from a bare checkout to Berth running here. Any Node from 18 on; what comes after runs under our own.
import { go } from "./launch/go.mjs";
import { goOn } from "./launch/go-on.mjs";
import { packages } from "./launch/packages.mjs";
import { fail } from "./launch/step.mjs";
import { system } from "./launch/system.mjs";

const args = process.argv.slice(2);
const bring = args.length === 0 || args[0].startsWith("-") || args[0] === "start" || args[0] === "up";
const asks = args.includes("--help") || args.includes("-h");
// A host of the user's own needs no Go, no containerd and no root; ending what runs needs nothing at all.
const hosted = args.some((each) => each === "--host-kubeconfig" || each.startsWith("--host-kubeconfig="));

try {
  await packages();
  const paths = [];
  if (bring && !asks) {
    await system("table", ...(hosted ? [] : ["host"]));
    if (!hosted) paths.push(await go());
  }
  // Only what builds another version needs Go besides.
  if (args[0] === "version" && !asks && !args.includes("--dry-run")) paths.push(await go());
  process.exitCode = await goOn(["local/main.ts", ...args], { paths });
} catch (error) {
  fail(error);
}
