// Control groups of the local stack, under cgroup v1 (many hierarchies) and v2 (one).
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { end } from "./process.ts";
import { read } from "./state.ts";

const top = "/sys/fs/cgroup";
/** How many busy threads of the root cgroup all our containers together weigh as much as. */
const threads = 10 * availableParallelism();

interface Hierarchy {
  path: string;
  version: 1 | 2;
}

const versions: Record<string, 1 | 2> = { cgroup: 1, cgroup2: 2 };

/** Roots of all hierarchies, and which version each is. Empty when none is mounted where runc looks for it. */
export function hierarchies(): Hierarchy[] {
  const lines = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "));
  return lines.flatMap(([, path = "", type = ""]): Hierarchy[] => {
    const version = versions[type];
    return version === undefined || !path.startsWith(top) ? [] : [{ path, version }];
  });
}

/** Makes `name` (`/…`) in every hierarchy so that containers can be put below it. */
export function makeCgroup(name: string): void {
  for (const { path, version } of hierarchies()) {
    const folder = join(path, name);
    if (version === 2) delegate(path);
    mkdirSync(folder, { recursive: true });
    if (version === 2) delegate(folder);
    // No process can enter a v1 cpuset that has not been told its processors and memory nodes.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      const parent = version === 1 ? read(join(path, file)) : undefined;
      if (parent !== undefined && existsSync(join(folder, file))) writeFileSync(join(folder, file), parent);
    }
    // A new cgroup weighs as much as one thread of the root cgroup, so all Pods together would starve beside any build.
    for (const [file, weight] of [
      ["cpu.shares", 1024 * threads],
      ["cpu.weight", Math.min(10_000, 100 * threads)],
    ] as const) {
      if (existsSync(join(folder, file))) writeFileSync(join(folder, file), String(weight));
    }
  }
}

/** Kills every process in and below `name`, after `graceMilliseconds` of asking. */
export async function emptyCgroup(name: string, graceMilliseconds: number): Promise<void> {
  const pids = hierarchies()
    .flatMap(({ path }) => descend(join(path, name)))
    .flatMap((folder) => {
      const text = read(join(folder, "cgroup.procs")) ?? "";
      return text
        .split("\n")
        .filter((line) => line !== "" && line !== "0")
        .map(Number);
    });
  await Promise.all([...new Set(pids)].map((pid) => end(pid, graceMilliseconds)));
}

/** Removes `name` and all below it, deepest first, in every hierarchy. It must hold no process. */
export function removeCgroup(name: string): void {
  for (const { path } of hierarchies()) {
    for (const folder of descend(join(path, name)).toReversed()) rmdirSync(folder);
  }
}

/** `folder` and all folders below, outermost first; nothing when it does not exist. */
function descend(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [folder, ...below.flatMap((entry) => descend(join(folder, entry.name)))];
}

/** Under v2 a child has only the controllers that its parent hands down. Each by itself, as one that fails fails all. */
function delegate(folder: string): void {
  const controllers = (read(join(folder, "cgroup.controllers")) ?? "").trim().split(" ");
  for (const controller of controllers.filter((name) => name !== "")) {
    try {
      appendFileSync(join(folder, "cgroup.subtree_control"), `+${controller}`);
    } catch (error) {
      // A controller that is in use by threads cannot be handed down; runc then says what it lacks.
      if (!["EBUSY", "ENOTSUP", "EINVAL", "EOPNOTSUPP"].includes((error as NodeJS.ErrnoException).code ?? ""))
        throw error;
    }
  }
}
