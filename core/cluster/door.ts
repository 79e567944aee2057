import type { Context, Target, Work } from "../context.ts";
import { Fault, missing } from "../error.ts";
import type { ID } from "../id.ts";
import type { Page, PageInput } from "../page.ts";
import { endpoint, endpointTarget, keyID, keyKind, openSealed, serverName } from "./keys.ts";
import { membersNamespace } from "./manifests/inside.ts";
import { clusterKind } from "./schema.ts";

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
  // Both in one call: who asks for a credential waits for it.
  const [cluster, sealed] = await ctx.table.getAll([
    [clusterKind, id],
    [keyKind, keyID(id, "access")],
  ] as const);
  if (cluster === undefined) throw missing("cluster");
  if (cluster.deletedAt !== undefined) throw new Fault("conflict", "The cluster is being removed.");
  const { authority } = cluster.status;
  if (authority === undefined || sealed === undefined) {
    throw new Fault("unavailable", "The cluster is being made.", { retryAfterSeconds: 2 });
  }
  const credential = await openSealed(ctx, cluster, "access", sealed);
  return {
    name: cluster.name,
    target: endpointTarget(cluster, authority, credential.value),
    namespace: membersNamespace,
    server: endpoint(cluster),
    authority,
    serverName: serverName(cluster),
  };
}

/** Where a cluster answers, as anyone may know who may come in. */
export interface Way {
  cluster: ID<"cluster">;
  name: string;
  server: string;
  authority: string;
  serverName: string;
}

/** Of each of the tenant's clusters, oldest first; undefined for one that is being made or removed. */
export async function ways({ table }: Pick<Context, "table">, page: PageInput): Promise<Page<Way | undefined>> {
  const { items, next } = await table.list(clusterKind, page);
  const wayOf = (cluster: (typeof items)[number]): Way | undefined => {
    const { id, name, deletedAt, status } = cluster;
    if (deletedAt !== undefined || status.authority === undefined) return undefined;
    const { authority } = status;
    return { cluster: id, name, server: endpoint(cluster), authority, serverName: serverName(cluster) };
  };
  return { items: items.map(wayOf), next };
}
