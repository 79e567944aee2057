// The lap: one host compared with what the rows last saw of it, by metadata alone and without a write.
import * as Audit from "../audit/index.ts";
import { type Context, type Found, type Home, type Kube, Newer, ours, type Place } from "../context.ts";
import { type ID, idNamed, kubeName } from "../id.ts";
import { limitMax, pages } from "../page.ts";
import { hostKinds, sightOf } from "./digest.ts";
import { type Cluster, clusterKind, receiptKind } from "./schema.ts";

/** A namespace of a cluster that was ended for good, as its receipt says, and that is there all the same. */
export interface Remains {
  tenant: ID<"tenant">;
  id: ID<"cluster">;
  namespace: Found;
}

/** What one lap found on one host. */
export interface Survey {
  /** How many clusters the host carries by the rows. */
  carried: number;
  /** Clusters that are not as their rows last saw them. */
  differing: Place[];
  remains: Remains[];
  /** Names of namespaces that say they are ours and of which the table knows nothing. They are never touched. */
  strangers: string[];
}

/** Lists each kind that Berth makes once over the whole host. @throws KubeFault when a list does not come. */
export async function survey(home: Home, kube: Kube, host: ID<"host">): Promise<Survey> {
  const [carried, ...lists] = await Promise.all([
    allCarried(home, host),
    ...hostKinds.map(([apiVersion, kind]) => kube.list({ apiVersion, kind, labels: ours, metadata: true })),
  ]);
  const found = Map.groupBy(
    lists.flatMap(({ items }) => items).filter(isInPlace),
    ({ metadata }) => metadata.labels?.["berth.dev/cluster"] ?? "",
  );
  const survey: Survey = { carried: carried.size, differing: [], remains: [], strangers: [] };
  const others = [...carried].filter(([name, { sight }]) => sightOf(found.get(name) ?? []) !== sight);
  // What waits for a person would be found to differ in every lap, and nobody would do anything about it.
  survey.differing = await those(
    home,
    others.map(([, { tenant, id }]) => ({ tenant, id })),
    (row) => row.parkedAt === undefined,
  );
  const unknown = [...found.values()]
    .map((objects) => objects.find(({ kind }) => kind === "Namespace"))
    .filter((namespace) => namespace !== undefined && !carried.has(namespace.metadata.name));
  for (const namespace of unknown) if (namespace !== undefined) await judge(home, namespace, survey);
  return survey;
}

/** Where an object of ours stands; a copy that somebody made elsewhere, labels and all, is none of the cluster. */
function isInPlace({ kind, metadata: { name, namespace, labels } }: Found): boolean {
  return (kind === "Namespace" ? name : namespace) === labels?.["berth.dev/cluster"];
}

/** By the names that they have on the host. */
async function allCarried(home: Home, host: ID<"host">): Promise<Map<string, Place & { sight?: string }>> {
  const carried = new Map<string, Place & { sight?: string }>();
  for await (const places of pages((page) => home.carried(host, page)))
    for (const place of places) carried.set(kubeName(place.id), place);
  return carried;
}

/**
 * The clusters of a host that has fallen silent and whose rows say that they are ready all the same: they were settled,
 * and the poke that the sweep sent them when it fell silent was lost.
 */
export async function unaware(home: Home, host: ID<"host">): Promise<Place[]> {
  const places = [...(await allCarried(home, host)).values()].map(({ tenant, id }) => ({ tenant, id }));
  const isReady = ({ status, deletedAt }: Cluster): boolean =>
    deletedAt === undefined && status.conditions.some((each) => each.type === "Ready" && each.status === "True");
  return await those(home, places, isReady);
}

/** Those whose rows are such. What is gone by now, or a newer release's, is left out. */
async function those(home: Home, places: Place[], such: (row: Cluster) => boolean): Promise<Place[]> {
  const kept: Place[] = [];
  for (let at = 0; at < places.length; at += limitMax) {
    const rows = await Promise.all(
      places.slice(at, at + limitMax).map(async (place) => ({ place, row: await known(home, place) })),
    );
    kept.push(...rows.flatMap(({ place, row }) => (row !== undefined && such(row) ? [place] : [])));
  }
  return kept;
}

async function known(home: Home, { tenant, id }: Place): Promise<Cluster | undefined> {
  try {
    return await home.table(tenant).get(clusterKind, id);
  } catch (error) {
    if (error instanceof Newer) return undefined;
    throw error;
  }
}

/** A namespace that the index does not know: the index is behind, or the cluster was ended, or we can't tell. */
async function judge(home: Home, namespace: Found, survey: Survey): Promise<void> {
  const { name, labels, deletionTimestamp } = namespace.metadata;
  const [id, tenant] = [idNamed("cluster", name), idNamed("tenant", labels?.["berth.dev/tenant"])];
  if (id === undefined || tenant === undefined) {
    survey.strangers.push(name);
    return;
  }
  try {
    // Consistent: what the index has not heard of yet must not be taken for what is gone.
    const [row, receipt] = await home.table(tenant).getAll([
      [clusterKind, id],
      [receiptKind, id],
    ]);
    if (row !== undefined) {
      if (row.parkedAt === undefined) survey.differing.push({ tenant, id });
    } else if (receipt === undefined) survey.strangers.push(name);
    else if (deletionTimestamp === undefined) survey.remains.push({ tenant, id, namespace });
  } catch (error) {
    // A newer release knows this cluster, and looks after it.
    if (!(error instanceof Newer)) throw error;
  }
}

/**
 * Deletes the namespace of a cluster that was ended for good: exactly the one that was seen, as it was seen.
 * @param ctx Berth's own view of the tenant; its audit says what was done before it is done.
 * @throws KubeFault `conflict` when somebody changed it since: the next lap looks again.
 */
export async function clear(ctx: Context, kube: Kube, { id, namespace }: Remains): Promise<void> {
  await ctx.table.write(Audit.entry(ctx, { verb: "cluster:clear", target: id }));
  const { name, uid, resourceVersion } = namespace.metadata;
  await kube.remove({ apiVersion: "v1", kind: "Namespace", name }, { uid, resourceVersion });
}
