// Runs on any Node from 18 on and needs no package: it is what brings the packages.
import { spawn } from "node:child_process";

/** What the user can mend; said without a stack. */
export class Unready extends Error {}

const began = performance.now();

/** One calm line: what, how long it took. */
export function say(what, since = began) {
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  process.stdout.write(`${`${seconds} s`.padStart(8)}  ${what}\n`);
}

/** Does one thing and says so with its time. */
export async function step(what, work) {
  const since = performance.now();
  const result = await work();
  say(what, since);
  return result;
}

/**
 * Runs a program to its end, quietly.
 * @returns {Promise<{code: number, text: string}>} all it said, and its exit code (127: it is not there).
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    let text = "";
    const take = (chunk) => (text += chunk);
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.once("error", (error) => resolve({ code: 127, text: String(error.message) }));
    child.once("close", (code) => resolve({ code: code ?? 1, text }));
  });
}

/** Like `run`, but a failure is thrown, with the end of what was said. */
export async function must(command, args, options = {}) {
  const { code, text } = await run(command, args, options);
  if (code === 0) return text;
  const end = text.trim().split("\n").slice(-15).join("\n");
  throw new Unready(`${command} ${args.join(" ")} failed:\n${end}`);
}

/** Ends the process with one sentence for what the user can mend, and with a stack for what is our fault. */
export function fail(error) {
  process.stderr.write(`${error instanceof Unready ? error.message : error.stack}\n`);
  process.exit(1);
}
