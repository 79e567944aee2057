import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";

const running = new Map<string, ChildProcess>();

/** Starts a program whose output goes to a file. It ends with `stop`, and when this process ends. */
export function start(name: string, [file, ...args]: readonly [string, ...string[]], log: string): void {
  const output = openSync(log, "a");
  running.set(name, spawn(file, args, { stdio: ["ignore", output, output] }));
}

export const pidOf = (name: string): number | undefined => running.get(name)?.pid;

export async function stop(name: string): Promise<void> {
  const child = running.get(name);
  running.delete(name);
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

process.once("exit", () => {
  for (const child of running.values()) child.kill("SIGKILL");
});
