import * as Cluster from "../cluster/index.ts";
import type { Context } from "../context.ts";
import type { ID } from "../id.ts";
import type * as Project from "../project/index.ts";
import { accessKind, accessOf } from "./schema.ts";
import { readAll } from "./spread.ts";

type Row = Pick<Project.Project, "id" | "places">;
/** What is known of each cluster of each project, by their ids. */
export type States = Map<ID<"project">, Map<ID<"cluster">, Project.Known>>;

/** How these projects are on their clusters, as those were last seen. A cluster that is gone is not in it. */
export async function stateOf(ctx: Pick<Context, "table">, projects: readonly Row[]): Promise<States> {
  const ids = [...new Set(projects.flatMap(({ places }) => places.map(({ cluster }) => cluster)))];
  const [clusters, rows] = await Promise.all([Cluster.all(ctx, ids), readAll(ctx, ids)]);
  const byCluster = new Map(rows.map((row) => [row.cluster, row]));
  const known = (project: ID<"project">, cluster: ID<"cluster">): [ID<"cluster">, Project.Known][] => {
    const [named, row] = [clusters.get(cluster), byCluster.get(cluster)];
    if (named === undefined) return [];
    const ready = row?.status.conditions.find(({ type }) => type === "Ready");
    const seen = row?.status.projects[project];
    const unreachable = ready?.reason === "Unreachable" ? { unreachable: ready.message } : {};
    return [[cluster, { name: named.name, ...unreachable, ...(seen !== undefined && { seen }) }]];
  };
  return new Map(projects.map(({ id, places }) => [id, new Map(places.flatMap(({ cluster }) => known(id, cluster)))]));
}

/** Whether a project was seen ready on a cluster, at its generation. */
export async function isReady(
  ctx: Pick<Context, "table">,
  { id, generation }: Pick<Project.Project, "id" | "generation">,
  cluster: ID<"cluster">,
): Promise<boolean> {
  const seen = (await ctx.table.get(accessKind, accessOf(cluster)))?.status.projects[id];
  return seen?.state === "Ready" && seen.generation === generation;
}
