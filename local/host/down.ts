import { existsSync, lstatSync, readdirSync, readlinkSync, rmdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { emptyCgroup, removeCgroup } from "../cgroup.ts";
import { containerd, removeContainers } from "../containerd.ts";
import { locked } from "../lock.ts";
import { mounts, unmountAll } from "../mount.ts";
import { dissolve, linkName } from "../network.ts";
import { alive, stop, sweep } from "../process.ts";
import { prepare, type State, state as where } from "../state.ts";
import { restoreSysctls } from "../sysctl.ts";

/**
 * Ends the host and removes all it made outside its state folder: processes, containers, mounts, namespace, link,
 * control groups, run folder. What it knows stays, so the next `up` resumes every cluster. A second call is harmless.
 */
export async function down(path?: string): Promise<void> {
  const state = where(path);
  // The addresses are the first that a host gets: without them there never was one of our own.
  if (![state.run, join(state.root, "addresses.json")].some((path) => existsSync(path))) return;
  prepare(state);
  await locked(join(state.root, "host.lock"), () => lower(state));
}

/** `down`, and then the state folder itself, with every cluster and volume in it. */
export async function erase(path?: string): Promise<void> {
  await down(path);
  const { root } = where(path);
  if (mounts(root).length > 0) throw new Error(`something is mounted below ${root}; unmount it first`);
  rmSync(root, { recursive: true, force: true });
}

async function lower(state: State): Promise<void> {
  // Without these three nobody starts again what we are about to kill.
  const first = ["kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy"];
  await Promise.all(first.map((name) => stop(state, name, 2000)));
  const group = `${state.cgroup}/host`;
  await emptyCgroup(group, 2000);
  const nowhere = { path: "", link: linkName(state, "host"), inside: "", outside: "" };
  const runtime = containerd(state, "containerd", nowhere);
  if (alive(state, "containerd")) await removeContainers(runtime);
  await Promise.all([
    stop(state, "containerd", 3000),
    stop(state, "kube-apiserver", 3000).then(() => stop(state, "etcd", 3000)),
  ]);
  await sweep(state, "containerd");
  await emptyCgroup(group, 0);
  await unmountAll(join(state.root, "kubelet"));
  await unmountAll(runtime.run);
  await dissolve(state, "host");
  removeCgroup(group);
  rmSync(runtime.run, { recursive: true, force: true });
  await strays(state);
  await leave(state);
}

/** Removes what all nodes of a stack share, once the last of them is gone. */
async function leave(state: State): Promise<void> {
  const others = list(state.run).filter((entry) => !["boot", "net", "sysctls.json"].includes(entry));
  const namespaces = list(join(state.run, "net"));
  if (others.length + namespaces.length > 0) return;
  await emptyCgroup(state.cgroup, 0);
  removeCgroup(state.cgroup);
  restoreSysctls(state);
  rmSync(state.run, { recursive: true, force: true });
}

/** What kubelet and the CNI plugins write outside every folder that they can be given. */
async function strays(state: State): Promise<void> {
  const results = "/var/lib/cni/results";
  for (const file of list(results)) {
    const container = file.startsWith(`berth-${state.hash}-`) ? file.split("-")[2] : undefined;
    if (container === undefined) continue;
    for (const each of [file, `cni-loopback-${container}-lo`]) rmSync(join(results, each), { force: true });
  }
  const logs = "/var/log/containers";
  for (const file of list(logs).map((name) => join(logs, name))) {
    if (lstatSync(file).isSymbolicLink() && readlinkSync(file).startsWith(`${state.root}/`)) rmSync(file);
  }
  const plugins = "/var/lib/kubelet/device-plugins";
  const idle = list(plugins).every((file) => file === "kubelet.sock" || file === "kubelet_internal_checkpoint");
  // Every kubelet on a machine uses this one folder; it goes with the last.
  if (idle && !(await listens(join(plugins, "kubelet.sock")))) rmSync(plugins, { recursive: true, force: true });
  const shims = "/run/containerd/s";
  for (const folder of [results, dirname(results), logs, dirname(plugins), shims, dirname(shims)]) {
    if (existsSync(folder) && list(folder).length === 0) rmdirSync(folder);
  }
}

const listens = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const line = connect(socket, () => resolve(true)).once("error", () => resolve(false));
    line.once("connect", () => line.destroy());
  });

const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
