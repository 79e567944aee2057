import type { Manifest } from "../../context.ts";
import { endpoint, serverName } from "../keys.ts";
import { type Parts, type Signed, secret } from "./parts.ts";

/** The Secret of a cluster's namespace on its host that lets the host's ear listen inside; also in docs/host-watch.yaml. */
export const earSecretName = "ear";

/** How to reach the cluster, and a certificate that lists and watches what Berth keeps there, and nothing else. */
export const earSecret = (
  { cluster }: Pick<Parts, "cluster">,
  { authorities, leaves: { ear } }: Pick<Signed, "authorities" | "leaves">,
): Manifest[] =>
  ear === undefined
    ? []
    : [
        secret(cluster, earSecretName, {
          // Its outside address: on a host whose home is elsewhere in the network, no other is sure to lead there.
          server: endpoint(cluster),
          "server-name": serverName(cluster),
          "ca.crt": authorities.cluster.certificate,
          "tls.crt": ear.certificate,
          "tls.key": ear.key,
        }),
      ];

/** The group that its certificate speaks for. */
export const earGroup = "berth:ear";

const watching = (apiGroups: string[], resources: string[]): object => ({
  apiGroups,
  resources,
  verbs: ["list", "watch"],
});
const rbac = "rbac.authorization.k8s.io";

/** What an ear may hear of a whole cluster: rights, and what projects are made of. No Secret, and no account elsewhere. */
export const earRules: object[] = [
  watching([""], ["namespaces", "resourcequotas", "limitranges"]),
  watching(["networking.k8s.io"], ["networkpolicies"]),
  watching([rbac], ["roles", "rolebindings", "clusterroles", "clusterrolebindings"]),
];
/** And of the namespace of members' accounts. */
export const earMemberRules: object[] = [watching([""], ["serviceaccounts"])];
