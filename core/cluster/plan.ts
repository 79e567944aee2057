import type { Found, Manifest } from "../context.ts";
import { kubeName } from "../id.ts";
import { altered, drift, ending, keyOf } from "../kube/index.ts";
import type { Goal } from "../condition.ts";
import type { Plan } from "../settle.ts";
import { sightOf } from "./digest.ts";
import { epochOf } from "./fence.ts";
import { endpoint, publicKeyOf, renewBeforeDays } from "./keys.ts";
import { apiserver, apiserverConfig, apiserverSecret, apiserverService } from "./manifests/apiserver.ts";
import { controllerSecrets, controllers } from "./manifests/controllers.ts";
import { earSecret } from "./manifests/ear.ts";
import { etcdClaim, etcdSecret, etcdService, etcdSet } from "./manifests/etcd.ts";
import { inside as insideManifests } from "./manifests/inside.ts";
import { budgets, namespace, policies, quota } from "./manifests/network.ts";
import type { Parts } from "./manifests/parts.ts";
import { removal } from "./removal.ts";
import type { Cluster } from "./schema.ts";
import { type Objects, put, type Seen, type Step } from "./step.ts";

/** Whether what was found is the cluster's on its host, rather than inside of it. */
export const isOnHost = ({ id }: Pick<Cluster, "id">, { kind, metadata }: Found): boolean =>
  metadata.namespace === kubeName(id) || (kind === "Namespace" && metadata.name === kubeName(id));

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
  const { steps, ...rest } = cluster.deletedAt === undefined ? making(cluster, seen, now) : removal(cluster, seen);
  return {
    ...rest,
    steps: stampedFirst(cluster, seen.objects, steps),
    sight: sightOf(seen.objects.values()),
    // A row of before there were laps is on no host's list.
    ...(cluster.hostedOn === undefined && { lacks: { hostedOn: cluster.placement.host } }),
  };
}

/** Whether a step writes to the host. */
const onHost = (cluster: Cluster, step: Step): boolean =>
  (step.do === "put" && step.where === "host") || (step.do === "remove" && isOnHost(cluster, step.found));

/**
 * The first that a lease writes to a host is its epoch on the namespace, which ends what an older one has still under
 * way. A namespace that is not there yet is made with it.
 */
function stampedFirst(cluster: Cluster, objects: Objects, steps: Step[]): Step[] {
  const found = objects.get(`Namespace ${kubeName(cluster.id)}`);
  const others = steps.filter((step) => !onHost(cluster, step));
  if (found === undefined || others.length === steps.length || epochOf(found) >= cluster.epoch) return steps;
  return [{ do: "stamp", found }, ...others];
}

function making(cluster: Cluster, seen: Seen, now: string): Plan<Step> {
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
    else if (leaves.value.ear === undefined) steps.push({ do: "ear" });
  }
  steps.push(...put("host", ...ground));

  const base = signed && [apiserverSecret(signed), etcdSecret(signed), etcdSet(signed), apiserver(signed)];
  const rest = signed && [...policies(parts), ...budgets(parts), ...earSecret(parts, signed)];
  const lacking = drift(base ?? [], objects, "host");
  const both = [...lacking, ...drift(rest ?? [], objects, "host")];
  steps.push(...put("host", both));
  for (const found of altered([...services, ...(rest ?? [])], objects, "host")) {
    // What differs is applied first: where all of the difference was ours, nothing need go.
    if (!both.some((one) => one.found === found)) steps.push({ do: "remove", found });
  }
  const wantedInside = signed && seen.inside ? insideManifests(signed) : [];
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
  // Nothing can be made in a namespace that is going, and to try is a failure each time.
  const space = objects.get(`Namespace ${kubeName(cluster.id)}`);
  const going = space?.metadata.deletionTimestamp !== undefined;
  if (going && awaits.length === 0) awaits.push("its namespace to end");
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
    steps: going ? steps.filter((each) => !onHost(cluster, each)) : steps,
    awaits,
    conditions: [
      goal("Placed", true, "Done", `On host ${host}, at ${address}:${port}.`),
      step("KeysReady", keyed, true, "Authorities and certificates are being made.", "All keys are made and sealed."),
      step("NamespaceReady", prepared, true, "Namespace, Services and volume are being made.", "They exist."),
      step("EtcdReady", etcdUp, started, "etcd is starting.", "etcd has a leader and answers."),
      step("APIServerReady", seen.ready, started, answering, "kube-apiserver answers /readyz."),
      step("BootstrapReady", bootstrapped, seen.ready, "Roles are being made.", "Machines and members can be let in."),
      step("ControllersReady", controlled, managed.length > 0, "They are starting.", "Controllers and scheduler run."),
      goal("Ready", all, "InProgress", all ? "The control plane runs as wanted." : awaits.join("; ") || "Being made."),
    ],
    status: {
      ...(addresses === undefined ? {} : { addresses }),
      ...(authorities === undefined ? {} : { authority: authorities.cluster.certificate, endpoint: endpoint(cluster) }),
      ...(authorities === undefined ? {} : { signer: publicKeyOf(authorities) }),
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
