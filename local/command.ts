import { spawn } from "node:child_process";

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string;
  /** Called with each line of standard error as it comes. */
  onLine?: (line: string) => void;
}

/** Runs a program to its end. Returns its output; throws, with what it said on standard error, when it fails. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: "pipe" });
    let out = "";
    let err = "";
    let line = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err = (err + text).slice(-8000);
      const lines = (line + text).split("\n");
      line = lines.pop() ?? "";
      for (const each of lines) options.onLine?.(each);
    });
    // A program that ends without reading its input is judged by its exit code alone.
    child.stdin.on("error", () => undefined).end(options.input);
    child.once("error", (cause) => reject(new Error(`${command} does not start`, { cause })));
    child.once("close", (code, signal) => {
      if (code === 0) return resolve(out);
      reject(new Error(`${command} ${args.join(" ")} ended with ${signal ?? code}: ${err.trim() || out.trim()}`));
    });
  });
}

/** Like `run`, but a failure is an answer: whether it went well. */
export const succeeds = (command: string, args: readonly string[], options: RunOptions = {}): Promise<boolean> =>
  run(command, args, options).then(
    () => true,
    () => false,
  );

/** Resolves after `milliseconds`, or at once when `signal` is aborted. */
export const pause = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
