import * as z from "zod";
import { allow, within } from "../allow.ts";
import * as Cluster from "../cluster/index.ts";
import type { Context } from "../context.ts";
import * as Grant from "../grant/index.ts";
import { type ID, idOf } from "../id.ts";
import { type Page, type PageInput, sift } from "../page.ts";

const names = z.array(z.string()).describe("The names of the permission groups that the caller holds there.");

/** One cluster that the caller has a right in, as a kubeconfig needs it. */
export const Place = z.object({
  cluster: idOf("cluster"),
  name: z.string(),
  server: z.string(),
  /** PEM. */
  authority: z.string(),
  serverName: z.string(),
  /** What is held beyond projects: on the cluster or in the tenant. */
  groups: names,
  /** Those with a namespace there, of the project's name. */
  projects: z.array(z.object({ id: idOf("project"), name: z.string(), groups: names })),
});
export type Place = z.output<typeof Place>;

/**
 * The clusters that are up and that the caller has a right in, by its grants: rows alone, no cluster is asked. A token
 * that is bound to projects finds none, as it gets no credential of a cluster.
 */
export async function contexts(ctx: Context, page: PageInput): Promise<Page<Place>> {
  allow(ctx, "cluster:access", "some");
  if (ctx.actor.within?.projects !== undefined) return { items: [], next: null };
  const rows = await Grant.read(ctx);
  const now = ctx.now();
  const own = Grant.rights(rows, now).filter(({ member }) => member === ctx.actor.member);
  const read = async (part: PageInput): Promise<Page<Place | undefined>> => {
    const { items, next } = await Cluster.ways(ctx, part);
    return { items: items.map((way) => way && placeOf(way, rows, own, now)), next };
  };
  const keeps = (place: Place | undefined): boolean => place !== undefined && within(ctx, { cluster: place.cluster });
  const { items, next } = await sift(read, keeps, page);
  return { items: items.filter((place) => place !== undefined), next };
}

function placeOf(way: Cluster.Way, rows: Grant.Rows, own: Grant.Right[], now: string): Place | undefined {
  const held = Grant.reaching(own, way.cluster, rows.projects, now);
  if (held.length === 0) return undefined;
  const called = new Map<string, string>(rows.groups.map(({ id, name }) => [id, name]));
  const named = (of: Grant.Reach[]): string[] => [...new Set(of.map(({ group }) => called.get(group) ?? group))].sort();
  const wide = held.filter(({ project }) => project === undefined);
  // An owner's right is everything, and stands for itself alone: its projects are all that are there.
  const all = wide.some(({ group }) => group === "owner") ? everywhere(way.cluster, rows) : [];
  const ids = new Set([...held.flatMap(({ project }) => project ?? []), ...all]);
  const projects = rows.projects
    .filter(({ id }) => ids.has(id))
    .map(({ id, name }) => {
      const here = held.filter(({ project }) => project === id);
      return {
        id,
        name,
        groups: all.includes(id) ? named([...here, ...wide.filter(({ group }) => group === "owner")]) : named(here),
      };
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  return { ...way, groups: named(wide), projects };
}

const everywhere = (cluster: ID<"cluster">, { projects }: Grant.Rows): ID<"project">[] =>
  projects
    .filter(
      ({ deletedAt, places }) =>
        deletedAt === undefined && places.some((one) => one.cluster === cluster && one.leavingAt === undefined),
    )
    .map(({ id }) => id);
