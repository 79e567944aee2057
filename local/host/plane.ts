// The host's own control plane, as processes in its namespace.
import { join } from "node:path";
import { enter, type Namespace } from "../network.ts";
import { start } from "../process.ts";
import { save, type State } from "../state.ts";
import type { Keys } from "./keys.ts";

export interface Parts {
  state: State;
  namespace: Namespace;
  keys: Keys;
  /** Folders of the built binaries. */
  kube: string;
  etcd: string;
  node: string;
}

export const ranges = { pods: "10.244.0.0/16", services: "10.96.0.0/16", ports: "30000-32767" } as const;

/** Starts etcd and the API server together: the second waits for the first by itself. */
export async function startServers(parts: Parts): Promise<void> {
  const { state, namespace, keys, kube, etcd } = parts;
  const key = (name: string): string => join(keys.folder, name);
  const database = flags(`${etcd}/etcd`, {
    name: "host",
    "data-dir": join(state.root, "etcd"),
    "listen-client-urls": "https://127.0.0.1:2379",
    "advertise-client-urls": "https://127.0.0.1:2379",
    // A member without peers needs no peer port open beyond its loopback.
    "listen-peer-urls": "http://127.0.0.1:2380",
    "cert-file": key("etcd.crt"),
    "key-file": key("etcd.key"),
    "trusted-ca-file": key("etcd-ca.crt"),
    "client-cert-auth": "true",
    "quota-backend-bytes": String(4 * 2 ** 30),
    // Tenants' etcds write through to the same one disk, and would wait for ours. A killed process loses nothing this way;
    // a machine that loses power may lose the host's last seconds, which Berth then makes anew.
    "unsafe-no-fsync": "true",
    "auto-compaction-mode": "periodic",
    "auto-compaction-retention": "10m",
    "log-level": "warn",
  });
  const server = flags(`${kube}/kube-apiserver`, {
    "advertise-address": namespace.inside,
    "secure-port": "6443",
    "tls-cert-file": key("apiserver.crt"),
    "tls-private-key-file": key("apiserver.key"),
    "client-ca-file": key("ca.crt"),
    "etcd-servers": "https://127.0.0.1:2379",
    "etcd-cafile": key("etcd-ca.crt"),
    "etcd-certfile": key("apiserver-etcd.crt"),
    "etcd-keyfile": key("apiserver-etcd.key"),
    "encryption-provider-config": key("encryption.json"),
    "kubelet-client-certificate": key("apiserver-kubelet.crt"),
    "kubelet-client-key": key("apiserver-kubelet.key"),
    "kubelet-certificate-authority": key("ca.crt"),
    "kubelet-preferred-address-types": "InternalIP",
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-account-key-file": key("sa.pub"),
    "service-account-signing-key-file": key("sa.key"),
    "requestheader-client-ca-file": key("front-proxy-ca.crt"),
    "requestheader-allowed-names": "front-proxy-client",
    "requestheader-username-headers": "X-Remote-User",
    "requestheader-group-headers": "X-Remote-Group",
    "requestheader-extra-headers-prefix": "X-Remote-Extra-",
    "proxy-client-cert-file": key("front-proxy.crt"),
    "proxy-client-key-file": key("front-proxy.key"),
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": "NodeRestriction",
    "service-cluster-ip-range": ranges.services,
    "service-node-port-range": ranges.ports,
    "event-ttl": "30m",
    profiling: "false",
  });
  await Promise.all([
    start(state, { name: "etcd", command: enter(namespace, database) }),
    start(state, { name: "kube-apiserver", command: enter(namespace, server), stamp: namespace.inside }),
  ]);
}

/** Starts controller-manager and scheduler; the API must be ready, or they die and are missed. */
export async function startControllers({ state, namespace, keys, kube }: Parts): Promise<void> {
  const key = (name: string): string => join(keys.folder, name);
  const manager = flags(`${kube}/kube-controller-manager`, {
    kubeconfig: key("manager.kubeconfig"),
    "authentication-kubeconfig": key("manager.kubeconfig"),
    "authorization-kubeconfig": key("manager.kubeconfig"),
    "bind-address": "127.0.0.1",
    "cluster-signing-cert-file": key("ca.crt"),
    "cluster-signing-key-file": key("ca.key"),
    "root-ca-file": key("ca.crt"),
    "service-account-private-key-file": key("sa.key"),
    "use-service-account-credentials": "true",
    "allocate-node-cidrs": "true",
    "cluster-cidr": ranges.pods,
    // A quarter of 4096 addresses is more than the 500 Pods that the node may run.
    "node-cidr-mask-size": "20",
    "service-cluster-ip-range": ranges.services,
    "leader-elect": "false",
    "kube-api-qps": "400",
    "kube-api-burst": "800",
    // A claim that came before a free volume did waits for this round.
    "pvclaimbinder-sync-period": "2s",
    "concurrent-deployment-syncs": "20",
    "concurrent-namespace-syncs": "20",
    "concurrent-gc-syncs": "20",
    // Its default is a folder under /usr that it makes.
    "flex-volume-plugin-dir": join(state.root, "kubelet/volume-plugins"),
    profiling: "false",
  });
  const settings = {
    apiVersion: "kubescheduler.config.k8s.io/v1",
    kind: "KubeSchedulerConfiguration",
    clientConnection: { kubeconfig: key("scheduler.kubeconfig"), qps: 400, burst: 800 },
    leaderElection: { leaderElect: false },
    enableProfiling: false,
  };
  const file = join(state.root, "scheduler.json");
  save(file, JSON.stringify(settings, null, 2));
  const scheduler = flags(`${kube}/kube-scheduler`, { config: file, "bind-address": "127.0.0.1" });
  const stamp = JSON.stringify([settings, namespace.inside]);
  await Promise.all([
    start(state, { name: "kube-controller-manager", command: enter(namespace, manager), stamp }),
    start(state, { name: "kube-scheduler", command: enter(namespace, scheduler), stamp }),
  ]);
}

/** A command line from a table of flags. */
export const flags = (program: string, table: Record<string, string>): [string, ...string[]] => [
  program,
  ...Object.entries(table).map(([name, value]) => `--${name}=${value}`),
];
