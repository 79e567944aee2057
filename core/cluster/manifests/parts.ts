import { createHash } from "node:crypto";
import { type Manifest, ours } from "../../context.ts";
import { kubeName } from "../../id.ts";
import type { Authorities, Leaves } from "../keys.ts";
import type { Cluster } from "../schema.ts";

/** Where images and volumes come from: settings of the host. */
export interface HostParts {
  /** `<imagePrefix>/kube-apiserver:v1.34.4`, `<imagePrefix>/etcd:3.6.16` and so on. */
  imagePrefix: string;
  storageClass: string;
  serviceCIDRs: string[];
  podCIDRs: string[];
  /** What enforces NetworkPolicies there; null when nothing does. */
  policyEngine: string | null;
  /** From where home reaches the host. */
  homeRanges: string[];
}

/** All that the pure renderers need to know. */
export interface Parts {
  cluster: Cluster;
  host: HostParts;
  /** The etcd that this Kubernetes needs, such as `3.6.16`. */
  etcdVersion: string;
  issuer: string;
}

export type Signed = Parts & {
  authorities: Authorities;
  leaves: Leaves;
  addresses: { apiserver: string; etcd: string };
};

export const labelsOf = (cluster: Pick<Cluster, "id">): Record<string, string> => ({
  ...ours,
  "berth.dev/cluster": kubeName(cluster.id),
});

/** An object in the cluster's namespace on the host. */
export function onHost(
  cluster: Cluster,
  apiVersion: string,
  kind: string,
  name: string,
  rest: Record<string, unknown>,
): Manifest {
  return { apiVersion, kind, metadata: { name, namespace: kubeName(cluster.id), labels: labelsOf(cluster) }, ...rest };
}

export const secret = (cluster: Cluster, name: string, files: Record<string, string>): Manifest =>
  onHost(cluster, "v1", "Secret", name, {
    type: "Opaque",
    data: Object.fromEntries(Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString("base64")])),
  });

export const config = (cluster: Cluster, name: string, files: Record<string, string>): Manifest =>
  onHost(cluster, "v1", "ConfigMap", name, { data: files });

/** What is mounted, as a short hash: a Pod is replaced when its files change, and only then. */
const digest = (mounted: Manifest[]): string =>
  createHash("sha256")
    .update(JSON.stringify(mounted.map(({ data }) => data)))
    .digest("hex")
    .slice(0, 16);

export interface PodInput {
  cluster: Cluster;
  component: string;
  image: string;
  command: string[];
  ports: Record<string, number>;
  /** Secrets and ConfigMaps, mounted read-only under `/etc/berth/<name>`. */
  mounted: Manifest[];
  cpu: string;
  memory: string;
  graceSeconds: number;
  /** More fields of the container: probes, further mounts. */
  container?: Record<string, unknown>;
  volumes?: unknown[];
  volumeMounts?: unknown[];
}

/** A Pod template that any host admits under the `restricted` Pod Security level. */
export function podTemplate(input: PodInput): { metadata: object; spec: object } {
  const { cluster, component, mounted } = input;
  return {
    metadata: {
      labels: { ...labelsOf(cluster), "berth.dev/component": component },
      annotations: { "berth.dev/config": digest(mounted) },
    },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: input.graceSeconds,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        fsGroup: 65532,
        fsGroupChangePolicy: "OnRootMismatch",
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [
        {
          name: component,
          image: input.image,
          imagePullPolicy: "IfNotPresent",
          command: input.command,
          ports: Object.entries(input.ports).map(([name, containerPort]) => ({ name, containerPort, protocol: "TCP" })),
          resources: { requests: { cpu: input.cpu, memory: input.memory } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
          volumeMounts: [
            ...mounted.map(({ metadata: { name } }) => ({ name, mountPath: `/etc/berth/${name}`, readOnly: true })),
            ...(input.volumeMounts ?? []),
          ],
          ...input.container,
        },
      ],
      volumes: [
        ...mounted.map(({ kind, metadata: { name } }) =>
          kind === "Secret"
            ? { name, secret: { secretName: name, defaultMode: 0o440 } }
            : { name, configMap: { name, defaultMode: 0o444 } },
        ),
        ...(input.volumes ?? []),
      ],
    },
  };
}

export const selector = (cluster: Cluster, component: string) => ({
  matchLabels: { "berth.dev/cluster": kubeName(cluster.id), "berth.dev/component": component },
});

export function deployment(input: PodInput): Manifest {
  return onHost(input.cluster, "apps/v1", "Deployment", input.component, {
    spec: {
      replicas: 1,
      revisionHistoryLimit: 2,
      selector: selector(input.cluster, input.component),
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: podTemplate(input),
    },
  });
}

/** `--name=value` for each; a list is joined by commas. */
export const flags = (values: Record<string, string | number | boolean | string[]>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${Array.isArray(value) ? value.join(",") : String(value)}`);
