import { join } from "node:path";
import { ours, type Progress, versions } from "../binary.ts";
import { build } from "../build.ts";
import { makeCgroup } from "../cgroup.ts";
import { containerd, startContainerd } from "../containerd.ts";
import { base, provide } from "../image.ts";
import { locked } from "../lock.ts";
import { namespace } from "../network.ts";
import { trimLogs, until } from "../process.ts";
import { prepare, type State, state as where } from "../state.ts";
import { rememberSysctls } from "../sysctl.ts";
import { added, addedVersions } from "../version.ts";
import { storageClass, tend } from "../volumes.ts";
import { type Api, apply, get, open } from "./api.ts";
import { check } from "./check.ts";
import type { HostInfo } from "./info.ts";
import { keys } from "./keys.ts";
import { conflist, masquerade, startNode } from "./node.ts";
import { type Parts, ranges, startControllers, startServers } from "./plane.ts";
import { grant } from "./role.ts";

export interface UpOptions {
  /** The state folder; by default `$BERTH_STATE`, else `.berth/` in the repository. */
  path?: string;
  /** How many free volumes are kept ahead. */
  volumes?: number;
}

/**
 * Brings the host up, or finds it up and changes nothing; what has died is started again.
 * @throws Error with one line per thing that this machine lacks, or with the log of what did not start.
 */
export async function up(options: UpOptions = {}, progress: Progress = () => undefined): Promise<HostInfo> {
  const state = where(options.path);
  const wrong = await check(state);
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  prepare(state);
  trimLogs(state);
  return await locked(join(state.root, "host.lock"), () => raise(state, options, progress));
}

async function raise(state: State, { volumes = 8 }: UpOptions, progress: Progress): Promise<HostInfo> {
  const node = `berth-${state.hash}`;
  const kube = await build(ours("kube"), progress);
  const etcd = await build(ours("etcd"), progress);
  await build(ours("pause"), progress);
  const inside = await namespace(state, "host");
  const parts: Parts = { state, node, kube, etcd, namespace: inside, keys: await keys(state, node, inside.inside) };
  const runtime = containerd(state, "containerd", inside);
  const api = open(parts.keys, inside.inside);
  try {
    for (const name of [state.cgroup, `${state.cgroup}/host`]) makeCgroup(name);
    // The servers need their seconds; containerd and its images come up in the same ones.
    const images = Promise.all([masquerade(parts), startContainerd(state, runtime, conflist(runtime))]).then(() =>
      provide(runtime, [...base, ...added(state)], progress),
    );
    await Promise.all([images, startServers(parts).then(() => serving(parts, api))]);
    rememberSysctls(state);
    const settled = [trustNode(parts, api), storageClass(api), grant(api)];
    await Promise.all([...settled, startControllers(parts), startNode(parts, runtime)]);
    await Promise.all([nodeReady(parts, api), tend(state, api, node, volumes)]);
  } finally {
    api.close();
  }
  const [first = 0, last = 0] = ranges.ports.split("-").map(Number);
  return {
    kubeconfig: parts.keys.berth,
    server: `https://${inside.inside}:6443`,
    address: inside.inside,
    node,
    versions: [versions.kube, ...addedVersions(state)],
    imagePrefix: "berth.local",
    etcdVersion: versions.etcd,
    storageClass: "berth-local",
    portRange: [first, last],
    kubectl: join(kube, "kubectl"),
  };
}

const serving = ({ state }: Parts, api: Api): Promise<void> =>
  until(
    state,
    "the host's API",
    async () => (await api.call("GET", "/readyz").catch(() => undefined))?.status === 200,
    {
      programs: ["etcd", "kube-apiserver"],
    },
  );

/**
 * Lets the one node read what all Pods use. The Node authorizer alone would allow it only once its graph has heard
 * of a new Pod; the kubelet is often quicker, is refused its Secret or claim, and sits out a back-off of 1 to 15 s.
 */
const trustNode = ({ node }: Parts, api: Api): Promise<void> =>
  apply(api, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/berth-local-node", {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "berth-local-node" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:node" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: `system:node:${node}` }],
  });

interface NodeObject {
  metadata: { name: string };
  spec: { taints?: { key: string }[] };
  status: { conditions?: { type: string; status: string }[] };
}

/** The node is ready, free of taints, and its kubelet answers: the status alone may be one that a dead kubelet left. */
async function nodeReady({ state, node }: Parts, api: Api): Promise<void> {
  const ready = async (): Promise<boolean> => {
    const { items } = await get<{ items: NodeObject[] }>(api, "/api/v1/nodes");
    const found = items.find(({ metadata }) => metadata.name === node);
    const condition = found?.status.conditions?.find(({ type }) => type === "Ready");
    if (condition?.status !== "True" || (found?.spec.taints ?? []).length > 0) return false;
    return (await api.call("GET", `/api/v1/nodes/${node}/proxy/healthz`)).status === 200;
  };
  const programs = ["containerd", "kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager"];
  await until(state, "the host's node", ready, { programs, seconds: 90 });
}
