// Child processes that outlive us: each is remembered in a file and known again by pid and start time.
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { pause } from "./command.ts";
import { digest, read, save, type State } from "./state.ts";

export interface Program {
  /** Unique within the stack; also the name of its log. */
  name: string;
  command: readonly [string, ...string[]];
  env?: Readonly<Record<string, string>>;
  /** What else decides how it runs, as the text of its configuration; another stamp restarts it. */
  stamp?: string;
}

interface Remembered {
  pid: number;
  /** Clock ticks since boot; a pid alone comes back. */
  started: string;
  boot: string;
  stamp: string;
}

/** A mark in the environment by which a child is found even when we died before we wrote its file. */
const mark = "BERTH_CHILD";
const logBytesMax = 4 * 2 ** 20;

/** Starts a program detached, its output in `logs/NAME.log`. One that already runs just so is left alone. */
export async function start(state: State, program: Program): Promise<"started" | "alive"> {
  const stamp = digest(JSON.stringify([program.command, program.env ?? {}, program.stamp ?? ""]));
  if (remembered(state, program.name)?.stamp === stamp) return "alive";
  await stop(state, program.name, 10_000);
  // One that we started but died before we wrote its file. Its own children carry the mark too, and must live.
  const orphans = marked(`${state.hash}/${program.name}`).filter((each) => runs(each, program.command));
  await Promise.all(orphans.map((each) => end(each, 10_000)));
  mkdirSync(join(state.root, "logs"), { recursive: true });
  const log = openSync(logPath(state, program.name), "a", 0o600);
  const [file, ...args] = program.command;
  const child = spawn(file, args, {
    cwd: state.root,
    detached: true,
    stdio: ["ignore", log, log],
    env: { PATH: process.env["PATH"], HOME: homedir(), ...program.env, [mark]: `${state.hash}/${program.name}` },
  });
  closeSync(log);
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  const pid = child.pid ?? 0;
  const known: Remembered = { pid, started: stat(pid)?.started ?? "", boot: boot(), stamp };
  save(join(state.root, "processes", `${program.name}.json`), JSON.stringify(known));
  child.unref();
  return "started";
}

/** Whether a program we started still runs. */
export const alive = (state: State, name: string): boolean => remembered(state, name) !== undefined;

/** The pid of a program we started, while it runs. */
export const pid = (state: State, name: string): number | undefined => remembered(state, name)?.pid;

/** Asks a program to end, waits at most `graceMilliseconds`, then kills it. Nothing happens to one that is gone. */
export async function stop(state: State, name: string, graceMilliseconds: number): Promise<void> {
  const known = remembered(state, name);
  if (known !== undefined) await end(known.pid, graceMilliseconds);
  rmSync(join(state.root, "processes", `${name}.json`), { force: true });
}

/** Kills what the program called `name` left behind, such as the shims of a containerd. */
export async function sweep(state: State, name: string): Promise<void> {
  await Promise.all(marked(`${state.hash}/${name}`).map((each) => end(each, 0)));
}

/** Sends `SIGTERM`, then after the grace `SIGKILL`, and waits until the process is gone. */
export async function end(pid: number, graceMilliseconds: number): Promise<void> {
  const started = stat(pid)?.started;
  const same = (): boolean => started !== undefined && stat(pid)?.started === started;
  const deadline = Date.now() + graceMilliseconds;
  if (same() && graceMilliseconds > 0) signal(pid, "SIGTERM");
  while (same() && Date.now() < deadline) await pause(20);
  if (same()) signal(pid, "SIGKILL");
  for (let tries = 0; same() && tries < 250; tries++) await pause(20);
}

/**
 * Waits until `probe` holds. Fails at once when one of the named programs has died, with the end of its log.
 * @param what completes the sentence "waiting for …".
 */
export async function until(
  state: State,
  what: string,
  probe: () => Promise<boolean>,
  { programs = [], seconds = 60 }: { programs?: readonly string[]; seconds?: number } = {},
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await probe())) {
    const dead = programs.find((name) => !alive(state, name));
    if (dead !== undefined) throw new Error(`${dead} died while we waited for ${what}:\n${tail(state, dead)}`);
    if (Date.now() > deadline) {
      const logs = programs.map((name) => `${name}:\n${tail(state, name)}`);
      throw new Error(`waited ${seconds} s for ${what}, in vain. ${logs.join("\n")}`);
    }
    await pause(40);
  }
}

/** The last lines of a program's log. */
export const tail = (state: State, name: string, lines = 12): string =>
  (read(logPath(state, name)) ?? "").trimEnd().split("\n").slice(-lines).join("\n");

/** Empties logs that have grown past 4 MiB. Call it now and then; the writers append, so nothing breaks. */
export function trimLogs(state: State): void {
  for (const file of list(join(state.root, "logs"))) {
    const path = join(state.root, "logs", file);
    if (statSync(path).size > logBytesMax) truncateSync(path);
  }
}

const logPath = (state: State, name: string): string => join(state.root, "logs", `${name}.log`);
const boot = (): string => read("/proc/sys/kernel/random/boot_id") ?? "";

function remembered(state: State, name: string): Remembered | undefined {
  const text = read(join(state.root, "processes", `${name}.json`));
  if (text === undefined) return undefined;
  const known = JSON.parse(text) as Remembered;
  return known.boot === boot() && stat(known.pid)?.started === known.started ? known : undefined;
}

/** Start time of a live process; a zombie counts as gone. Its name may hold spaces, so fields count from the last ")". */
function stat(pid: number): { started: string } | undefined {
  let text: string | undefined;
  try {
    text = read(`/proc/${pid}/stat`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const started = fields?.[19];
  return started === undefined || fields?.[0] === "Z" ? undefined : { started };
}

function marked(value: string): number[] {
  return list("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((each) => {
      try {
        return read(`/proc/${each}/environ`)?.split("\0").includes(`${mark}=${value}`) ?? false;
      } catch {
        return false; // It ended while we looked.
      }
    });
}

/** Whether a process runs `command`, be it through `nsenter`, which is gone from the command line once it has entered. */
const runs = (pid: number, command: readonly string[]): boolean => {
  const line = read(`/proc/${pid}/cmdline`)?.replace(/\0$/, "") ?? "";
  return line !== "" && command.join("\0").endsWith(line);
};

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
