// Go modules of versions that we don't keep in the repository: made from what upstream's own module asks for.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Progress, Wanted } from "./binary.ts";
import { run } from "./command.ts";
import { digest } from "./state.ts";

/** Raised when what is written here changes, as the folders that are there would else be taken for ours. */
const recipe = 1;
const upstream: Record<string, string> = { kube: "k8s.io/kubernetes", etcd: "go.etcd.io/etcd/server/v3" };

/** Go's own settings, without those of the user that would change the result behind the cache's back. */
export const goEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  CGO_ENABLED: "0",
  GOFLAGS: "",
  GOWORK: "off",
  GOTOOLCHAIN: "local",
});

/** Where the module of that version lies, or would. `own` is the folder of the version in the repository. */
export function sourceFolder({ name, version }: Wanted, { own, cache }: { own: string; cache: string }): string {
  const main = readFileSync(join(own, "main.go"), "utf8");
  return join(cache, `source-${name}-${version}-${digest(`${recipe}\0${main}`).slice(0, 8)}`);
}

/**
 * The folder with main.go, go.mod and go.sum of that version; asks the Go module proxy for it once.
 * @throws Error when there is no such version, or with Go's own words.
 */
export async function sourceOf(
  wanted: Wanted,
  at: { own: string; cache: string },
  progress: Progress,
): Promise<string> {
  const { name, version } = wanted;
  const folder = sourceFolder(wanted, at);
  if (existsSync(folder)) return folder;
  const path = upstream[name];
  if (path === undefined) throw new Error(`${name} is built in one version only`);
  progress(`asking for the modules of ${name} ${version}`);
  mkdirSync(at.cache, { recursive: true });
  const temporary = mkdtempSync(`${folder}.new-`);
  try {
    const go = (...args: string[]): Promise<string> => run("go", args, { cwd: temporary, env: goEnvironment() });
    const { GoMod } = JSON.parse(await go("mod", "download", "-json", `${path}@v${version}`)) as { GoMod: string };
    const theirs = readFileSync(GoMod, "utf8");
    writeFileSync(join(temporary, "main.go"), readFileSync(join(at.own, "main.go")));
    writeFileSync(join(temporary, "go.mod"), name === "kube" ? kube(version, theirs) : plain(wanted, path, theirs));
    await go("mod", "tidy");
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return folder;
}

const goLine = (theirs: string): string => /^go \S+$/m.exec(theirs)?.[0] ?? "go 1.24";

const plain = ({ name, version }: Wanted, path: string, theirs: string): string =>
  `module berth.dev/local/${name}\n\n${goLine(theirs)}\n\nrequire ${path} v${version}\n`;

/**
 * Kubernetes replaces its staging modules by folders of its own tree, which a module of the proxy has not; they are
 * published beside it as v0 of the same minor and patch.
 */
export function kube(version: string, theirs: string): string {
  const beside = `v${version.replace(/^1\./, "0.")}`;
  const staging = [...theirs.matchAll(/^\t(k8s\.io\/\S+) => \.\/staging\//gm)].map(([, name]) => name ?? "");
  const cobra = /github\.com\/spf13\/cobra (v\S+)/.exec(theirs)?.[1];
  if (staging.length === 0 || cobra === undefined)
    throw new Error(`the module of Kubernetes ${version} is not as we know them`);
  return [
    "module berth.dev/local/kube",
    goLine(theirs),
    [
      "require (",
      `\tgithub.com/spf13/cobra ${cobra}`,
      `\tk8s.io/component-base ${beside}`,
      `\tk8s.io/kubectl ${beside}`,
      `\tk8s.io/kubernetes v${version}`,
      ")",
    ].join("\n"),
    ["replace (", ...staging.map((name) => `\t${name} => ${name} ${beside}`), ")"].join("\n"),
    "",
  ].join("\n\n");
}
