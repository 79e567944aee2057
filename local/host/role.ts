// What Berth may do on the local host: what it may do on any, from the very file that operators apply.
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { type Api, apply } from "./api.ts";

/** The user that the role and its fence speak of. A certificate with this name is that ServiceAccount to the API server. */
export const berth = "system:serviceaccount:berth-host:berth";

const file = new URL("../../docs/host-role.yaml", import.meta.url);
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const admission = "/apis/admissionregistration.k8s.io/v1";
const places: Record<string, string> = {
  Namespace: "/api/v1/namespaces",
  ServiceAccount: "/api/v1/namespaces/berth-host/serviceaccounts",
  ClusterRole: `${rbac}/clusterroles`,
  ClusterRoleBinding: `${rbac}/clusterrolebindings`,
  ValidatingAdmissionPolicy: `${admission}/validatingadmissionpolicies`,
  ValidatingAdmissionPolicyBinding: `${admission}/validatingadmissionpolicybindings`,
};

interface Entry {
  kind: string;
  metadata: { name: string };
}

/** Applies role and fence, in the file's order. Its endless token is left out: the local Berth has a certificate. */
export async function grant(api: Api): Promise<void> {
  for (const document of parseAllDocuments(readFileSync(file, "utf8"))) {
    const entry = document.toJS() as Entry;
    if (entry.kind === "Secret") continue;
    const place = places[entry.kind];
    if (place === undefined) throw new Error(`docs/host-role.yaml holds a ${entry.kind}, which local can't apply`);
    await apply(api, `${place}/${entry.metadata.name}`, entry);
  }
}
