// Where one local stack keeps what it has, and the names that all it makes outside is found by.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { run } from "./command.ts";

export interface State {
  /** Absolute path of the state folder: all that outlives `down`. */
  root: string;
  /** Short folder for sockets (they allow 108 bytes) and mounts; gone after `down`. */
  run: string;
  /** Eight hex digits of the state folder's path; two stacks on a machine differ in it. */
  hash: string;
  /** Name of the cgroup, under the root of each hierarchy, that holds one cgroup per Kubernetes node of this stack. */
  cgroup: string;
}

/** The two ends of a /30 network, as dotted addresses: the root namespace's, and the one inside. */
export interface Block {
  outside: string;
  inside: string;
}

/** Names a stack by its state folder: `path`, else `$BERTH_STATE`, else `.berth/` in the repository. Touches nothing. */
export function state(path = process.env["BERTH_STATE"] ?? join(import.meta.dirname, "..", ".berth")): State {
  const root = resolve(path);
  const hash = digest(root).slice(0, 8);
  return { root, run: `/run/berth-${hash}`, hash, cgroup: `/berth-${hash}` };
}

/** Makes the state folder; readable by its owner alone, as keys are in there. Repeats are harmless. */
export function keep({ root }: State): void {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  for (const folder of ["logs", "processes"]) mkdirSync(join(root, folder), { recursive: true });
}

/** Makes the state folder and the run folder, which only a host of our own needs: it takes root. */
export function prepare(state: State): void {
  keep(state);
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const mark = join(state.run, "boot");
  // After a reboot what lies in the run folder speaks of mounts and sockets that are gone; on some machines /run is a disk.
  if (read(mark) !== boot) rmSync(state.run, { recursive: true, force: true });
  mkdirSync(state.run, { recursive: true, mode: 0o711 });
  writeFileSync(mark, boot);
}

/**
 * The /30 of `name` in 172.29.0.0/16: chosen by the stack's hash, checked to be free, remembered in the state folder.
 * One that somebody else took while the stack was down is given up for another.
 * @param own name of the link that may already carry it.
 */
export async function block(state: State, name: string, own: string): Promise<Block> {
  const file = join(state.root, "addresses.json");
  const known = JSON.parse(read(file) ?? "{}") as Record<string, number>;
  const taken = await addresses(own);
  const mine = new Set(Object.entries(known).flatMap(([other, n]) => (other === name ? [] : [n])));
  const start = known[name] ?? Number.parseInt(digest(`${state.hash}/${name}`).slice(0, 8), 16);
  for (let step = 0; step < blocks; step++) {
    const n = (start + step) % blocks;
    const found = { outside: address(n, 1), inside: address(n, 2) };
    if (mine.has(n) || taken.has(prefix(found.outside))) continue;
    if (known[name] !== n) save(file, JSON.stringify({ ...known, [name]: n }, null, 2));
    return found;
  }
  throw new Error("every /30 of 172.29.0.0/16 is in use here; take some links down");
}

/** Writes a file whole or not at all, and says whether that changed it. Folders on the way are made. */
export function save(path: string, text: string, mode = 0o600): boolean {
  if (read(path) === text) return false;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text, { mode });
  renameSync(`${path}.new`, path);
  return true;
}

/** The text of a file, or nothing where there is none. */
export function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

export const digest = (text: string | Buffer): string => createHash("sha256").update(text).digest("hex");

const blocks = 2 ** 14;

const address = (n: number, end: number): string => `172.29.${n >> 6}.${((n & 63) << 2) + end}`;

/** First address of the /30 that an address is in. */
function prefix(ip: string): string {
  const parts = ip.split(".");
  return [...parts.slice(0, 3), String(Number(parts[3]) & ~3)].join(".");
}

async function addresses(own: string): Promise<Set<string>> {
  const links = JSON.parse(await run("ip", ["-json", "-4", "address"])) as {
    ifname: string;
    addr_info: { local: string }[];
  }[];
  const others = links.filter((link) => link.ifname !== own);
  return new Set(others.flatMap((link) => link.addr_info.map(({ local }) => prefix(local))));
}
