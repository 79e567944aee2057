import { within } from "../allow.ts";
import type { Context } from "../context.ts";
import { type Page, type PageInput, sift } from "../page.ts";
import { type Cluster, clusterKind, type View } from "./schema.ts";
import * as store from "./store.ts";

export const sorts = ["createdAt", "-createdAt", "name", "-name"] as const;

/** Which clusters are wanted, and in which order. All that is said must hold. */
export interface Filter {
  name?: string | undefined;
  phase?: View["status"]["phase"] | undefined;
  region?: string | undefined;
  /** Exact, or a minor such as `1.34` for each of its patches. */
  version?: string | undefined;
  /** Labels that it must have, with these values. */
  labels?: (readonly [key: string, value: string])[] | undefined;
  /** A `-` turns the order round; `createdAt` when left out. */
  sort?: (typeof sorts)[number] | undefined;
}

/** One page of them, by at most 1,000 rows looked at. A cursor is of one order: in another one it stands elsewhere. */
export async function pick(ctx: Context, { limit, after, ...filter }: PageInput & Filter): Promise<Page<View>> {
  const keep = (cluster: Cluster | undefined): boolean =>
    cluster !== undefined && within(ctx, { cluster: cluster.id }) && fits(cluster, filter);
  if (filter.name !== undefined) {
    const held = await ctx.table.get(store.nameKind, filter.name);
    const cluster = held && (await ctx.table.get(clusterKind, held.id));
    return { items: cluster !== undefined && keep(cluster) ? [store.view(cluster)] : [], next: null };
  }
  const newest = filter.sort?.startsWith("-") ?? false;
  const read = filter.sort?.endsWith("name") ? byName : byAge;
  const page = await sift((input) => read(ctx, { ...input, newest }), keep, { limit, after });
  return {
    items: page.items.flatMap((cluster) => (cluster === undefined ? [] : [store.view(cluster)])),
    next: page.next,
  };
}

type Read = (ctx: Context, page: PageInput & { newest: boolean }) => Promise<Page<Cluster | undefined>>;

/** Ids begin with the time at which they were made. */
const byAge: Read = (ctx, page) => ctx.table.list(clusterKind, page);

/** A name's row may outlive what was read of its cluster by a moment: then there is a gap. */
const byName: Read = async (ctx, page) => {
  const { items, next } = await ctx.table.list(store.nameKind, page);
  if (items.length === 0) return { items: [], next };
  const keys = items.map(({ id }) => [clusterKind, id] as const);
  return { items: await ctx.table.getAll(keys), next };
};

function fits(cluster: Cluster, { phase, region, version, labels }: Filter): boolean {
  const { spec } = cluster;
  return (
    (phase === undefined || store.phase(cluster) === phase) &&
    (region === undefined || spec.region === region) &&
    (version === undefined || spec.version === version || spec.version.startsWith(`${version}.`)) &&
    (labels ?? []).every(([key, value]) => Object.hasOwn(spec.labels, key) && spec.labels[key] === value)
  );
}
