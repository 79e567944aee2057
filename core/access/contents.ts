// What is in a project's namespaces, and how much of its limits is used: as the caller sees it, cluster by cluster.
import * as z from "zod";
import { allow, within } from "../allow.ts";
import { type Found, type Kube, KubeFault, type Work } from "../context.ts";
import { Fault } from "../error.ts";
import { type ID, idOf } from "../id.ts";
import * as Project from "../project/index.ts";
import { labelsOf } from "./owed.ts";
import { forget, kubeFor } from "./own.ts";
import { accessOf } from "./schema.ts";
import { stateOf } from "./state.ts";

/** A cluster that has not answered by then is named, and the others go on. */
const patienceMs = 5_000;
const namesMax = 20;

/** What people make in a namespace, and miss when it is gone. */
const kinds = [
  ["apps/v1", "Deployment"],
  ["apps/v1", "StatefulSet"],
  ["apps/v1", "DaemonSet"],
  ["batch/v1", "Job"],
  ["batch/v1", "CronJob"],
  ["v1", "Pod"],
  ["v1", "Service"],
  ["networking.k8s.io/v1", "Ingress"],
  ["v1", "PersistentVolumeClaim"],
  ["v1", "ConfigMap"],
  ["v1", "Secret"],
] as const;

const place = z.object({
  cluster: idOf("cluster"),
  clusterName: z.string(),
  /** Why it did not answer, in a sentence; left out when it did. */
  why: z.string().optional(),
  /** When it answered, ISO 8601 UTC. */
  at: z.iso.datetime().optional(),
});

export const Contents = z.object({
  places: z.array(
    place.extend({
      kinds: z.array(
        z.object({
          kind: z.string(),
          /** Null for what the caller may not see. */
          count: z.number().int().nullable(),
          /** The first 20. */
          names: z.array(z.string()),
        }),
      ),
    }),
  ),
});
export type Contents = z.output<typeof Contents>;

const used = z.record(z.string(), z.object({ used: z.string(), limit: z.string(), over: z.boolean() }));
export const Usage = z.object({
  /** Over all clusters that answered; limits are the whole project's. */
  total: used,
  /** Whether all of them did. */
  complete: z.boolean(),
  places: z.array(place.extend({ limits: used })),
});
export type Usage = z.output<typeof Usage>;

/**
 * What would go with the project's namespaces: names and counts, never what is in them, with the caller's own rights.
 * @throws Fault `missing`.
 */
export async function contents(ctx: Work, id: ID<"project">): Promise<Contents> {
  const places = await each(ctx, id, async (kube, { name }, cluster) => ({
    kinds: await Promise.all(
      kinds.map(([apiVersion, kind]) => counted(kube, { apiVersion, kind, namespace: name }, cluster)),
    ),
  }));
  return { places: places.map((one) => ({ kinds: [], ...one })) };
}

/**
 * How much of its limits the project uses, as each cluster counts it, with the caller's own rights.
 * @throws Fault `missing`.
 */
export async function usage(ctx: Work, id: ID<"project">): Promise<Usage> {
  const places = await each(ctx, id, async (kube, { name }) => {
    const quota = await kube.get({ apiVersion: "v1", kind: "ResourceQuota", name: "berth", namespace: name });
    return { limits: usedOf(quota) };
  });
  const { spec } = await Project.get(ctx, id);
  const answered = places.flatMap((one) => ("limits" in one ? [one.limits] : []));
  const total = Object.entries(spec.limits).map(([limit, whole]) => {
    const sum = Project.sum(answered.map((limits) => limits[limit]?.used ?? "0"));
    return [limit, entry(sum, String(whole))] as const;
  });
  return {
    total: Object.fromEntries(total),
    complete: answered.length === places.length,
    places: places.map((one) => ({ limits: {}, ...one })),
  };
}

type Told = z.output<typeof place>;

/** All clusters at once; who is late or refuses is named with the reason. */
async function each<T extends object>(
  ctx: Work,
  id: ID<"project">,
  read: (kube: Kube, project: Project.Project, cluster: ID<"cluster">) => Promise<T>,
): Promise<(Told | (Told & T))[]> {
  allow(ctx, "cluster:access", { project: id });
  const project = await Project.get(ctx, id);
  const known = (await stateOf(ctx, [project])).get(id);
  const mine = project.places.filter(({ cluster }) => within(ctx, { project: id, cluster }));
  return await Promise.all(
    mine.map(async ({ cluster }) => {
      const at = known?.get(cluster);
      const told: Told = { cluster, clusterName: at?.name ?? "" };
      if (at === undefined) return { ...told, why: "The cluster is gone." };
      // What is not the project's is not told of, whoever has a right there.
      if (at.seen?.state === "Taken") return { ...told, why: at.seen.message };
      const late = new AbortController();
      try {
        const patience = ctx.sleep(patienceMs, late.signal).then(() => undefined);
        const work = kubeFor(ctx, cluster).then((kube) => read(kube, project, cluster));
        work.catch(() => undefined);
        const answer = await Promise.race([work, patience]);
        if (answer === undefined) return { ...told, why: `It has not answered within ${patienceMs / 1000} s.` };
        return { ...told, at: ctx.now(), ...answer };
      } catch (error) {
        return { ...told, why: reasonOf(ctx, cluster, error) };
      } finally {
        late.abort();
      }
    }),
  );
}

/** A sentence for what is the caller's or the cluster's matter. All else is a bug and thrown on. */
function reasonOf(ctx: Work, cluster: ID<"cluster">, error: unknown): string {
  if (error instanceof Fault) return error.message;
  if (!(error instanceof KubeFault)) throw error;
  switch (error.kind) {
    case "unauthorized":
      forget(ctx, cluster);
      return "It did not take your token; ask again.";
    case "forbidden":
      return "You may not see that there.";
    default:
      return "It does not answer.";
  }
}

async function counted(
  kube: Kube,
  query: { apiVersion: string; kind: string; namespace: string },
  cluster: ID<"cluster">,
): Promise<Contents["places"][number]["kinds"][number]> {
  const { kind } = query;
  try {
    const { items } = await kube.list({ ...query, metadata: true });
    const names = items.filter((found) => !isOurs(found, cluster)).map(({ metadata }) => metadata.name);
    return { kind, count: names.length, names: names.toSorted().slice(0, namesMax) };
  } catch (error) {
    if (error instanceof KubeFault && error.kind === "forbidden") return { kind, count: null, names: [] };
    throw error;
  }
}

/** What Berth or Kubernetes puts into every namespace is nobody's loss. */
const isOurs = ({ metadata: { name, labels = {} } }: Found, cluster: ID<"cluster">): boolean =>
  name === "kube-root-ca.crt" ||
  Object.entries(labelsOf({ id: accessOf(cluster) })).every(([key, value]) => labels[key] === value);

function usedOf(quota: Found | undefined): z.output<typeof used> {
  const status = quota?.["status"] as { hard?: Record<string, string>; used?: Record<string, string> } | undefined;
  return Object.fromEntries(
    Object.entries(Project.resources).flatMap(([limit, resource]) => {
      const most = status?.hard?.[resource];
      return most === undefined ? [] : [[limit, entry(status?.used?.[resource] ?? "0", most)]];
    }),
  );
}

const entry = (used: string, limit: string) => ({ used, limit, over: Project.isAbove(used, limit) });
