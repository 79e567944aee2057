import { readFileSync } from "node:fs";
import { run } from "./command.ts";

export interface Mount {
  path: string;
  /** The folder of its filesystem that is mounted there; tells which folder a bind mount shows. */
  root: string;
}

/** All mounts at or below `path`, outermost first. */
export function mounts(path: string): Mount[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n");
  const all = lines.map((line) => line.split(" ").map(plain)).map((f) => ({ path: f[4] ?? "", root: f[3] ?? "" }));
  return all.filter((mount) => path === "/" || mount.path === path || mount.path.startsWith(`${path}/`));
}

/**
 * Unmounts all at and below `path`, innermost first; what is busy is detached.
 * @throws Error when something is left, so that nobody deletes through a mount.
 */
export async function unmountAll(path: string): Promise<void> {
  for (const mount of mounts(path).toReversed()) {
    await run("umount", [mount.path]).catch(() => run("umount", ["--lazy", mount.path]).catch(() => undefined));
  }
  const left = mounts(path);
  if (left.length > 0) throw new Error(`still mounted: ${left.map((mount) => mount.path).join(", ")}`);
}

/** mountinfo writes blanks and backslashes as octal. */
const plain = (field: string): string =>
  field.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
