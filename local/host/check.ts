// What a machine must have before a host can start on it.
import { existsSync, statfsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { cache, goFound, goNeeded, older } from "../build.ts";
import { hierarchies } from "../cgroup.ts";
import { pluginFolder } from "../containerd.ts";
import type { State } from "../state.ts";

const tools: Record<string, string> = {
  containerd: "containerd",
  ctr: "containerd",
  ip: "iproute2",
  iptables: "iptables",
  "iptables-restore": "iptables",
  mount: "mount",
  umount: "mount",
  runc: "runc",
  tar: "tar",
  nsenter: "util-linux",
  unshare: "util-linux",
};
const diskBytesMin = 5e9;

/** Looks whether a host can run here. Each answer is one sentence: what is wrong, and how to go on. Empty is well. */
export async function check(state: State): Promise<string[]> {
  const wrong: string[] = [];
  if (process.platform !== "linux") wrong.push("The local host needs Linux; give --host-kubeconfig instead.");
  if (process.getuid?.() !== 0) wrong.push("The local host needs root; run as root or give --host-kubeconfig instead.");
  for (const [tool, origin] of Object.entries(tools)) {
    if (!onPath(tool)) wrong.push(`The program ${tool} is missing; run: apt-get install ${origin}.`);
  }
  for (const plugin of ["ptp", "host-local", "loopback"]) {
    if (existsSync(join(pluginFolder, plugin))) continue;
    wrong.push(`The CNI plugin ${plugin} is not in ${pluginFolder}; run: apt-get install containernetworking-plugins.`);
  }
  if (!["x64", "arm64"].includes(process.arch)) wrong.push(`Berth has no build for ${process.arch}; use x64 or arm64.`);
  const go = await goFound();
  if (go === undefined || older(go, goNeeded())) {
    wrong.push(`Go ${goNeeded()} or newer is needed, found ${go ?? "none"}; install it from https://go.dev/dl/.`);
  }
  const groups = hierarchies();
  const whole =
    groups.some(({ version, path }) => version === 2 && path === "/sys/fs/cgroup") ||
    ["memory", "pids", "cpu", "cpuset"].every((name) => groups.some(({ path }) => path.split(/[/,]/).includes(name)));
  if (!whole) wrong.push("No complete set of control groups is mounted under /sys/fs/cgroup; mount cgroup2 there.");
  for (const [what, folder] of [
    ["state", state.root],
    ["build cache", cache()],
  ] as const) {
    const free = freeBytes(folder);
    if (free >= diskBytesMin) continue;
    wrong.push(`Only ${(free / 1e9).toFixed(1)} GB are free for the ${what} in ${folder}; make it 5 GB or move it.`);
  }
  return wrong;
}

const onPath = (tool: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, tool)));

/** Free space where `folder` is, or will be. */
function freeBytes(folder: string): number {
  if (!existsSync(folder)) return freeBytes(dirname(folder));
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
