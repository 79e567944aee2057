// The host's one node: kubelet, kube-proxy and the way Pods are wired.
import { join } from "node:path";
import type { Containerd } from "../containerd.ts";
import { enter, rule } from "../network.ts";
import { start } from "../process.ts";
import { save } from "../state.ts";
import { flags, type Parts, ranges } from "./plane.ts";

/** The node has all Pods of the host, so it gets its range without waiting for anybody to hand it out. */
const podRange = "10.244.0.0/20";

/**
 * How Pods are wired. `ptp` gives each a pair and a route of its own: no bridge to come up, and every packet passes
 * the packet filter, so Services work between Pods of one node without br_netfilter.
 */
export const conflist = (it: Containerd): object => ({
  cniVersion: "0.4.0",
  name: it.run.split("/")[2],
  plugins: [
    {
      type: "ptp",
      ipam: {
        type: "host-local",
        dataDir: join(it.run, "ipam"),
        ranges: [[{ subnet: podRange }]],
        routes: [{ dst: "0.0.0.0/0" }],
      },
    },
  ],
});

/** One rule hides Pods behind the node towards the outside; a rule per Pod would cost each start an iptables run. */
export const masquerade = ({ namespace }: Parts): Promise<void> =>
  rule(namespace, "nat", "POSTROUTING", ["-s", podRange, "!", "-d", podRange, "-o", "eth0", "-j", "MASQUERADE"]);

/** Starts kubelet and kube-proxy. containerd and the API must answer. */
export async function startNode(parts: Parts, it: Containerd): Promise<void> {
  const { state, namespace, keys, kube, node } = parts;
  const kubelet = json(parts, "kubelet", kubeletSettings(parts, it));
  const proxy = json(parts, "kube-proxy", proxySettings(parts));
  const table = {
    config: kubelet.file,
    kubeconfig: join(keys.folder, "kubelet.kubeconfig"),
    "root-dir": join(state.root, "kubelet"),
    "cert-dir": join(state.root, "kubelet/pki"),
    "hostname-override": node,
    "node-ip": namespace.inside,
  };
  await Promise.all([
    start(state, {
      name: "kubelet",
      command: enter(namespace, flags(`${kube}/kubelet`, table)),
      stamp: kubelet.text + namespace.inside,
    }),
    start(state, {
      name: "kube-proxy",
      command: enter(namespace, flags(`${kube}/kube-proxy`, { config: proxy.file })),
      stamp: proxy.text + namespace.inside,
    }),
  ]);
}

function json({ state }: Parts, name: string, settings: object): { file: string; text: string } {
  const file = join(state.root, `${name}.json`);
  const text = JSON.stringify(settings, null, 2);
  save(file, text);
  return { file, text };
}

const kubeletSettings = ({ state, namespace, keys }: Parts, it: Containerd): object => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  address: namespace.inside,
  healthzBindAddress: "127.0.0.1",
  readOnlyPort: 0,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: keys.authority },
  },
  authorization: { mode: "Webhook" },
  tlsCertFile: join(keys.folder, "kubelet-server.crt"),
  tlsPrivateKeyFile: join(keys.folder, "kubelet-server.key"),
  rotateCertificates: false,
  containerRuntimeEndpoint: `unix://${it.socket}`,
  // Else these lie outside our folders, where two hosts would meet.
  podLogsDir: join(state.root, "pod-logs"),
  volumePluginDir: join(state.root, "kubelet/volume-plugins"),
  cgroupDriver: "cgroupfs",
  cgroupRoot: `${state.cgroup}/host`,
  enforceNodeAllocatable: [],
  failSwapOn: false,
  maxPods: 500,
  clusterDNS: ["10.96.0.10"],
  clusterDomain: "cluster.local",
  // A disk that is nearly full with other things must not stop every tenant, nor cost us images we cannot pull again.
  evictionHard: {
    "memory.available": "50Mi",
    "nodefs.available": "1%",
    "imagefs.available": "1%",
    "nodefs.inodesFree": "1%",
  },
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  // A watch per Secret costs its first mount a list, and memory for ever; these Secrets hardly change.
  configMapAndSecretChangeDetectionStrategy: "Get",
  serializeImagePulls: false,
  registryPullQPS: 0,
  eventRecordQPS: 50,
  kubeAPIQPS: 400,
  kubeAPIBurst: 800,
  nodeStatusUpdateFrequency: "4s",
  containerLogMaxSize: "4Mi",
  containerLogMaxFiles: 2,
  enableProfilingHandler: false,
});

const proxySettings = ({ keys, node }: Parts): object => ({
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  clientConnection: { kubeconfig: join(keys.folder, "proxy.kubeconfig"), qps: 100, burst: 200 },
  hostnameOverride: node,
  clusterCIDR: ranges.pods,
  mode: "iptables",
  iptables: { minSyncPeriod: "10ms", syncPeriod: "30s", localhostNodePorts: false },
  nodePortAddresses: ["primary"],
  // Zero leaves the machine's connection-tracking sysctls as they are.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  healthzBindAddress: "127.0.0.1:10256",
  metricsBindAddress: "127.0.0.1:10249",
});
