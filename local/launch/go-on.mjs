import { spawn } from "node:child_process";
import { constants } from "node:os";
import { environment, node, root } from "./packages.mjs";

/**
 * Goes on as another program under our Node, with our terminal, and ends as it ends.
 * @param paths folders to put before PATH.
 */
export function goOn(args, { paths = [], env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(node(), args, { cwd: root, stdio: "inherit", env: { ...environment(...paths), ...env } });
    const pass = (signal) => child.kill(signal);
    process.on("SIGTERM", pass);
    process.on("SIGHUP", pass);
    // Ctrl-C at a terminal reaches the whole group, the child too: a second one from us would mean "at once!" to it.
    process.on("SIGINT", () => (process.stdin.isTTY ? undefined : pass("SIGINT")));
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}
