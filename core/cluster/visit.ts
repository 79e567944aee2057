// The slow round's look into one cluster: read-only, and in few calls.
import type { Found, Manifest, Work } from "../context.ts";
import type { ID } from "../id.ts";
import { altered, drift, keyOf } from "../kube/index.ts";
import { adminTarget, keyID, keyKind, openSealed } from "./keys.ts";
import { inside } from "./manifests/inside.ts";
import { labelsOf } from "./manifests/parts.ts";
import { clusterKind } from "./schema.ts";
import { insideKinds } from "./sight.ts";

/** After so many rounds everything inside was looked at once. */
export const turns = 3;
/** What is looked at in each turn. */
const kindsOf = (turn: number): [apiVersion: string, kind: string][] => {
  const groups = [["Namespace", "ConfigMap", "EndpointSlice"], owned, ["Role", "RoleBinding", "ClusterRole"]];
  const group = groups[((turn % turns) + turns) % turns] ?? owned;
  return insideKinds.filter(([, kind]) => group.includes(kind));
};
const owned = ["ServiceAccount", "ClusterRoleBinding"];
/** Of these one of ours is taken away when nobody is owed it any more. */
const rights = new Set(["ServiceAccount", "ClusterRoleBinding", "RoleBinding", "Role", "ClusterRole"]);
const readyMs = 2_000;

/**
 * Looks into one cluster: whether it answers and whether a third of what ought to be inside is there as it ought to be.
 * At most 6 calls, all told: its row with its key, the key's opening, /readyz, three lists.
 * A row that somebody works on, or that waits for its time or for a person, is left to them.
 * @param turn which third; any whole number.
 * @returns what differs, in words for the log; nothing when all is well.
 * @throws KubeFault when a list does not come.
 */
export async function visit(work: Work, id: ID<"cluster">, turn: number): Promise<string | undefined> {
  const [cluster, sealed] = await work.table.getAll([
    [clusterKind, id],
    [keyKind, keyID(id, "authorities")],
  ]);
  if (cluster === undefined || sealed === undefined || cluster.deletedAt !== undefined) return undefined;
  const { addresses, conditions } = cluster.status;
  const settled = cluster.observedGeneration === cluster.generation && cluster.failures === 0;
  const well = conditions.some(({ type, status }) => type === "Ready" && status === "True");
  if (!settled || !well || cluster.holder !== undefined || addresses === undefined) return undefined;
  const authorities = (await openSealed(work, cluster, "authorities", sealed)).value;
  const kube = work.kube(await adminTarget(work, cluster, authorities));
  if (!(await kube.ready(readyMs))) return "it is not ready";
  const kinds = kindsOf(turn);
  const lists = await Promise.all(
    kinds.map(([apiVersion, kind]) => kube.list({ apiVersion, kind, labels: labelsOf(cluster) })),
  );
  const wanted = inside({ cluster, authorities, addresses }).filter((manifest) =>
    kinds.some(([, kind]) => kind === manifest.kind),
  );
  return difference(
    wanted,
    lists.flatMap(({ items }) => items),
  );
}

/** The first object that is missing, other than wanted, or owed to nobody: by what the plan itself goes by. */
function difference(wanted: Manifest[], found: Found[]): string | undefined {
  const objects = new Map(found.map((one) => [keyOf(one, "inside"), one]));
  const [lacking] = drift(wanted, objects, "inside");
  if (lacking !== undefined) {
    return `${keyOf(lacking.manifest, "inside")} is ${lacking.found === undefined ? "missing" : "another"}`;
  }
  const owed = new Set(wanted.map((manifest) => keyOf(manifest, "inside")));
  const extra = found.find((one) => rights.has(one.kind) && !owed.has(keyOf(one, "inside")));
  const [other] = altered(wanted, objects, "inside");
  if (other !== undefined) return `${keyOf(other, "inside")} is another`;
  return extra && extra.metadata.deletionTimestamp === undefined
    ? `${keyOf(extra, "inside")} is owed to nobody`
    : undefined;
}
