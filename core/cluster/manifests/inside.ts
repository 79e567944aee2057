import { stringify } from "yaml";
import type { Manifest } from "../../context.ts";
import { endpoint, serverName } from "../keys.ts";
import { dnsAddress } from "../ranges.ts";
import { earGroup, earMemberRules, earRules } from "./ear.ts";
import { labelsOf, type Signed } from "./parts.ts";

/** All accounts that stand for members live in this one namespace of each cluster. */
export const membersNamespace = "berth-members";
const bootstrappers = "system:bootstrappers:kubeadm:default-node-token";

const rbac = "rbac.authorization.k8s.io/v1";
const group = (name: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name });
const user = (name: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "User", name });

/** What a new cluster needs to have inside, so that people and machines can come in (KUBERNETES B.5). */
export function inside(parts: Pick<Signed, "cluster" | "authorities" | "addresses">): Manifest[] {
  const { cluster, authorities } = parts;
  const labels = labelsOf(cluster);
  const object = (
    apiVersion: string,
    kind: string,
    name: string,
    namespace: string | undefined,
    rest: object,
  ): Manifest => ({
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels },
    ...rest,
  });
  const bind = (name: string, role: string, subjects: object[]): Manifest =>
    object(rbac, "ClusterRoleBinding", name, undefined, {
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects,
    });
  const permit = (name: string, namespace: string, rules: object[], subjects: object[]): Manifest[] => [
    object(rbac, "Role", name, namespace, { rules }),
    object(rbac, "RoleBinding", name, namespace, {
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
      subjects,
    }),
  ];
  const reading = (name: string): object => ({
    apiGroups: [""],
    resources: ["configmaps"],
    resourceNames: [name],
    verbs: ["get"],
  });
  const config = (name: string, namespace: string, files: Record<string, unknown>): Manifest =>
    object("v1", "ConfigMap", name, namespace, {
      data: Object.fromEntries(
        Object.entries(files).map(([file, body]) => [file, typeof body === "string" ? body : stringify(body)]),
      ),
    });
  const joiners = [group(bootstrappers), group("system:nodes")];
  // Anyone may read this one: where the cluster is and how it proves itself. It names no user.
  const discovery = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "",
        cluster: {
          server: endpoint(cluster),
          "tls-server-name": serverName(cluster),
          "certificate-authority-data": Buffer.from(authorities.cluster.certificate).toString("base64"),
        },
      },
    ],
  };
  return [
    object("v1", "Namespace", membersNamespace, undefined, {}),
    // Pods reach the API by its outside address: no other is the same on the host and on every machine.
    object("discovery.k8s.io/v1", "EndpointSlice", "kubernetes", "default", {
      addressType: cluster.placement.address.includes(":") ? "IPv6" : "IPv4",
      endpoints: [{ addresses: [cluster.placement.address], conditions: { ready: true } }],
      ports: [{ name: "https", port: cluster.placement.port, protocol: "TCP" }],
    }),
    bind("berth:cluster-admins", "cluster-admin", [group("kubeadm:cluster-admins")]),
    bind("berth:apiserver-kubelet-client", "system:kubelet-api-admin", [user("kube-apiserver-kubelet-client")]),
    bind("berth:node-bootstrapper", "system:node-bootstrapper", [group(bootstrappers)]),
    // Only renewals approve themselves. A first certificate is Berth's to approve: a bootstrap token could name any node.
    bind("berth:node-certificate-rotation", "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", [
      group("system:nodes"),
    ]),
    object(rbac, "ClusterRole", "berth:get-nodes", undefined, {
      rules: [{ apiGroups: [""], resources: ["nodes"], verbs: ["get"] }],
    }),
    bind("berth:get-nodes", "berth:get-nodes", [group(bootstrappers)]),
    config("cluster-info", "kube-public", { kubeconfig: discovery }),
    ...permit("berth:cluster-info", "kube-public", [reading("cluster-info")], [user("system:anonymous")]),
    config("kubeadm-config", "kube-system", {
      ClusterConfiguration: {
        apiVersion: "kubeadm.k8s.io/v1beta4",
        kind: "ClusterConfiguration",
        kubernetesVersion: `v${cluster.spec.version}`,
        controlPlaneEndpoint: endpoint(cluster).replace("https://", ""),
        // Named, so that a joining machine never tries to manage it.
        etcd: {
          external: { endpoints: [`https://${parts.addresses.etcd}:2379`], caFile: "", certFile: "", keyFile: "" },
        },
        networking: {
          dnsDomain: "cluster.local",
          podSubnet: cluster.spec.podCIDRs.join(","),
          serviceSubnet: cluster.spec.serviceCIDRs.join(","),
        },
      },
    }),
    ...permit("berth:kubeadm-config", "kube-system", [reading("kubeadm-config")], joiners),
    config("kubelet-config", "kube-system", {
      kubelet: {
        apiVersion: "kubelet.config.k8s.io/v1beta1",
        kind: "KubeletConfiguration",
        authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
        authorization: { mode: "Webhook" },
        clusterDNS: cluster.spec.serviceCIDRs.map(dnsAddress),
        clusterDomain: "cluster.local",
        rotateCertificates: true,
        serverTLSBootstrap: true,
      },
    }),
    ...permit("berth:kubelet-config", "kube-system", [reading("kubelet-config")], joiners),
    // The access function mints tokens of members, each bound to a Secret whose end is the token's end; no more.
    ...permit(
      "berth:access",
      membersNamespace,
      [
        { apiGroups: [""], resources: ["serviceaccounts"], verbs: ["get"] },
        { apiGroups: [""], resources: ["serviceaccounts/token"], verbs: ["create"] },
        // A create is an apply on a version that never was, for which both create and patch are asked.
        { apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "create", "patch", "delete"] },
      ],
      [group("berth:access")],
    ),
    object(rbac, "ClusterRole", earGroup, undefined, { rules: earRules }),
    bind(earGroup, earGroup, [group(earGroup)]),
    ...permit(earGroup, membersNamespace, earMemberRules, [group(earGroup)]),
  ];
}
