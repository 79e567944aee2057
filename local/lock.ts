import { linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { pause } from "./command.ts";
import { read } from "./state.ts";

/**
 * Does `work` while no other process holds the lock file `path`. Waits as long as its holder lives;
 * one whose holder has died is taken over.
 * @param waiting called once when we have to wait, with the holder's pid.
 */
export async function locked<T>(path: string, work: () => Promise<T>, waiting?: (pid: string) => void): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const me = `${process.pid} ${started(process.pid)}`;
  const own = `${path}.${process.pid}`;
  writeFileSync(own, me);
  let told = false;
  try {
    while (!take(own, path)) {
      const [pid = "", start = ""] = (read(path) ?? "").split(" ");
      if (pid !== "" && started(pid) !== start) {
        rmSync(path, { force: true });
        continue;
      }
      if (!told) waiting?.(pid);
      told = true;
      await pause(100);
    }
  } finally {
    rmSync(own, { force: true });
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** A hard link appears with its content, so nobody reads a lock whose holder is not written yet. */
function take(own: string, path: string): boolean {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function started(pid: number | string): string {
  const text = read(`/proc/${pid}/stat`) ?? "";
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
