import type { Manifest } from "../../context.ts";
import { kubeName } from "../../id.ts";
import { labelsOf, onHost, type Parts, selector } from "./parts.ts";

const tcp = (port: number) => ({ protocol: "TCP", port });
const family = (cidr: string): "0.0.0.0/0" | "::/0" => (cidr.includes(":") ? "::/0" : "0.0.0.0/0");

/** Who may speak to whom. What is not in this table is refused. */
const flows = [
  { from: "kube-apiserver", to: "etcd", port: 2379 },
  { from: "etcd", to: "etcd", port: 2380 },
  { from: "kube-controller-manager", to: "kube-apiserver", port: 6443 },
  { from: "kube-scheduler", to: "kube-apiserver", port: 6443 },
] as const;

export function namespace({ cluster }: Parts): Manifest {
  const level = Object.fromEntries(
    ["enforce", "audit", "warn"].map((m) => [`pod-security.kubernetes.io/${m}`, "restricted"]),
  );
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: kubeName(cluster.id),
      labels: { ...labelsOf(cluster), "berth.dev/tenant": kubeName(cluster.tenant), ...level },
    },
  };
}

export function policies(parts: Parts): Manifest[] {
  const { cluster, host } = parts;
  const policy = (name: string, spec: Record<string, unknown>) =>
    onHost(cluster, "networking.k8s.io/v1", "NetworkPolicy", name, { spec });
  const pods = (component: string) => ({ podSelector: selector(cluster, component) });
  const inside = [...host.serviceCIDRs, ...host.podCIDRs];
  // The API server dials kubelets, webhooks and aggregated APIs of its own machines: anywhere but inside of the host.
  const outside = [...new Set(inside.map(family))].map((cidr) => ({
    ipBlock: {
      cidr,
      except: [...inside.filter((range) => family(range) === cidr), cidr === "::/0" ? "fe80::/10" : "169.254.0.0/16"],
    },
  }));
  const rules = Object.values(Object.groupBy(flows, ({ to }) => to)).map((group) => {
    const to = group[0]?.to ?? "etcd";
    return policy(`to-${to}`, {
      ...pods(to),
      policyTypes: ["Ingress"],
      ingress: group.map(({ from, port }) => ({ from: [pods(from)], ports: [tcp(port)] })),
    });
  });
  const leaving = Object.values(Object.groupBy(flows, ({ from }) => from)).map((group) => {
    const from = group[0]?.from ?? "etcd";
    return policy(`from-${from}`, {
      ...pods(from),
      policyTypes: ["Egress"],
      egress: group.map(({ to, port }) => ({ to: [pods(to)], ports: [tcp(port)] })),
    });
  });
  return [
    policy("default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
    ...rules,
    ...leaving,
    policy("api", { ...pods("kube-apiserver"), policyTypes: ["Ingress"], ingress: [callers(parts)] }),
    policy("machines", { ...pods("kube-apiserver"), policyTypes: ["Egress"], egress: [{ to: outside }] }),
    policy("names", {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [
        {
          to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }],
          ports: [{ protocol: "UDP", port: 53 }, tcp(53)],
        },
      ],
    }),
  ];
}

/**
 * People, home and machines come by the node port; the certificate decides. Where source ranges are said, the host's
 * own probes and home come in beside them, and nobody else as far as the certificate.
 */
function callers({ cluster, host }: Parts): Record<string, unknown> {
  const ports = [tcp(6443)];
  const { sourceRanges } = cluster.spec;
  if (sourceRanges.length === 0) return { ports };
  const ranges = new Set([...sourceRanges, ...host.serviceCIDRs, ...host.podCIDRs, ...host.homeRanges]);
  return { from: [...ranges].map((cidr) => ({ ipBlock: { cidr } })), ports };
}

export const budgets = ({ cluster }: Parts): Manifest[] =>
  ["etcd", "kube-apiserver"].map((component) =>
    onHost(cluster, "policy/v1", "PodDisruptionBudget", component, {
      spec: { maxUnavailable: 1, selector: selector(cluster, component) },
    }),
  );

/**
 * Counts only. Made last: a quota whose use is not yet counted refuses everything for a moment.
 */
export const quota = ({ cluster }: Parts): Manifest =>
  onHost(cluster, "v1", "ResourceQuota", "control-plane", {
    spec: {
      hard: {
        pods: "12",
        secrets: "24",
        configmaps: "12",
        services: "6",
        "services.nodeports": "2",
        "services.loadbalancers": "0",
        persistentvolumeclaims: "3",
      },
    },
  });
