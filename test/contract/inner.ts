// What lets an ear into a cluster: a role inside, and a Secret on the host that says how to come in.
import { earGroup, earMemberRules, earRules } from "#core/cluster/manifests/ear.ts";
import type { Kube, Manifest, Target } from "#core/context.ts";

const api = "rbac.authorization.k8s.io";

/** Lets the ear into a cluster that is the very same server as its host. */
export async function letIn(kube: Kube, inner: Target, hostNamespace: string): Promise<void> {
  const subjects = [{ apiGroup: api, kind: "Group", name: earGroup }];
  const make = (kind: string, namespace: string | undefined, rest: object): Promise<unknown> =>
    kube.create({
      apiVersion: `${api}/v1`,
      kind,
      metadata: { name: earGroup, ...(namespace && { namespace }) },
      ...rest,
    });
  const role = (kind: string) => ({ roleRef: { apiGroup: api, kind, name: earGroup }, subjects });
  await kube.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "berth-members" } });
  await make("ClusterRole", undefined, { rules: earRules });
  await make("ClusterRoleBinding", undefined, role("ClusterRole"));
  await make("Role", "berth-members", { rules: earMemberRules });
  await make("RoleBinding", "berth-members", role("Role"));
  if (!("key" in inner.user)) throw new Error("the ear has no certificate");
  const { certificate, key } = inner.user;
  const files = { server: inner.server, "server-name": "berth.test", "ca.crt": inner.authority };
  const data = Object.entries({ ...files, "tls.crt": certificate, "tls.key": key }).map(([name, text]) => [
    name,
    Buffer.from(text).toString("base64"),
  ]);
  const metadata = { name: "ear", namespace: hostNamespace };
  await kube.create({ apiVersion: "v1", kind: "Secret", metadata, data: Object.fromEntries(data) });
}

/** What Berth keeps inside of a cluster. */
const kept = (access: string, apiVersion: string, kind: string, name: string, namespace: string): Manifest => ({
  apiVersion,
  kind,
  metadata: {
    name,
    namespace,
    labels: { "app.kubernetes.io/managed-by": "berth", "berth.dev/access": access.replace("_", "-") },
  },
});
export const accountOf = (access: string, name: string): Manifest =>
  kept(access, "v1", "ServiceAccount", name, "berth-members");
export const bindingOf = (access: string, name: string): Manifest => ({
  ...kept(access, `${api}/v1`, "RoleBinding", name, "default"),
  roleRef: { apiGroup: api, kind: "ClusterRole", name: "view" },
});
