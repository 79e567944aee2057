import type { Manifest } from "../../context.ts";
import * as PKI from "../../pki/index.ts";
import { serverName } from "../keys.ts";
import { deployment, flags, type Signed, secret } from "./parts.ts";

const kubeconfig = ({ cluster, authorities, addresses }: Signed, user: PKI.Pair): string =>
  PKI.kubeconfig({
    name: "cluster",
    server: `https://${addresses.apiserver}:443`,
    serverName: serverName(cluster),
    authority: authorities.cluster.certificate,
    user,
  });

const probe = (port: number) => ({
  httpGet: { path: "/healthz", port, scheme: "HTTPS" },
  periodSeconds: 10,
  failureThreshold: 8,
  timeoutSeconds: 10,
});
/** These two are ready within a second or two of their start; asking each second shows it as it happens. */
const quick = (port: number) => ({ ...probe(port), periodSeconds: 1, failureThreshold: 60, timeoutSeconds: 2 });

export function controllerSecrets(parts: Signed): Manifest[] {
  const { cluster, authorities, leaves } = parts;
  return [
    secret(cluster, "controller-manager", {
      kubeconfig: kubeconfig(parts, leaves.manager),
      "ca.crt": authorities.cluster.certificate,
      "ca.key": authorities.cluster.key,
      "sa.key": authorities.signer.privateKey,
      "front-ca.crt": authorities.front.certificate,
    }),
    secret(cluster, "scheduler", {
      kubeconfig: kubeconfig(parts, leaves.scheduler),
      "ca.crt": authorities.cluster.certificate,
      "front-ca.crt": authorities.front.certificate,
    }),
  ];
}

/** kube-controller-manager and kube-scheduler. Made once the API server answers: earlier they would only crash. */
export function controllers(parts: Signed): Manifest[] {
  const { cluster, host } = parts;
  const delegated = (files: string) => ({
    kubeconfig: `${files}/kubeconfig`,
    "authentication-kubeconfig": `${files}/kubeconfig`,
    "authorization-kubeconfig": `${files}/kubeconfig`,
    "client-ca-file": `${files}/ca.crt`,
    "requestheader-client-ca-file": `${files}/front-ca.crt`,
    "leader-elect": true,
    profiling: false,
  });
  const manager = "/etc/berth/controller-manager";
  const [managerSecret, schedulerSecret] = controllerSecrets(parts) as [Manifest, Manifest];
  return [
    deployment({
      cluster,
      component: "kube-controller-manager",
      image: `${host.imagePrefix}/kube-controller-manager:v${cluster.spec.version}`,
      command: [
        "kube-controller-manager",
        ...flags({
          ...delegated(manager),
          "root-ca-file": `${manager}/ca.crt`,
          "service-account-private-key-file": `${manager}/sa.key`,
          "cluster-signing-cert-file": `${manager}/ca.crt`,
          "cluster-signing-key-file": `${manager}/ca.key`,
          controllers: ["*", "bootstrapsigner", "tokencleaner"],
          "use-service-account-credentials": true,
          "allocate-node-cidrs": true,
          "cluster-cidr": cluster.spec.podCIDRs,
          "service-cluster-ip-range": cluster.spec.serviceCIDRs,
          "kube-api-qps": 100,
          "kube-api-burst": 150,
        }),
      ],
      ports: { https: 10257 },
      mounted: [managerSecret],
      cpu: "10m",
      memory: "64Mi",
      graceSeconds: 10,
      container: { livenessProbe: { ...probe(10257), initialDelaySeconds: 15 }, readinessProbe: quick(10257) },
    }),
    deployment({
      cluster,
      component: "kube-scheduler",
      image: `${host.imagePrefix}/kube-scheduler:v${cluster.spec.version}`,
      command: [
        "kube-scheduler",
        ...flags({ ...delegated("/etc/berth/scheduler"), "kube-api-qps": 100, "kube-api-burst": 150 }),
      ],
      ports: { https: 10259 },
      mounted: [schedulerSecret],
      cpu: "5m",
      memory: "48Mi",
      graceSeconds: 10,
      container: { livenessProbe: { ...probe(10259), initialDelaySeconds: 15 }, readinessProbe: quick(10259) },
    }),
  ];
}
