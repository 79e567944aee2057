import type { Manifest } from "../../context.ts";
import { kubeName } from "../../id.ts";
import { onHost, type Parts, podTemplate, type Signed, secret, selector } from "./parts.ts";

/** The claim is made before its StatefulSet, by the name that the StatefulSet will look for: bound while keys are made. */
export const etcdClaim = ({ cluster, host }: Parts): Manifest =>
  onHost(cluster, "v1", "PersistentVolumeClaim", "data-etcd-0", {
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: host.storageClass,
      resources: { requests: { storage: "8Gi" } },
    },
  });

/** Reached by its ClusterIP, so the control plane needs no DNS of the host. */
export const etcdService = ({ cluster }: Parts, clusterIP?: string): Manifest =>
  onHost(cluster, "v1", "Service", "etcd", {
    spec: {
      type: "ClusterIP",
      ...(clusterIP === undefined ? {} : { clusterIP }),
      // The first member must be reachable before it is ready: it becomes ready by being reached.
      publishNotReadyAddresses: true,
      selector: selector(cluster, "etcd").matchLabels,
      ports: [
        { name: "client", port: 2379, targetPort: 2379, protocol: "TCP" },
        { name: "peer", port: 2380, targetPort: 2380, protocol: "TCP" },
      ],
    },
  });

export const etcdSecret = ({ cluster, authorities, leaves }: Signed): Manifest =>
  secret(cluster, "etcd", {
    "ca.crt": authorities.etcd.certificate,
    "tls.crt": leaves.etcd.certificate,
    "tls.key": leaves.etcd.key,
  });

/** The flags of the one member; the bench starts its bare etcd with the same ones. */
export function etcdFlags(options: { name: string; peerURL: string; clientURL: string; files: string; data: string }) {
  const { files } = options;
  return [
    `--name=${options.name}`,
    `--data-dir=${options.data}`,
    "--listen-client-urls=https://0.0.0.0:2379",
    `--advertise-client-urls=${options.clientURL}`,
    "--listen-peer-urls=https://0.0.0.0:2380",
    `--initial-advertise-peer-urls=${options.peerURL}`,
    `--initial-cluster=${options.name}=${options.peerURL}`,
    "--initial-cluster-state=new",
    "--listen-metrics-urls=http://0.0.0.0:2381",
    "--client-cert-auth=true",
    `--trusted-ca-file=${files}/ca.crt`,
    `--cert-file=${files}/tls.crt`,
    `--key-file=${files}/tls.key`,
    "--peer-client-cert-auth=true",
    `--peer-trusted-ca-file=${files}/ca.crt`,
    `--peer-cert-file=${files}/tls.crt`,
    `--peer-key-file=${files}/tls.key`,
    "--quota-backend-bytes=8589934592",
    "--snapshot-count=10000",
  ];
}

export function etcdSet(parts: Signed): Manifest {
  const { cluster, host } = parts;
  const peer = `https://etcd-0.etcd.${kubeName(cluster.id)}.svc:2380`;
  const probe = (path: string, periodSeconds: number, failureThreshold: number) => ({
    httpGet: { path, port: 2381, scheme: "HTTP" },
    periodSeconds,
    failureThreshold,
    timeoutSeconds: 10,
  });
  return onHost(cluster, "apps/v1", "StatefulSet", "etcd", {
    spec: {
      replicas: 1,
      serviceName: "etcd",
      podManagementPolicy: "Parallel",
      revisionHistoryLimit: 2,
      selector: selector(cluster, "etcd"),
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      template: podTemplate({
        cluster,
        component: "etcd",
        image: `${host.imagePrefix}/etcd:${parts.etcdVersion}`,
        command: [
          "etcd",
          ...etcdFlags({
            name: "etcd-0",
            peerURL: peer,
            clientURL: `https://${parts.addresses.etcd}:2379`,
            files: "/etc/berth/etcd",
            data: "/var/lib/etcd/data",
          }),
        ],
        ports: { client: 2379, peer: 2380, metrics: 2381 },
        mounted: [etcdSecret(parts)],
        cpu: "10m",
        memory: "64Mi",
        graceSeconds: 30,
        container: {
          // Liveness must not need a quorum; readiness does.
          livenessProbe: { ...probe("/livez", 10, 6), initialDelaySeconds: 10 },
          readinessProbe: probe("/readyz", 2, 3),
        },
        volumeMounts: [{ name: "data", mountPath: "/var/lib/etcd" }],
      }),
      volumeClaimTemplates: [
        {
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          metadata: { name: "data" },
          spec: etcdClaim(parts)["spec"],
        },
      ],
    },
  });
}
