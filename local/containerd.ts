// One containerd of our own per Kubernetes node: its own folders, socket and CNI configuration.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Binary, versions } from "./binary.ts";
import { run } from "./command.ts";
import { enter, type Namespace } from "./network.ts";
import { start, until } from "./process.ts";
import { save, type State } from "./state.ts";

export interface Containerd {
  /** Name of the process; its folders are called so too. */
  name: string;
  namespace: Namespace;
  /** What lasts: images and layers, in the state folder. */
  root: string;
  /** What is gone after `down`: mounts and sockets, in the run folder. */
  run: string;
  socket: string;
  /** Folder of the CNI configuration. */
  network: string;
}

/** Folder of Debian's containernetworking-plugins. */
export const pluginFolder = "/usr/lib/cni";

/** Name of one of our images, as `berth.local/pause:1`. */
export const imageName = (name: Binary, version: string = versions[name]): string =>
  `berth.local/${name}:${name === "kube" ? "v" : ""}${version}`;

/** Where the containerd called `name` keeps what. Touches nothing. */
export function containerd(state: State, name: string, namespace: Namespace): Containerd {
  const own = join(state.run, name);
  return {
    name,
    namespace,
    root: join(state.root, name),
    run: own,
    socket: join(own, "containerd.sock"),
    network: join(own, "cni"),
  };
}

/** Starts it and waits until it answers; one that runs is left alone. `conflist` is its CNI configuration. */
export async function startContainerd(state: State, it: Containerd, conflist: object): Promise<void> {
  save(join(it.network, "10-berth.conflist"), JSON.stringify(conflist, null, 2));
  const file = join(it.root, "config.toml");
  const text = config(it);
  save(file, text);
  const command = enter(it.namespace, ["containerd", "--config", file]);
  await start(state, { name: it.name, command, stamp: text });
  const answers = (): Promise<boolean> =>
    ctr(it, "version").then(
      () => true,
      () => false,
    );
  await until(state, "containerd", async () => existsSync(it.socket) && (await answers()), { programs: [it.name] });
}

/** Runs `ctr` against it, in the namespace that holds what Kubernetes made. */
export const ctr = (it: Containerd, ...args: string[]): Promise<string> =>
  run("ctr", ["--address", it.socket, "--namespace", "k8s.io", ...args]);

/**
 * Deletes every container it holds; images stay. Their processes should be gone already.
 * Errors of single containers are passed over: what is left does no harm and the kubelet collects it later.
 */
export async function removeContainers(it: Containerd): Promise<void> {
  const ids = (text: string): string[] => text.split("\n").filter((line) => line !== "");
  const tasks = ids(await ctr(it, "tasks", "ls", "--quiet"));
  if (tasks.length > 0) await ctr(it, "tasks", "rm", "--force", ...tasks).catch(() => undefined);
  const containers = ids(await ctr(it, "containers", "ls", "--quiet"));
  if (containers.length > 0) await ctr(it, "containers", "rm", ...containers).catch(() => undefined);
}

/**
 * `restrict_oom_score_adj`: without CAP_SYS_RESOURCE runc dies otherwise ("can't get final child's PID").
 * `netns_mounts_under_state_dir`: Pods' namespaces are mounted in our run folder, out of everybody's way.
 */
const config = (it: Containerd): string => `version = 2
root = "${it.root}/data"
state = "${it.run}/state"
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "${it.socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${it.root}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${imageName("pause")}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  tolerate_missing_hugetlb_controller = true
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${pluginFolder}"
    conf_dir = "${it.network}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = "${it.run}/runc"
`;
