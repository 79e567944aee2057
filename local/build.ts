// Builds Kubernetes and etcd from their Go modules, once per content, outside the work tree.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { run } from "./command.ts";
import { locked } from "./lock.ts";
import { digest } from "./state.ts";

/** What we build; the modules' go.mod files pin the same versions. */
export const versions = { kube: "1.34.4", etcd: "3.6.16", pause: "1" } as const;
export type Binary = keyof typeof versions;
export type Progress = (line: string) => void;

/** The names that the `kube` binary answers to, each a link beside it. */
export const programs = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "kubelet",
  "kubectl",
] as const;

/** Where builds are kept between stacks: `$BERTH_CACHE`, else `~/.cache/berth`. */
export const cache = (): string => process.env["BERTH_CACHE"] ?? join(homedir(), ".cache", "berth");

/**
 * The folder that holds the built binary (and, for `kube`, its links). Builds it when it is not there:
 * about five minutes for `kube` on two cores. Two processes that ask at once build it once.
 * @throws Error when Go is missing or too old, or with the compiler's own words.
 */
export async function build(name: Binary, progress: Progress): Promise<string> {
  const source = join(import.meta.dirname, "go", name);
  const flags = ["-trimpath", "-mod=readonly", "-ldflags", linker(name)];
  const parts = ["main.go", "go.mod", "go.sum"].map((file) => join(source, file)).filter((file) => existsSync(file));
  const content = digest([...parts.map((file) => readFileSync(file, "utf8")), process.arch, ...flags].join("\0"));
  const folder = join(cache(), `${name}-${content.slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const wait = (pid: string): void => progress(`waiting for process ${pid}, which builds ${name} already`);
  return await locked(`${folder}.lock`, () => compile(name, source, flags, folder, progress), wait);
}

/** The newest Go that a module here asks for, as `1.26.0`. */
export function goNeeded(): string {
  const wanted = (Object.keys(versions) as Binary[]).map((name) => {
    const text = readFileSync(join(import.meta.dirname, "go", name, "go.mod"), "utf8");
    return /^go (\S+)/m.exec(text)?.[1] ?? "1.24";
  });
  return wanted.reduce((a, b) => (older(a, b) ? b : a));
}

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
  name: Binary,
  source: string,
  flags: readonly string[],
  folder: string,
  progress: Progress,
): Promise<string> {
  if (existsSync(folder)) return folder;
  const [found, needed] = [await goFound(), goNeeded()];
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
    progress(`building ${name} ${versions[name]}: ${packages} packages compiled, ${seconds()}`);
  };
  try {
    // GOFLAGS and a workspace of the user would change the result behind the cache's back.
    const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off", GOTOOLCHAIN: "local" };
    await run("go", ["build", "-v", ...flags, "-o", join(temporary, name), "."], { cwd: source, env, onLine });
    if (name === "kube") for (const program of programs) symlinkSync(name, join(temporary, program));
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  progress(`built ${name} ${versions[name]} in ${seconds()}`);
  return folder;
}

function linker(name: Binary): string {
  if (name !== "kube") return "-s -w";
  const [major, minor] = versions.kube.split(".");
  const set = (variable: string, value: string): string => `-X ${variable}=${value}`;
  const base = "k8s.io/component-base/version";
  return [
    "-s -w",
    set(`${base}.gitVersion`, `v${versions.kube}`),
    set(`${base}.gitMajor`, major ?? ""),
    set(`${base}.gitMinor`, minor ?? ""),
    set("k8s.io/client-go/pkg/version.gitVersion", `v${versions.kube}`),
  ].join(" ");
}
