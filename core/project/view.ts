import type { ID } from "../id.ts";
import type { Limits, Place, Project, Seen, View } from "./schema.ts";
import { type Limit, printed, type Share, split } from "./split.ts";
import { expiryOf } from "./store.ts";

/** What is known of one cluster that a project is on. */
export interface Known {
  name: string;
  /** Why it can't be told how the project is there, in a sentence. */
  unreachable?: string;
  seen?: Seen;
}

type State = View["status"]["places"][number]["state"];

/**
 * What a caller sees of a project.
 * @param known what is known of its clusters; who is not in it is gone.
 * @param now ISO 8601 UTC.
 */
export function view(project: Project, known: ReadonlyMap<ID<"cluster">, Known>, now: string): View {
  const { lookAt: _lookAt, revision: _revision, expiredAt: _expiredAt, clusters: _clusters, ...wanted } = project;
  const { limits, reservePercent } = project.spec;
  const { shares, reserve } = split(limits, reservePercent, project.places);
  const places = project.places.map((place) => {
    const { cluster, movingTo, leavingAt } = place;
    const at = known.get(cluster);
    return {
      cluster,
      ...(at !== undefined && { clusterName: at.name }),
      ...stateOf(project, place, at),
      ...(at?.seen !== undefined && { at: at.seen.at }),
      ...(movingTo !== undefined && { movingTo }),
      ...(leavingAt !== undefined && { leavingAt }),
      share: shown(limits, shares.get(cluster) ?? {}),
    };
  });
  const expiry = expiryOf(project, now);
  const states = places.map(({ state }) => state);
  return {
    ...wanted,
    status: {
      phase: phaseOf(project, expiry, states),
      ...(expiry !== undefined && { expiry }),
      places,
      reserve: shown(limits, reserve),
      warnings: warningsOf(project, expiry),
    },
  };
}

/** Pieces as people write them; of these Kubernetes would make `1k`. */
export const shown = (limits: Limits, share: Share): Record<string, string> => ({
  ...printed(limits, share),
  ...Object.fromEntries(
    Object.entries(share).flatMap(([limit, count]) =>
      typeof limits[limit as Limit] === "number" ? [[limit, String(count)]] : [],
    ),
  ),
});

function stateOf(
  { generation }: Project,
  { leavingAt }: Place,
  at: Known | undefined,
): { state: State; message: string } {
  if (at === undefined) return { state: "Unreachable", message: "The cluster is gone." };
  const { seen, unreachable } = at;
  const fresh = seen !== undefined && seen.generation >= generation;
  if (leavingAt !== undefined) {
    const message = unreachable ?? (seen?.state === "Leaving" ? seen.message : "Its namespace is to go.");
    return { state: "Leaving", message };
  }
  if (unreachable !== undefined) return { state: "Unreachable", message: unreachable };
  // Who has the namespace has it, whatever is wanted by now.
  if (seen !== undefined && (fresh || seen.state === "Taken")) return { state: seen.state, message: seen.message };
  return { state: "Pending", message: seen === undefined ? "It is being made there." : "It is being changed there." };
}

function phaseOf(
  { deletedAt }: Project,
  expiry: "Expiring" | "Expired" | undefined,
  states: State[],
): View["status"]["phase"] {
  if (deletedAt !== undefined) return "Deleting";
  if (expiry === "Expired") return "Expired";
  if (states.some((state) => state === "Taken" || state === "Unreachable")) return "Degraded";
  return states.every((state) => state === "Ready") ? "Ready" : "Pending";
}

/** What its people should know, in sentences. */
function warningsOf({ spec, places }: Project, expiry: "Expiring" | "Expired" | undefined): string[] {
  const { limits, defaults } = spec;
  const stay = places.filter(({ leavingAt }) => leavingAt === undefined);
  const said: [boolean, string][] = [
    [expiry === "Expiring", `It ends at ${spec.expiresAt}: then nobody but owners gets in, and no new Pod starts.`],
    [expiry === "Expired", "It has ended: nobody but owners gets in, and no new Pod starts. Nothing was deleted."],
    [
      limits.cpu !== undefined && (defaults.cpuRequest ?? defaults.cpuLimit) === undefined,
      "CPU is limited and has no default: a container that requests none is refused.",
    ],
    [
      limits.memory !== undefined && (defaults.memoryRequest ?? defaults.memoryLimit) === undefined,
      "Memory is limited and has no default: a container that requests none is refused.",
    ],
    [
      stay.length > 0 && Object.keys(limits).length > 0 && stay.every(({ weight }) => weight === 0),
      "No place has a weight, so all of its limits are kept back.",
    ],
    [
      spec.network.mode === "open" && spec.network.openings.length > 0,
      "Its network is open, so its openings do nothing.",
    ],
  ];
  return said.filter(([holds]) => holds).map(([, sentence]) => sentence);
}
