// What of a change on a host is worth a poke. Pure, and by metadata alone but for readiness.
import type { Found } from "#core/context.ts";

/** What is kept of an object between two changes. */
export interface Noted {
  uid: string;
  ending: boolean;
  /** Who else wrote it, each with the time of its last write. */
  hands: string[];
  /** When Berth wrote it, and the paths of the fields that are still Berth's, a line each. */
  ours: { times: string; fields: string };
  /** As many of its Pods are ready as it asks for; undefined for what has no Pods. */
  ready: boolean | undefined;
}

interface Entry {
  manager?: string;
  operation?: string;
  time?: string;
  subresource?: string;
  fieldsV1?: unknown;
}

/** Kubernetes' own, which write into what is ours all day as is their work. */
const routine = new Set(["kube-controller-manager", "kube-scheduler", "kubelet", "cloud-controller-manager"]);
const isOurs = (manager: string): boolean => manager === "berth" || manager.startsWith("berth-");

export function note(object: Found): Noted {
  const { uid, deletionTimestamp } = object.metadata;
  const entries = ((object.metadata["managedFields"] ?? []) as Entry[]).filter(
    ({ subresource }) => subresource === undefined || subresource === "",
  );
  const [mine, others] = [true, false].map((ours) => entries.filter(({ manager = "" }) => isOurs(manager) === ours));
  const fields = (mine ?? []).flatMap(({ fieldsV1 }) => leaves(fieldsV1));
  return {
    uid,
    ending: deletionTimestamp !== undefined,
    hands: (others ?? [])
      .filter(({ manager = "" }) => !routine.has(manager))
      .map(({ manager, operation, time }) => [manager, operation, time].join(" ")),
    ours: { times: (mine ?? []).map(({ time }) => time).join(" "), fields: fields.join("\n") },
    ready: readiness(object),
  };
}

/** The paths of what a set of fields ends in. */
function leaves(fields: unknown, path = ""): string[] {
  const inner = Object.entries((fields ?? {}) as Record<string, unknown>);
  return inner.length === 0 ? [path] : inner.flatMap(([name, value]) => leaves(value, `${path}/${name}`));
}

function lost({ ours: { fields: before } }: Noted, { ours: { fields: now } }: Noted): boolean {
  if (before === now) return false;
  const left = new Set(now.split("\n"));
  return before.split("\n").some((path) => !left.has(path));
}

function readiness({ kind, ...object }: Found): boolean | undefined {
  if (kind !== "Deployment" && kind !== "StatefulSet") return undefined;
  const { replicas = 1 } = (object["spec"] ?? {}) as { replicas?: number };
  const { readyReplicas = 0 } = (object["status"] ?? {}) as { readyReplicas?: number };
  return readyReplicas >= replicas;
}

/**
 * Why an object that was `before` and is `now` is worth a poke; undefined when it is not. What Berth makes, changes and
 * makes anew is not, nor is what Kubernetes' controllers do; an object that goes always is, whoever removed it.
 */
export function worth(before: Noted | undefined, now: Noted | undefined): string | undefined {
  if (now === undefined) return "it was deleted";
  const other = before?.uid === now.uid ? before : undefined;
  if (now.ending) return other?.ending === true ? undefined : "it is being deleted";
  const hand = now.hands.find((each) => other?.hands.includes(each) !== true);
  if (hand !== undefined) return `it was changed by ${hand.split(" ")[0] ?? ""}`;
  // Who only takes a field away leaves no name: what was ours shrinks, and no write of ours is newer.
  if (other !== undefined && other.ours.times === now.ours.times && lost(other, now))
    return "what we set was taken away";
  return other?.ready === true && now.ready === false ? "it is less ready than it was" : undefined;
}
