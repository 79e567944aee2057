import type { Target, Work } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import { endpoint, endpointTarget, openKey, serverName } from "./keys.ts";
import { membersNamespace } from "./manifests/inside.ts";
import * as store from "./store.ts";

/** How the access function enters a cluster, and what a kubeconfig of it says. */
export interface Door {
  name: string;
  /** With a credential that reaches accounts and sessions in `namespace`, and nothing else. */
  target: Target;
  namespace: string;
  server: string;
  authority: string;
  serverName: string;
}

/** @throws Fault `missing`; `unavailable` while the cluster is being made; `conflict` while it is being removed. */
export async function accessTarget(ctx: Work, id: ID<"cluster">): Promise<Door> {
  const cluster = await store.get(ctx, id);
  if (cluster.deletedAt !== undefined) throw new Fault("conflict", "The cluster is being removed.");
  const { authority } = cluster.status;
  const credential = await openKey(ctx, cluster, "access");
  if (authority === undefined || credential === undefined) {
    throw new Fault("unavailable", "The cluster is being made.", { retryAfterSeconds: 2 });
  }
  return {
    name: cluster.name,
    target: endpointTarget(cluster, authority, credential.value),
    namespace: membersNamespace,
    server: endpoint(cluster),
    authority,
    serverName: serverName(cluster),
  };
}
