import type { Found, Kube, Manifest, Query, Work } from "../context.ts";
import { type ID, kubeName } from "../id.ts";
import * as Member from "../member/index.ts";
import { expiry } from "../pki/index.ts";
import { type Outcome, type Settler, settle } from "../settle.ts";
import { hostTarget, parts } from "./home.ts";
import { adminTarget, keepKey, makeAccess, makeAuthorities, makeLeaves, openKey } from "./keys.ts";
import { labelsOf } from "./manifests/parts.ts";
import { keyOf, type Objects, plan, type Seen, type Step } from "./plan.ts";
import { type Cluster, clusterKind, type Receipt } from "./schema.ts";
import * as store from "./store.ts";

const hostKinds: [string, string][] = [
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
const rbac = "rbac.authorization.k8s.io/v1";
const insideKinds: [string, string][] = [
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
  const objects = await objectsOf(kube, hostKinds, { namespace: name, labels: labelsOf(cluster) }, "host");
  return new Map([[`Namespace ${name}`, found], ...objects]);
}

async function look(ctx: Work, cluster: Cluster): Promise<Seen> {
  const host = ctx.kube(await hostTarget(ctx, cluster.placement.host));
  const [objects, authorities, leaves, access, settings, owners] = await Promise.all([
    onHost(host, cluster),
    openKey(ctx, cluster, "authorities"),
    openKey(ctx, cluster, "leaves"),
    openKey(ctx, cluster, "access"),
    parts(ctx, cluster),
    ownersOf(ctx),
  ]);
  const seen = { parts: settings, authorities: authorities?.value, leaves, access, objects, owners };
  const started = authorities !== undefined && leaves !== undefined && objects.has("Deployment kube-apiserver");
  if (!started || cluster.deletedAt !== undefined) return { ...seen, ready: false, inside: undefined };
  const kube = ctx.kube(await adminTarget(ctx, cluster, authorities.value));
  if (!(await kube.ready(readyMs))) return { ...seen, ready: false, inside: undefined };
  return { ...seen, ready: true, inside: await objectsOf(kube, insideKinds, { labels: labelsOf(cluster) }, "inside") };
}

async function ownersOf(ctx: Work): Promise<ID<"member">[]> {
  const owners: ID<"member">[] = [];
  for (let after: string | undefined; ; ) {
    const page = await ctx.table.list(Member.memberKind, { limit: 100, after });
    owners.push(...page.items.filter(({ role }) => role === "owner").map(({ id }) => id));
    if (page.next === null) return owners;
    after = page.next;
  }
}

async function act(ctx: Work, cluster: Cluster, step: Step, seen: Seen): Promise<void> {
  switch (step.do) {
    case "authorities":
      return await keepKey(ctx, cluster, "authorities", await makeAuthorities(ctx), { once: true });
    case "leaves": {
      const services = ["apiserver", "etcd"].map(
        (name) => seen.objects.get(`Service ${name}`)?.["spec"] as { clusterIP: string },
      );
      const [front, etcd] = services.map((spec) => spec.clusterIP) as [string, string];
      const addresses = cluster.status.addresses ?? { apiserver: front, etcd };
      const made = await makeLeaves(ctx, cluster, known(seen.authorities), addresses);
      const expiresAt = Object.values(made)
        .map(({ certificate }) => expiry(certificate))
        .sort()[0];
      return await keepKey(ctx, cluster, "leaves", made, {
        once: seen.leaves === undefined,
        ...(expiresAt && { expiresAt }),
      });
    }
    case "access": {
      const pair = await makeAccess(ctx, known(seen.authorities));
      const options = { once: seen.access === undefined, expiresAt: expiry(pair.certificate) };
      return await keepKey(ctx, cluster, "access", pair, options);
    }
    case "put": {
      const kube = await reach(ctx, cluster, step.where, seen);
      for (const wave of step.waves) await Promise.all(wave.map(({ manifest, found }) => put(kube, manifest, found)));
      return;
    }
    case "remove": {
      const { apiVersion, kind, metadata } = step.found;
      const where = metadata.namespace === kubeName(cluster.id) || kind === "Namespace" ? "host" : "inside";
      const { name, namespace, uid, resourceVersion } = metadata;
      const ref = { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
      return await (await reach(ctx, cluster, where, seen)).remove(ref, { uid, resourceVersion });
    }
    case "finish": {
      const gone: Receipt = {
        id: cluster.id,
        name: cluster.name,
        createdAt: cluster.createdAt,
        deletedAt: cluster.deletedAt ?? ctx.now(),
        goneAt: ctx.now(),
        host: cluster.placement.host,
        removed: cluster.status.inventory ?? [],
        remaining: [...seen.objects.keys()],
      };
      return await store.finish(ctx, cluster, gone);
    }
    default:
      step satisfies never;
  }
}

const known = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error("a step was planned before its keys were there");
  return value;
};

const reach = async (ctx: Work, cluster: Cluster, where: "host" | "inside", seen: Seen): Promise<Kube> =>
  ctx.kube(
    where === "host"
      ? await hostTarget(ctx, cluster.placement.host)
      : await adminTarget(ctx, cluster, known(seen.authorities)),
  );

/**
 * A missing object is made only while it is missing; one that differs is applied on the very object and version we saw,
 * for an apply without the uid would make anew what has gone meanwhile. So an older worker can do neither.
 */
function put(kube: Kube, manifest: Manifest, found: Found | undefined): Promise<Found> {
  if (found === undefined) return kube.create(manifest);
  const { uid, resourceVersion } = found.metadata;
  return kube.apply({ ...manifest, metadata: { ...manifest.metadata, uid } }, resourceVersion);
}

/** What of an object we wait for: that it comes, goes, or changes its readiness. */
const mark = (found: Found | undefined): string => {
  const { readyReplicas, observedGeneration } = (found?.["status"] ?? {}) as Record<string, unknown>;
  return JSON.stringify([found?.metadata.uid, found?.metadata["generation"], observedGeneration, readyReplicas]);
};

/** Wakes at the first change that matters: readiness of a part, an object that goes, or an API server that answers. */
async function coming(ctx: Work, cluster: Cluster, seen: Seen, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  const host = ctx.kube(await hostTarget(ctx, cluster.placement.host));
  const namespace = kubeName(cluster.id);
  const labels = labelsOf(cluster);
  const watching = async (query: Query): Promise<void> => {
    // From now on: what changed between our look and here is compared first.
    const { items, resourceVersion } = await host.list(query);
    const kept = [...seen.objects.values()].filter(({ kind }) => kind === query.kind);
    if (
      kept.length !== items.length ||
      items.some((item) => mark(item) !== mark(seen.objects.get(keyOf(item, "host"))))
    )
      return;
    for await (const { type, object } of host.watch(query, { resourceVersion, seconds: 45, signal: all })) {
      if (type === "DELETED" || mark(object) !== mark(seen.objects.get(keyOf(object, "host")))) return;
    }
  };
  const answering = async (): Promise<void> => {
    const kube = ctx.kube(await adminTarget(ctx, cluster, known(seen.authorities)));
    while (!all.aborted && !(await kube.ready(readyMs))) await ctx.sleep(probeEveryMs, all);
  };
  const started = seen.objects.has("Deployment kube-apiserver") && seen.authorities !== undefined;
  const waits =
    cluster.deletedAt === undefined
      ? [
          watching({ apiVersion: "apps/v1", kind: "Deployment", namespace, labels }),
          watching({ apiVersion: "apps/v1", kind: "StatefulSet", namespace, labels }),
          ...(started && !seen.ready ? [answering()] : []),
        ]
      : [watching({ apiVersion: "v1", kind: "Namespace", labels })];
  try {
    await Promise.race(waits);
  } finally {
    stop.abort();
    await Promise.allSettled(waits);
  }
}

const settler: Settler<Cluster, Seen, Step> = { kind: clusterKind, look, plan, act, coming };

/** Brings one cluster to what is wanted. Given an id and no hint: whatever woke us, we look for ourselves. */
export const reconcile = (ctx: Work, id: ID<"cluster">): Promise<Outcome> => settle(ctx, settler, id);
