// Builds Kubernetes and etcd from their Go modules, once per content, outside the work tree.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Binary, type Progress, programs, versions, type Wanted } from "./binary.ts";
import { run } from "./command.ts";
import { locked } from "./lock.ts";
import { goEnvironment, sourceFolder, sourceOf } from "./source.ts";
import { digest } from "./state.ts";

/** Where builds are kept between stacks: `$BERTH_CACHE`, else `~/.cache/berth`. */
export const cache = (): string => process.env["BERTH_CACHE"] ?? join(homedir(), ".cache", "berth");

/**
 * The folder that holds the built binary (and, for `kube`, its links). Builds it when it is not there:
 * about five minutes for `kube` on two cores. Two processes that ask at once build it once.
 * @throws Error when Go is missing or too old, or with the compiler's own words.
 */
export async function build(wanted: Wanted, progress: Progress): Promise<string> {
  const { name, version } = wanted;
  const source = version === versions[name] ? own(name) : await sourceOf(wanted, at(name), progress);
  const { folder, flags } = resultOf(wanted, source);
  if (existsSync(folder)) return folder;
  const wait = (pid: string): void => progress(`waiting for process ${pid}, which builds ${name} already`);
  return await locked(`${folder}.lock`, () => compile(wanted, { source, flags, folder }, progress), wait);
}

/** Whether `build` would find it built. */
export function built(wanted: Wanted): boolean {
  const { name, version } = wanted;
  const source = version === versions[name] ? own(name) : sourceFolder(wanted, at(name));
  return existsSync(source) && existsSync(resultOf(wanted, source).folder);
}

const own = (name: Binary): string => join(import.meta.dirname, "go", name);
const at = (name: Binary): { own: string; cache: string } => ({ own: own(name), cache: cache() });

function resultOf(wanted: Wanted, source: string): { folder: string; flags: string[] } {
  const flags = ["-trimpath", "-mod=readonly", "-ldflags", linker(wanted)];
  const parts = ["main.go", "go.mod", "go.sum"].map((file) => join(source, file)).filter((file) => existsSync(file));
  const content = digest([...parts.map((file) => readFileSync(file, "utf8")), process.arch, ...flags].join("\0"));
  return { folder: join(cache(), `${wanted.name}-${content.slice(0, 16)}`), flags };
}

/** The newest Go that a module here asks for, as `1.26.0`. */
export function goNeeded(): string {
  const wanted = (Object.keys(versions) as Binary[]).map((name) => goOf(own(name)));
  return wanted.reduce((a, b) => (older(a, b) ? b : a));
}

const goOf = (source: string): string => /^go (\S+)/m.exec(readFileSync(join(source, "go.mod"), "utf8"))?.[1] ?? "1.24";

/** The version of the Go on the PATH, or nothing. */
export async function goFound(): Promise<string | undefined> {
  const text = await run("go", ["version"]).catch(() => "");
  return /go(\d+(?:\.\d+)+)/.exec(text)?.[1];
}

/** Whether Go version `a` is older than `b`. */
export function older(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => text.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (x?.[i] ?? 0) - (y?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

async function compile(
  { name, version }: Wanted,
  { source, flags, folder }: { source: string; flags: readonly string[]; folder: string },
  progress: Progress,
): Promise<string> {
  if (existsSync(folder)) return folder;
  const [found, own] = [await goFound(), goOf(source)];
  const needed = older(own, goNeeded()) ? goNeeded() : own;
  if (found === undefined || older(found, needed)) {
    const have = found === undefined ? "none is on the PATH" : `the one on the PATH is ${found}`;
    throw new Error(`${name} is built with Go ${needed} or newer, and ${have}: install one and start again`);
  }
  mkdirSync(cache(), { recursive: true });
  const temporary = mkdtempSync(`${folder}.new-`);
  const began = Date.now();
  const seconds = (): string => `${Math.round((Date.now() - began) / 1000)} s`;
  let [packages, told] = [0, began];
  const onLine = (line: string): void => {
    if (!line.startsWith("go: downloading")) packages++;
    if (Date.now() - told < 5000) return;
    told = Date.now();
    progress(`building ${name} ${version}: ${packages} packages compiled, ${seconds()}`);
  };
  try {
    const go = ["build", "-v", ...flags, "-o", join(temporary, name), "."];
    await run("go", go, { cwd: source, env: goEnvironment(), onLine });
    if (name === "kube") for (const program of programs) symlinkSync(name, join(temporary, program));
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  progress(`built ${name} ${version} in ${seconds()}`);
  return folder;
}

function linker({ name, version }: Wanted): string {
  if (name !== "kube") return "-s -w";
  const [major, minor] = version.split(".");
  const set = (variable: string, value: string): string => `-X ${variable}=${value}`;
  const base = "k8s.io/component-base/version";
  return [
    "-s -w",
    set(`${base}.gitVersion`, `v${version}`),
    set(`${base}.gitMajor`, major ?? ""),
    set(`${base}.gitMinor`, minor ?? ""),
    set("k8s.io/client-go/pkg/version.gitVersion", `v${version}`),
  ].join(" ");
}
