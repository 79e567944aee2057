import { type Found, type Kube, KubeFault, type Manifest, type Work } from "../context.ts";
import type { ID } from "../id.ts";
import { refOf } from "../kube/index.ts";
import { expiry } from "../pki/index.ts";
import { type Lesson, type Outcome, type Settler, settle } from "../settle.ts";
import { fenced, raised, removeFenced } from "./fence.ts";
import { keepKey, makeAccess, makeAuthorities, makeEar, makeLeaves } from "./keys.ts";
import { labelsOf } from "./manifests/parts.ts";
import { isOnHost, plan } from "./plan.ts";
import { type Cluster, clusterKind, type Receipt } from "./schema.ts";
import { coming, known, look, reach, withObjects } from "./sight.ts";
import type { Seen, Step } from "./step.ts";
import * as store from "./store.ts";

async function act(ctx: Work, cluster: Cluster, step: Step, seen: Seen): Promise<Lesson<Seen> | undefined> {
  switch (step.do) {
    case "authorities": {
      const authorities = await makeAuthorities(ctx);
      await keepKey(ctx, cluster, "authorities", authorities, { once: true });
      return (known) => ({ ...known, authorities });
    }
    case "leaves": {
      // Of addresses that are known the Services may be gone just now; they come back with the same ones.
      const spec = (name: string) => seen.objects.get(`Service ${name}`)?.["spec"] as { clusterIP: string };
      const addresses = cluster.status.addresses ?? {
        apiserver: spec("apiserver").clusterIP,
        etcd: spec("etcd").clusterIP,
      };
      const made = await makeLeaves(ctx, cluster, known(seen.authorities), addresses);
      const expiresAt = Object.values(made)
        .map(({ certificate }) => expiry(certificate))
        .sort()[0];
      await keepKey(ctx, cluster, "leaves", made, {
        once: seen.leaves === undefined,
        ...(expiresAt && { expiresAt }),
      });
      return (known) => ({ ...known, leaves: { value: made, expiresAt } });
    }
    case "ear": {
      // Beside leaves of an older release: those in use stay as they are, so that no Pod is replaced for it.
      const { value, expiresAt } = known(seen.leaves);
      const leaves = { value: { ...value, ear: await makeEar(ctx, known(seen.authorities)) }, expiresAt };
      await keepKey(ctx, cluster, "leaves", leaves.value, { once: false, ...(expiresAt && { expiresAt }) });
      return (known) => ({ ...known, leaves });
    }
    case "access": {
      const pair = await makeAccess(ctx, known(seen.authorities));
      const expiresAt = expiry(pair.certificate);
      await keepKey(ctx, cluster, "access", pair, { once: seen.access === undefined, expiresAt });
      return (known) => ({ ...known, access: { expiresAt } });
    }
    case "put": {
      const kube = await reach(ctx, cluster, step.where, seen);
      const made: Found[] = [];
      const written = (manifest: Manifest): Manifest =>
        step.where === "host" ? fenced(manifest, cluster.epoch) : manifest;
      for (const wave of step.waves)
        made.push(
          ...(await Promise.all(wave.map(({ manifest, found }) => put(kube, cluster, written(manifest), found)))),
        );
      return step.where === "host"
        ? (known) => ({ ...known, objects: withObjects(known.objects, made, "host") })
        : (known) => ({ ...known, inside: withObjects(known.inside, made, "inside") });
    }
    case "stamp": {
      const stamped = await raised(await reach(ctx, cluster, "host", seen), step.found, cluster.epoch);
      return (known) => ({ ...known, objects: withObjects(known.objects, [stamped], "host") });
    }
    case "remove": {
      const { found } = step;
      if (isOnHost(cluster, found)) {
        await removeFenced(await reach(ctx, cluster, "host", seen), found, cluster.epoch, step.any === true);
      } else {
        await (await reach(ctx, cluster, "inside", seen)).remove(refOf(found), found.metadata);
      }
      // It may be gone, or ending, or held: only a look can tell.
      return undefined;
    }
    case "list":
      // The plan's status holds the list, and is written with this step.
      return (known) => known;
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
      await store.finish(ctx, cluster, gone);
      return undefined;
    }
    default:
      return step satisfies never;
  }
}

/**
 * A missing object is made only while it is missing; one that differs is applied on the very object and version we saw,
 * for an apply without the uid would make anew what has gone meanwhile. So an older worker can do neither.
 */
async function put(kube: Kube, cluster: Cluster, manifest: Manifest, found: Found | undefined): Promise<Found> {
  const over = ({ metadata: { uid, resourceVersion } }: Found): Promise<Found> =>
    kube.apply({ ...manifest, metadata: { ...manifest.metadata, uid } }, resourceVersion);
  if (found !== undefined) return await over(found);
  try {
    return await kube.create(manifest);
  } catch (error) {
    if (!(error instanceof KubeFault) || error.kind !== "conflict") throw error;
    const there = await kube.get(refOf(manifest));
    const labelled = Object.entries(labelsOf(cluster)).every(([key, value]) => there?.metadata.labels?.[key] === value);
    // With our labels, somebody was quicker: we look again. Without them we would never see it: it is taken back.
    if (there === undefined || labelled) throw error;
    return await over(there);
  }
}

/** For the tenant, so it names no host. */
const unreachable = ({ spec: { region } }: Cluster, since: string): string =>
  `It could not be reached in the region ${region} since ${since}; whether it runs is not known.`;

const settler: Settler<Cluster, Seen, Step> = { kind: clusterKind, look, plan, act, coming, unreachable };

/** Brings one cluster to what is wanted. Given an id and no hint: whatever woke us, we look for ourselves. */
export const reconcile = (ctx: Work, id: ID<"cluster">): Promise<Outcome> => settle(ctx, settler, id);
