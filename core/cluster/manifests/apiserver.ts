import type { Manifest } from "../../context.ts";
import { stringify } from "yaml";
import { membersNamespace } from "./inside.ts";
import { config, deployment, flags, onHost, type Parts, type Signed, secret, selector } from "./parts.ts";

/**
 * @param born false until the API server first answered. Until then there is nothing to protect, so the address leads
 * to it as soon as it runs, and readiness is not waited for twice; later only ready Pods get traffic.
 */
export const apiserverService = ({ cluster }: Parts, born: boolean, clusterIP?: string): Manifest =>
  onHost(cluster, "v1", "Service", "apiserver", {
    spec: {
      type: "NodePort",
      ...(clusterIP === undefined ? {} : { clusterIP }),
      publishNotReadyAddresses: !born,
      // A guarded one must see who comes, and a node that passes a call on to another hides it. The price is that only
      // the node where its Pod runs answers; so it is paid only where it buys something.
      externalTrafficPolicy: cluster.spec.sourceRanges.length > 0 ? "Local" : "Cluster",
      selector: selector(cluster, "kube-apiserver").matchLabels,
      ports: [{ name: "https", port: 443, targetPort: 6443, nodePort: cluster.placement.port, protocol: "TCP" }],
    },
  });

export function apiserverSecret({ cluster, authorities, leaves }: Signed): Manifest {
  return secret(cluster, "apiserver", {
    "ca.crt": authorities.cluster.certificate,
    "tls.crt": leaves.apiserver.certificate,
    "tls.key": leaves.apiserver.key,
    "kubelet.crt": leaves.kubelet.certificate,
    "kubelet.key": leaves.kubelet.key,
    "etcd-ca.crt": authorities.etcd.certificate,
    "etcd.crt": leaves.etcdClient.certificate,
    "etcd.key": leaves.etcdClient.key,
    "front-ca.crt": authorities.front.certificate,
    "front.crt": leaves.front.certificate,
    "front.key": leaves.front.key,
    "sa.key": authorities.signer.privateKey,
    "sa.pub": authorities.signer.publicKey,
    "encryption.yaml": stringify({
      apiVersion: "apiserver.config.k8s.io/v1",
      kind: "EncryptionConfiguration",
      resources: [
        {
          resources: ["secrets"],
          providers: [{ secretbox: { keys: [{ name: "key1", secret: authorities.encryption }] } }, { identity: {} }],
        },
      ],
    }),
  });
}

/** What of a cluster's requests is written down; each entry is a line of the API server's log. */
export const auditPolicy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    // The first rule that fits decides. Whatever a member asks is on record under the name of its account, which is its
    // member id; never more than metadata, as what it sends and gets may be a Secret or a token.
    { level: "Metadata", userGroups: [`system:serviceaccounts:${membersNamespace}`] },
    // The control plane's own rounds say nothing about who did what.
    {
      level: "None",
      users: ["system:kube-scheduler", "system:kube-controller-manager", "system:apiserver"],
      verbs: ["get", "list", "watch", "update"],
    },
    { level: "None", userGroups: ["system:nodes"], verbs: ["get", "list", "watch", "update", "patch"] },
    { level: "None", nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version"] },
    { level: "Metadata" },
  ],
};

/** Strangers see health, and what `kubeadm join` discovers; nothing else. */
const authentication = {
  apiVersion: "apiserver.config.k8s.io/v1beta1",
  kind: "AuthenticationConfiguration",
  anonymous: {
    enabled: true,
    conditions: ["/livez", "/readyz", "/healthz", "/api/v1/namespaces/kube-public/configmaps/cluster-info"].map(
      (path) => ({ path }),
    ),
  },
};

export const apiserverConfig = ({ cluster }: Parts): Manifest =>
  config(cluster, "apiserver-config", {
    "audit.yaml": stringify(auditPolicy),
    "authentication.yaml": stringify(authentication),
  });

/** The flags of kube-apiserver; the bench starts its bare one with the same ones. */
export function apiserverFlags(options: {
  files: string;
  config: string;
  etcdURL: string;
  issuer: string;
  serviceCIDRs: string[];
}): string[] {
  const { files } = options;
  return flags({
    "secure-port": 6443,
    "bind-address": "0.0.0.0",
    "tls-cert-file": `${files}/tls.crt`,
    "tls-private-key-file": `${files}/tls.key`,
    "tls-min-version": "VersionTLS12",
    "client-ca-file": `${files}/ca.crt`,
    "etcd-servers": options.etcdURL,
    "etcd-cafile": `${files}/etcd-ca.crt`,
    "etcd-certfile": `${files}/etcd.crt`,
    "etcd-keyfile": `${files}/etcd.key`,
    "kubelet-client-certificate": `${files}/kubelet.crt`,
    "kubelet-client-key": `${files}/kubelet.key`,
    "kubelet-certificate-authority": `${files}/ca.crt`,
    "kubelet-preferred-address-types": ["InternalIP", "Hostname", "ExternalIP"],
    "service-account-issuer": options.issuer,
    "service-account-key-file": `${files}/sa.pub`,
    "service-account-signing-key-file": `${files}/sa.key`,
    "requestheader-client-ca-file": `${files}/front-ca.crt`,
    "requestheader-allowed-names": "front-proxy-client",
    "requestheader-extra-headers-prefix": "X-Remote-Extra-",
    "requestheader-group-headers": "X-Remote-Group",
    "requestheader-username-headers": "X-Remote-User",
    "proxy-client-cert-file": `${files}/front.crt`,
    "proxy-client-key-file": `${files}/front.key`,
    "enable-aggregator-routing": true,
    "authorization-mode": ["Node", "RBAC"],
    // An external IP on a Service takes others' traffic, in whatever project they are (CVE-2020-8554).
    "enable-admission-plugins": ["NodeRestriction", "DenyServiceExternalIPs"],
    "enable-bootstrap-token-auth": true,
    "authentication-config": `${options.config}/authentication.yaml`,
    "encryption-provider-config": `${files}/encryption.yaml`,
    "audit-policy-file": `${options.config}/audit.yaml`,
    "audit-log-path": "-",
    "service-cluster-ip-range": options.serviceCIDRs,
    "endpoint-reconciler-type": "none",
    "shutdown-delay-duration": "5s",
    // Told to end, it tells its watches so; otherwise it would wait a minute for whoever watches, and ears always do.
    "shutdown-watch-termination-grace-period": "2s",
    "min-request-timeout": 300,
    profiling: false,
  });
}

export function apiserver(parts: Signed): Manifest {
  const { cluster, host } = parts;
  const probe = (path: string, periodSeconds: number, failureThreshold: number) => ({
    httpGet: { path, port: 6443, scheme: "HTTPS" },
    periodSeconds,
    failureThreshold,
    timeoutSeconds: 10,
  });
  return deployment({
    cluster,
    component: "kube-apiserver",
    image: `${host.imagePrefix}/kube-apiserver:v${cluster.spec.version}`,
    command: [
      "kube-apiserver",
      ...apiserverFlags({
        files: "/etc/berth/apiserver",
        config: "/etc/berth/apiserver-config",
        etcdURL: `https://${parts.addresses.etcd}:2379`,
        issuer: parts.issuer,
        serviceCIDRs: cluster.spec.serviceCIDRs,
      }),
    ],
    ports: { https: 6443 },
    mounted: [apiserverSecret(parts), apiserverConfig(parts)],
    cpu: "20m",
    memory: "200Mi",
    graceSeconds: 75,
    container: {
      startupProbe: probe("/livez?exclude=etcd", 2, 150),
      livenessProbe: probe("/livez?exclude=etcd", 10, 8),
      readinessProbe: probe("/readyz", 2, 3),
    },
  });
}
