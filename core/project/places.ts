import { within } from "../allow.ts";
import type { Context } from "../context.ts";
import { Fault, type FieldFault } from "../error.ts";
import type { ID } from "../id.ts";
import * as Member from "../member/index.ts";
import { known } from "./clusters.ts";
import { type Opening, type Place, type Project, projectKind } from "./schema.ts";

/**
 * Clusters that are to carry a namespace, by id.
 * @param at the field that names the one at this index.
 * @throws Fault `missing` for what is no cluster of the tenant; `conflict` for one that is being removed; `forbidden`
 * for one that the caller's token is not bound to: with the field of each.
 */
export async function checkClusters(
  ctx: Context,
  clusters: readonly ID<"cluster">[],
  at: (index: number) => string,
  project?: ID<"project">,
): Promise<Awaited<ReturnType<typeof known>>> {
  const rows = await known(ctx, clusters);
  const faults = (wrong: (id: ID<"cluster">) => boolean, message: string): FieldFault[] =>
    clusters.flatMap((id, index) => (wrong(id) ? [{ field: at(index), message }] : []));
  // Who may not reach it is not told whether it is there.
  const strange = faults((id) => !within(ctx, { cluster: id, ...(project && { project }) }), "is not your token's");
  if (strange.length > 0) throw new Fault("forbidden", "This token is bound to other clusters.", { errors: strange });
  const absent = faults((id) => !rows.has(id), "is no cluster of yours");
  if (absent.length > 0) throw new Fault("missing", "There is no such cluster.", { errors: absent });
  const going = faults((id) => rows.get(id)?.deletedAt !== undefined, "is being removed");
  if (going.length > 0) throw new Fault("conflict", "The cluster is being removed.", { errors: going });
  return rows;
}

/** @throws Fault `missing` for an opening whose peer is no project of the tenant, with its field. */
export async function checkPeers(ctx: Context, openings: readonly Opening[]): Promise<void> {
  const peers = openings.map(({ peer }) => ("project" in peer ? peer.project : undefined));
  const wanted = [...new Set(peers.filter((id) => id !== undefined))];
  if (wanted.length === 0) return;
  const rows = await ctx.table.getAll(wanted.map((id) => [projectKind, id] as const));
  const there = new Set(wanted.filter((_, index) => rows[index] !== undefined));
  const errors = peers.flatMap((id, index) =>
    id === undefined || there.has(id)
      ? []
      : [{ field: `network.openings.${index}.peer.project`, message: "is no project of yours" }],
  );
  if (errors.length > 0) throw new Fault("missing", "There is no such project.", { errors });
}

/** @throws Fault `invalid` when it is not the project's name. */
export function confirmed({ name }: Pick<Project, "name">, confirm: string | undefined, why: string): void {
  if (confirm === name) return;
  throw new Fault("invalid", "The name does not match.", {
    errors: [{ field: "confirm", message: `must be the project's name, ${name}: ${why}` }],
  });
}

/** @throws Fault `conflict` while it is protected. */
export function unprotected({ deletionProtection }: Project["spec"]): void {
  if (!deletionProtection) return;
  throw new Fault("conflict", "The project is protected; take deletionProtection away first.", {
    errors: [{ field: "deletionProtection", message: "must be false before a namespace of it can go" }],
  });
}

/**
 * A privileged Pod is root on its machine, and so everybody whose Pods are there: an owner's word alone opens that, on
 * each further cluster too.
 * @throws Fault `forbidden`.
 */
export function guarded(ctx: Context, podSecurity: Project["spec"]["podSecurity"]): void {
  if (podSecurity !== "privileged" || Member.leads(ctx.actor.role)) return;
  throw new Fault("forbidden", "Only an owner lets a project run privileged Pods.", {
    errors: [{ field: "podSecurity", message: "privileged is an owner's to set" }],
  });
}

/**
 * The places that are to be: those that are named stay or come, and those that are not leave. Naming a place that was
 * to move ends its move.
 * @returns the places, and the clusters that are new, leave or get another weight.
 * @throws Fault `conflict` for one that is leaving and named again.
 */
export function arrange(
  before: readonly Place[],
  named: readonly { cluster: ID<"cluster">; weight?: number | undefined }[],
  now: string,
): { places: Place[]; fresh: ID<"cluster">[]; dropped: ID<"cluster">[]; touched: ID<"cluster">[] } {
  const old = new Map(before.map((place) => [place.cluster, place]));
  const errors = named.flatMap(({ cluster }, index) =>
    old.get(cluster)?.leavingAt === undefined
      ? []
      : [{ field: `places.${index}.cluster`, message: "is being left; add it again when its namespace is gone" }],
  );
  if (errors.length > 0) throw new Fault("conflict", "A namespace of the project is still going there.", { errors });
  const wanted = new Set(named.map(({ cluster }) => cluster));
  const stay = named.map(({ cluster, weight }): Place => {
    const { movingTo: _, ...place } = old.get(cluster) ?? { cluster, weight: 1 };
    return { ...place, weight: weight ?? place.weight };
  });
  const leave = before
    .filter(({ cluster }) => !wanted.has(cluster))
    .map(({ movingTo: _, ...place }): Place => ({ ...place, leavingAt: place.leavingAt ?? now }));
  const dropped = leave.filter(({ cluster }) => old.get(cluster)?.leavingAt === undefined);
  const fresh = stay.filter(({ cluster }) => !old.has(cluster));
  const moved = stay.filter(({ cluster, weight }) => old.has(cluster) && old.get(cluster)?.weight !== weight);
  const ids = (list: Place[]) => list.map(({ cluster }) => cluster);
  return {
    places: [...stay, ...leave],
    fresh: ids(fresh),
    dropped: ids(dropped),
    touched: ids([...fresh, ...dropped, ...moved]),
  };
}
