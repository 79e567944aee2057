import type { Found, Manifest } from "../context.ts";
import { type ID, kubeName } from "../id.ts";
import { covers } from "../kube/index.ts";
import type { Goal } from "../condition.ts";
import type { Plan } from "../settle.ts";
import { type Authorities, endpoint, type Leaves, renewBeforeDays } from "./keys.ts";
import { apiserver, apiserverConfig, apiserverSecret, apiserverService } from "./manifests/apiserver.ts";
import { controllerSecrets, controllers } from "./manifests/controllers.ts";
import { etcdClaim, etcdSecret, etcdService, etcdSet } from "./manifests/etcd.ts";
import { inside as insideManifests } from "./manifests/inside.ts";
import { budgets, namespace, policies, quota } from "./manifests/network.ts";
import type { Parts } from "./manifests/parts.ts";
import type { Cluster } from "./schema.ts";

/** Objects by `Kind name` on the host, by `Kind namespace/name` inside. */
export type Objects = ReadonlyMap<string, Found>;

/** Everything that was seen of one cluster: its keys, its host, its inside. */
export interface Seen {
  parts: Omit<Parts, "cluster">;
  authorities: Authorities | undefined;
  leaves: { value: Leaves; expiresAt: string | undefined } | undefined;
  access: { expiresAt: string | undefined } | undefined;
  objects: Objects;
  /** Its API server says that it is ready. */
  ready: boolean;
  /** Undefined when it could not be looked into, as it is not ready. */
  inside: Objects | undefined;
  /** Members who own the tenant: each has an account in the cluster. */
  owners: ID<"member">[];
}

export interface Put {
  manifest: Manifest;
  found: Found | undefined;
}

export type Step =
  | { do: "authorities" | "leaves" | "access" }
  /** Waves go one after the other; what stands in one wave goes at once. */
  | { do: "put"; where: "host" | "inside"; waves: Put[][] }
  /** Exactly the version that was seen, or, with `any`, that object however it stands. */
  | { do: "remove"; found: Found; any?: true }
  | { do: "list" | "finish" };

export const keyOf = ({ kind, metadata: { name, namespace } }: Manifest, where: "host" | "inside"): string =>
  where === "host" || namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;

/** What is missing or differs in a field that we set. What the API server fills in is not drift. */
function drift(wanted: Manifest[], found: Objects, where: "host" | "inside"): Put[] {
  return wanted
    .map((manifest) => ({ manifest, found: found.get(keyOf(manifest, where)) }))
    .filter((put) => put.found === undefined || !covers(put.found, put.manifest));
}

/** One that is ending can't be mended; we wait until it is gone and make it anew. */
const ending = (puts: Put[]): Put[] => puts.filter(({ found }) => found?.metadata.deletionTimestamp !== undefined);

/**
 * Where what a stranger adds changes what ours says (an empty podSelector means all Pods, a fuller one does not), and
 * what no server lets anybody change.
 */
const whole: Record<string, string> = {
  NetworkPolicy: "spec",
  Service: "spec.selector",
  ClusterRoleBinding: "roleRef",
  RoleBinding: "roleRef",
};
const partOf = (object: unknown, path: string): unknown =>
  path.split(".").reduce((part, name) => (part as Record<string, unknown> | undefined)?.[name], object);

/** Ours with something added where it matters. No apply takes away what is another's, so it is removed and made anew. */
function altered(wanted: Manifest[], found: Objects, where: "host" | "inside"): Found[] {
  return wanted.flatMap((manifest): Found[] => {
    const [path, there] = [whole[manifest.kind], found.get(keyOf(manifest, where))];
    if (path === undefined || there === undefined || there.metadata.deletionTimestamp !== undefined) return [];
    return covers(partOf(manifest, path), partOf(there, path)) ? [] : [there];
  });
}

const put = (where: "host" | "inside", ...waves: Put[][]): Step[] => {
  const full = waves.map((wave) => wave.filter((one) => !ending([one]).length)).filter((wave) => wave.length > 0);
  return full.length === 0 ? [] : [{ do: "put", where, waves: full }];
};

const goal = (type: string, done: boolean, reason: string, message: string): Goal => ({
  type,
  status: done ? "True" : "False",
  reason: done ? "Done" : reason,
  message,
});

/** Pods that are ready, of those a StatefulSet or Deployment asks for, at its newest generation. */
export function readyPods(object: Found | undefined): boolean {
  const status = (object?.["status"] ?? {}) as {
    readyReplicas?: number;
    observedGeneration?: number;
    updatedReplicas?: number;
  };
  if (object === undefined || status.observedGeneration !== object.metadata["generation"]) return false;
  return (status.readyReplicas ?? 0) >= 1 && (status.updatedReplicas ?? 0) >= 1;
}

const clusterIP = (service: Found | undefined): string | undefined =>
  ((service?.["spec"] ?? {}) as { clusterIP?: string }).clusterIP;

const dueForRenewal = (expiresAt: string | undefined, now: string): boolean =>
  expiresAt !== undefined && Date.parse(expiresAt) - Date.parse(now) < renewBeforeDays * 86_400_000;

const renewalOf = (expiresAt: string): string =>
  new Date(Date.parse(expiresAt) - (renewBeforeDays - 1) * 86_400_000).toISOString();

/** What ought to be done about a cluster now. Pure: the same row, sight and time give the same plan. */
export function plan(cluster: Cluster, seen: Seen, now: string): Plan<Step> {
  if (cluster.deletedAt !== undefined) return removal(cluster, seen);
  const { authorities, leaves, objects } = seen;
  const parts: Parts = { ...seen.parts, cluster };
  const addresses = cluster.status.addresses ?? learned(objects);
  // Not before its Pod is ready: until then the Service leads to it only because it leads to unready ones too.
  const born = cluster.status.born === true || (seen.ready && readyPods(objects.get("Deployment kube-apiserver")));
  const signed =
    authorities !== undefined && leaves !== undefined && addresses !== undefined
      ? { ...parts, authorities, leaves: leaves.value, addresses }
      : undefined;

  const steps: Step[] = [];
  const services = [etcdService(parts, addresses?.etcd), apiserverService(parts, born, addresses?.apiserver)];
  const grounds = [[namespace(parts)], [...services, etcdClaim(parts), apiserverConfig(parts)]];
  const ground = grounds.map((wave) => drift(wave, objects, "host"));
  if (authorities === undefined) steps.push({ do: "authorities" });
  else if (seen.access === undefined || dueForRenewal(seen.access.expiresAt, now)) steps.push({ do: "access" });
  if (authorities !== undefined && addresses !== undefined) {
    if (leaves === undefined || dueForRenewal(leaves.expiresAt, now)) steps.push({ do: "leaves" });
  }
  steps.push(...put("host", ...ground));

  const base = signed && [apiserverSecret(signed), etcdSecret(signed), etcdSet(signed), apiserver(signed)];
  const rest = signed && [...policies(parts), ...budgets(parts)];
  const lacking = drift(base ?? [], objects, "host");
  const both = [...lacking, ...drift(rest ?? [], objects, "host")];
  steps.push(...put("host", both));
  for (const found of altered([...services, ...(rest ?? [])], objects, "host")) steps.push({ do: "remove", found });
  const wantedInside = signed && seen.inside ? insideManifests(signed, seen.owners) : [];
  const insidePuts = seen.inside ? drift(wantedInside, seen.inside, "inside") : [];
  const rebound = seen.inside ? altered(wantedInside, seen.inside, "inside") : [];
  const spaces = insidePuts.filter(({ manifest }) => manifest.kind === "Namespace");
  const others = insidePuts.filter((one) => !spaces.includes(one) && !rebound.some((found) => found === one.found));
  steps.push(...put("inside", spaces, others));
  for (const found of rebound) steps.push({ do: "remove", found });
  steps.push(...strangers(seen.inside, wantedInside));

  const bootstrapped = seen.inside !== undefined && insidePuts.length === 0;

  const managed = seen.ready && signed ? [...controllerSecrets(signed), ...controllers(signed)] : [];
  const managing = drift(managed, objects, "host");
  steps.push(...put("host", managing));
  const [manager, scheduler] = ["kube-controller-manager", "kube-scheduler"].map((name) =>
    objects.get(`Deployment ${name}`),
  );
  const controlled = readyPods(manager) && readyPods(scheduler);
  const last = controlled ? drift([quota(parts)], objects, "host") : [];
  steps.push(...put("host", last));

  const started = signed !== undefined && lacking.length === 0;
  // One that differs is there: mending it is no step back in the making.
  const prepared = ground.flat().every(({ found }) => found !== undefined);
  const ends = ending([...ground.flat(), ...both, ...managing, ...insidePuts]);
  const awaits = ends.map(({ manifest }) => `${keyOf(manifest, "host")} to end`);
  if (started && !seen.ready) awaits.push("the API server to answer");
  if (started && !readyPods(objects.get("StatefulSet etcd"))) awaits.push("etcd to be ready");
  if (started && !readyPods(objects.get("Deployment kube-apiserver"))) awaits.push("kube-apiserver to be ready");
  if (managed.length > 0 && !controlled) awaits.push("the controllers to be ready");

  const step = (type: string, done: boolean, begun: boolean, doing: string, did: string): Goal =>
    goal(type, done, begun ? "InProgress" : "Waiting", done ? did : begun ? doing : "Waits for an earlier step.");
  const keyed = authorities !== undefined && leaves !== undefined && seen.access !== undefined;
  const etcdUp = started && readyPods(objects.get("StatefulSet etcd"));
  const all = prepared && keyed && etcdUp && seen.ready && bootstrapped && controlled && awaits.length === 0;
  const { host, port, address } = cluster.placement;
  const answering = cluster.status.born === true ? "The API server does not answer." : "kube-apiserver is starting.";
  const renewals = [leaves?.expiresAt, seen.access?.expiresAt].filter((at) => at !== undefined).sort();
  return {
    steps,
    awaits,
    conditions: [
      goal("Placed", true, "Done", `On host ${host}, at ${address}:${port}.`),
      step("KeysReady", keyed, true, "Authorities and certificates are being made.", "All keys are made and sealed."),
      step("NamespaceReady", prepared, true, "Namespace, Services and volume are being made.", "They exist."),
      step("EtcdReady", etcdUp, started, "etcd is starting.", "etcd has a leader and answers."),
      step("APIServerReady", seen.ready, started, answering, "kube-apiserver answers /readyz."),
      step("BootstrapReady", bootstrapped, seen.ready, "Roles and accounts are being made.", "Owners can sign in."),
      step("ControllersReady", controlled, managed.length > 0, "They are starting.", "Controllers and scheduler run."),
      goal("Ready", all, "InProgress", all ? "The control plane runs as wanted." : awaits.join("; ") || "Being made."),
    ],
    status: {
      ...(addresses === undefined ? {} : { addresses }),
      ...(authorities === undefined ? {} : { authority: authorities.cluster.certificate, endpoint: endpoint(cluster) }),
      ...(born ? { born: true } : {}),
    },
    ...(renewals[0] === undefined ? {} : { lookAt: renewalOf(renewals[0]) }),
  };
}

/** The addresses that the host gave its Services; the row keeps them, and from then on they are asked for by number. */
function learned(objects: Objects): { apiserver: string; etcd: string } | undefined {
  const [front, etcd] = [clusterIP(objects.get("Service apiserver")), clusterIP(objects.get("Service etcd"))];
  return front === undefined || etcd === undefined ? undefined : { apiserver: front, etcd };
}

/** Accounts and bindings that we made and nobody is owed any more. */
function strangers(inside: Objects | undefined, wanted: Manifest[]): Step[] {
  if (inside === undefined || wanted.length === 0) return [];
  const owed = new Set(wanted.map((manifest) => keyOf(manifest, "inside")));
  const ours = ["ServiceAccount", "ClusterRoleBinding", "RoleBinding", "Role", "ClusterRole"];
  return [...inside]
    .filter(
      ([key, { kind, metadata }]) => ours.includes(kind) && !owed.has(key) && metadata.deletionTimestamp === undefined,
    )
    .map(([, found]) => ({ do: "remove", found }));
}

/**
 * Removal is in two steps: the workloads with their Pods and volumes, then the namespace with all else. A namespace that
 * is deleted with Pods in it is looked at again only after half of their grace, and with a claim that a Pod still uses
 * after eight seconds. It is over when the host shows nothing of it.
 */
function removal(cluster: Cluster, { objects }: Seen): Plan<Step> {
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
      goal("Ready", false, "Deleting", "The cluster is being removed."),
      goal("Removed", false, "InProgress", `${left.length} of ${inventory.length} objects are left on the host.`),
    ],
    status: { inventory },
  };
}
