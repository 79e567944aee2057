import { kubeName } from "../id.ts";
import type { Plan } from "../settle.ts";
import type { Seen, Step } from "./step.ts";
import type { Cluster } from "./schema.ts";

/**
 * Removal is in two steps: the workloads with their Pods and volumes, then the namespace with all else. A namespace that
 * is deleted with Pods in it is looked at again only after half of their grace, and with a claim that a Pod still uses
 * after eight seconds. It is over when the host shows nothing of it.
 */
export function removal(cluster: Cluster, { objects }: Seen): Plan<Step> {
  const left = [...objects.keys()].filter((key) => !key.startsWith("Pod "));
  const inventory = cluster.status.inventory ?? left;
  const first = ["Deployment", "StatefulSet", "Pod", "PersistentVolumeClaim"];
  const running = [...objects.values()].filter(({ kind }) => first.includes(kind));
  const namespace = objects.get(`Namespace ${kubeName(cluster.id)}`);
  const next = running.length > 0 ? running.filter(({ kind }) => kind !== "Pod") : namespace ? [namespace] : [];
  // What was asked for once can't be taken back, so the version that we saw does not matter.
  const steps: Step[] = next
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map((found) => ({ do: "remove", found, any: true }));
  return {
    // What is there is kept before the first of it goes: afterwards nobody could tell any more.
    steps: objects.size === 0 ? [{ do: "finish" }] : cluster.status.inventory === undefined ? [{ do: "list" }] : steps,
    awaits: objects.size === 0 ? [] : [`${left.length} objects to end: ${left.slice(0, 5).join(", ")}`],
    conditions: [
      { type: "Ready", status: "False", reason: "Deleting", message: "The cluster is being removed." },
      {
        type: "Removed",
        status: "False",
        reason: "InProgress",
        message: `${left.length} of ${inventory.length} objects are left on the host.`,
      },
    ],
    status: { inventory },
  };
}
