// What a host shows of a cluster, in a few letters, so that the lap can tell at a glance whether it is as it was.
import { createHash } from "node:crypto";
import type { Found } from "../context.ts";

/** What Berth makes of a cluster on its host, by apiVersion and kind. */
export const hostKinds: [apiVersion: string, kind: string][] = [
  ["v1", "Namespace"],
  ["v1", "Service"],
  ["v1", "Secret"],
  ["v1", "ConfigMap"],
  ["v1", "PersistentVolumeClaim"],
  ["v1", "ResourceQuota"],
  ["apps/v1", "StatefulSet"],
  ["apps/v1", "Deployment"],
  ["networking.k8s.io/v1", "NetworkPolicy"],
  ["policy/v1", "PodDisruptionBudget"],
];

/** Kinds without a generation that nobody but us and intruders writes once a cluster stands. */
const versioned = new Set([
  "Secret",
  "ConfigMap",
  "Service",
  "PersistentVolumeClaim",
  "ServiceAccount",
  "LimitRange",
  "ClusterRole",
  "ClusterRoleBinding",
  "RoleBinding",
]);
/** Kinds without a generation whose status is written all the time, so that their version moves too. */
const counted = new Set(["Namespace", "ResourceQuota"]);

/**
 * A digest of one cluster's objects, on its host or inside of it: equal as long as nobody made, changed or removed one. Metadata is
 * enough for it, the order does not matter, and what controllers write into a status does not show. Pods don't count.
 */
export function sightOf(found: Iterable<Found>): string {
  const marks = [...found].filter(({ kind }) => kind !== "Pod").map(markOf);
  return createHash("sha256").update(marks.sort().join("\n")).digest("base64url").slice(0, 22);
}

function markOf({ kind, metadata }: Found): string {
  const { name, uid, resourceVersion, generation, deletionTimestamp } = metadata;
  const state = counted.has(kind) ? writersOf(metadata) : versioned.has(kind) ? resourceVersion : String(generation);
  return [kind, name, uid, state, deletionTimestamp === undefined ? "" : "ends"].join(" ");
}

/** Who wrote which fields when, without those who wrote a status. */
function writersOf({ managedFields }: Found["metadata"]): string {
  const entries = Array.isArray(managedFields) ? (managedFields as { subresource?: string }[]) : [];
  return JSON.stringify(entries.filter(({ subresource }) => subresource === undefined));
}
