import * as z from "zod";
import * as Audit from "../audit/index.ts";
import { type Change, type Context, type Kind, Refused } from "../context.ts";
import { Fault, missing } from "../error.ts";
import { type ID, idOf } from "../id.ts";
import * as Outbox from "../outbox/index.ts";
import * as Quota from "../quota/index.ts";
import { leave } from "./home.ts";
import { keyKind, keyNames } from "./keys.ts";
import { type Cluster, clusterKind, type Receipt, receiptKind, type View } from "./schema.ts";

/** Holds a name once per tenant, for as long as its cluster is there. */
export const nameKind: Kind<{ id: ID<"cluster"> }> = {
  name: "clusterName",
  schema: z.object({ id: idOf("cluster") }),
};

/** Row, name, audit entry, seat and quota: all or nothing. @throws Fault `conflict` for a taken name; `limit`. */
export async function insert(
  ctx: Context,
  cluster: Cluster,
  seat: Change,
  also: Change[],
): Promise<"kept" | "seat taken"> {
  try {
    await Quota.taking(ctx, "clusters", [
      ctx.table.insert(nameKind, cluster.name, { id: cluster.id }),
      seat,
      ctx.table.insert(clusterKind, cluster.id, cluster),
      Audit.entry(ctx, { verb: "cluster:create", target: cluster.id }),
      ...also,
    ]);
    return "kept";
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.index === 1) return "seat taken";
    throw new Fault("conflict", `There is a cluster named ${cluster.name} already.`, {
      errors: [{ field: "name", message: "is taken" }],
      cause: error,
    });
  }
}

/** @throws Fault `missing`, also for what belongs to another tenant. */
export async function get(ctx: Context, id: ID<"cluster">): Promise<Cluster> {
  const cluster = await ctx.table.get(clusterKind, id);
  if (cluster === undefined) throw missing("cluster");
  return cluster;
}

/**
 * Ends a cluster: row, name, keys, seat and its place in the quota go, the receipt comes, in one transaction. Who keeps
 * something of it is told by the outbox.
 */
export async function finish(ctx: Context, cluster: Cluster, receipt: Receipt): Promise<void> {
  const { table } = ctx;
  const kept = await table.list(keyKind, { prefix: `${cluster.id}/`, limit: keyNames.length });
  await Quota.giving(ctx, "clusters", [
    table.remove(clusterKind, cluster.id, { epoch: cluster.epoch }),
    table.remove(nameKind, cluster.name, { id: cluster.id }),
    ...kept.items.map(({ id }) => table.remove(keyKind, id)),
    leave(ctx, cluster),
    table.insert(receiptKind, cluster.id, receipt),
    Audit.entry(ctx, { verb: "cluster:removed", target: cluster.id }),
    Outbox.note(ctx, [cluster.id]),
  ]);
}

/** The conditions in one word. */
export function phase(cluster: Cluster): View["status"]["phase"] {
  const is = (type: string): boolean =>
    cluster.status.conditions.some((condition) => condition.type === type && condition.status === "True");
  if (is("Parked")) return "Parked";
  if (cluster.deletedAt !== undefined) return "Deleting";
  if (is("Ready")) return "Ready";
  return cluster.status.born === true && is("BootstrapReady") ? "Degraded" : "Pending";
}

/** What a caller sees: all but what the engine and the reconciler keep for themselves. */
export function view(cluster: Cluster): View {
  const { id, name, createdAt, createdBy, generation, observedGeneration, spec, deletedAt } = cluster;
  const { conditions, endpoint, authority } = cluster.status;
  return {
    id,
    name,
    createdAt,
    createdBy,
    generation,
    observedGeneration,
    spec,
    ...(deletedAt === undefined ? {} : { deletedAt }),
    status: {
      phase: phase(cluster),
      conditions,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(authority === undefined ? {} : { authority }),
    },
  };
}
