// What is seen of a cluster: its keys, its host, its inside; and what is on its way.
import type { Found, Kube, Query, Work } from "../context.ts";
import { kubeName } from "../id.ts";
import { keyOf } from "../kube/index.ts";
import type { Lesson } from "../settle.ts";
import { hostKinds } from "./digest.ts";
import { hostTarget, parts } from "./home.ts";
import { adminTarget, openKey } from "./keys.ts";
import { labelsOf } from "./manifests/parts.ts";
import { readyPods } from "./plan.ts";
import type { Cluster } from "./schema.ts";
import type { Objects, Seen } from "./step.ts";

const rbac = "rbac.authorization.k8s.io/v1";
export const insideKinds: [string, string][] = [
  ["v1", "Namespace"],
  ["v1", "ServiceAccount"],
  ["v1", "ConfigMap"],
  ["discovery.k8s.io/v1", "EndpointSlice"],
  [rbac, "Role"],
  [rbac, "RoleBinding"],
  [rbac, "ClusterRole"],
  [rbac, "ClusterRoleBinding"],
];
const readyMs = 2_000;
const probeEveryMs = 75;

async function objectsOf(
  kube: Kube,
  kinds: [string, string][],
  query: Partial<Query>,
  where: "host" | "inside",
): Promise<Objects> {
  const lists = await Promise.all(kinds.map(([apiVersion, kind]) => kube.list({ apiVersion, kind, ...query })));
  return new Map(lists.flatMap(({ items }) => items).map((found) => [keyOf(found, where), found]));
}

/** The cluster's objects on its host. Where there is no namespace there is nothing else: one call. */
async function onHost(kube: Kube, cluster: Cluster): Promise<Objects> {
  const name = kubeName(cluster.id);
  const found = await kube.get({ apiVersion: "v1", kind: "Namespace", name });
  if (found === undefined) return new Map();
  const within = hostKinds.filter(([, kind]) => kind !== "Namespace");
  // Pods are others' to make and to mend; they count only when nothing may be left.
  const kinds: [string, string][] = cluster.deletedAt === undefined ? within : [...within, ["v1", "Pod"]];
  const objects = await objectsOf(kube, kinds, { namespace: name, labels: labelsOf(cluster) }, "host");
  return new Map([[`Namespace ${name}`, found], ...objects]);
}

export async function look(ctx: Work, cluster: Cluster): Promise<Seen> {
  const host = ctx.kube(await hostTarget(ctx, cluster.placement.host));
  const told = parts(ctx, cluster);
  const [objects, authorities, leaves, access, settings] = await Promise.all([
    // Not before it is known that the host answers at all.
    told.then(() => onHost(host, cluster)),
    openKey(ctx, cluster, "authorities"),
    openKey(ctx, cluster, "leaves"),
    openKey(ctx, cluster, "access"),
    told,
  ]);
  const seen = { parts: settings, authorities: authorities?.value, leaves, access, objects };
  const started = authorities !== undefined && leaves !== undefined && objects.has("Deployment kube-apiserver");
  if (!started || cluster.deletedAt !== undefined) return { ...seen, ready: false, inside: undefined };
  const kube = ctx.kube(await adminTarget(ctx, cluster, authorities.value));
  if (!(await kube.ready(readyMs))) return { ...seen, ready: false, inside: undefined };
  return { ...seen, ready: true, inside: await objectsOf(kube, insideKinds, { labels: labelsOf(cluster) }, "inside") };
}

export const known = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error("a step was planned before its keys were there");
  return value;
};

export const reach = async (ctx: Work, cluster: Cluster, where: "host" | "inside", seen: Seen): Promise<Kube> =>
  ctx.kube(
    where === "host"
      ? await hostTarget(ctx, cluster.placement.host)
      : await adminTarget(ctx, cluster, known(seen.authorities)),
  );

/** What of an object we wait for: that it comes, goes, or changes its readiness. */
const mark = (found: Found | undefined): string => {
  if (found === undefined) return "";
  const { uid, deletionTimestamp, generation } = found.metadata;
  const ready = found.kind === "Deployment" || found.kind === "StatefulSet" ? readyPods(found) : undefined;
  return JSON.stringify([uid, deletionTimestamp, generation, ready]);
};

/**
 * Wakes at the first change that matters, and tells it: readiness of a part, an object that goes, an API server that
 * answers. What changed since we looked is found by comparing first, so nothing is missed in between.
 */
export async function coming(
  ctx: Work,
  cluster: Cluster,
  seen: Seen,
  signal: AbortSignal,
): Promise<Lesson<Seen> | undefined> {
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  const host = ctx.kube(await hostTarget(ctx, cluster.placement.host));
  const namespace = kubeName(cluster.id);
  const labels = labelsOf(cluster);
  const watching = async (query: Query): Promise<Lesson<Seen> | undefined> => {
    const { items, resourceVersion } = await host.list(query);
    const now = new Map(items.map((item) => [keyOf(item, "host"), item]));
    const before = [...seen.objects].filter(([, { kind }]) => kind === query.kind);
    const moved = before.length !== now.size || before.some(([key, found]) => mark(found) !== mark(now.get(key)));
    if (moved) return (known) => ({ ...known, objects: replaced(known.objects, query.kind, now) });
    for await (const { type, object } of host.watch(query, { resourceVersion, seconds: 45, signal: all })) {
      const key = keyOf(object, "host");
      if (type === "DELETED") now.delete(key);
      else now.set(key, object);
      if (mark(now.get(key)) !== mark(seen.objects.get(key))) {
        return (known) => ({ ...known, objects: replaced(known.objects, query.kind, now) });
      }
    }
    return undefined;
  };
  const answering = async (): Promise<Lesson<Seen> | undefined> => {
    const kube = ctx.kube(await adminTarget(ctx, cluster, known(seen.authorities)));
    while (!all.aborted && !(await kube.ready(readyMs))) await ctx.sleep(probeEveryMs, all);
    if (all.aborted) return undefined;
    const inside = await objectsOf(kube, insideKinds, { labels }, "inside");
    return (now) => ({ ...now, ready: true, inside });
  };
  const started = seen.objects.has("Deployment kube-apiserver") && seen.authorities !== undefined;
  const going = seen.objects.get(`Namespace ${namespace}`)?.metadata.deletionTimestamp !== undefined;
  const waits =
    cluster.deletedAt === undefined
      ? [
          watching({ apiVersion: "apps/v1", kind: "Deployment", namespace, labels }),
          watching({ apiVersion: "apps/v1", kind: "StatefulSet", namespace, labels }),
          ...(started && !seen.ready ? [answering()] : []),
          ...(going ? [watching({ apiVersion: "v1", kind: "Namespace", labels })] : []),
        ]
      : [
          watching({ apiVersion: "v1", kind: "Pod", namespace, labels }),
          watching({ apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, labels }),
          watching({ apiVersion: "v1", kind: "Namespace", labels }),
        ];
  try {
    const told = await Promise.race(waits);
    // What goes takes more with it than a watch of its kind tells, and a receipt stands on a look.
    return cluster.deletedAt === undefined ? told : undefined;
  } finally {
    stop.abort();
    await Promise.allSettled(waits);
  }
}

/** All objects of one kind are now these. A namespace goes only once all in it is gone: without it there is nothing. */
const replaced = (objects: Objects, kind: string, now: Objects): Objects =>
  kind === "Namespace" && now.size === 0
    ? now
    : new Map([...[...objects].filter(([, found]) => found.kind !== kind), ...now]);

export const withObjects = (objects: Objects | undefined, made: Found[], where: "host" | "inside"): Objects =>
  new Map([...(objects ?? []), ...made.map((found) => [keyOf(found, where), found] as const)]);
