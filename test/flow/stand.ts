import type { Found, Manifest } from "#core/context.ts";
import { type Access, accessOf } from "#core/access/schema.ts";
import type { Cluster } from "#core/cluster/schema.ts";
import { type ID, kubeName } from "#core/id.ts";
import { newWorld, type Person, type World } from "../world/index.ts";
import type { Server } from "../world/kube.ts";
import type { Fate } from "../world/queue.ts";

/** A world with one host, and an owner who makes clusters there. */
export async function newStand(options: { seed?: number; pokes?: Fate } = {}) {
  const world = newWorld(options);
  const host = await world.host({ ports: { from: 30_000, to: 30_009 } });
  const ada = await world.tenant("red");
  const kube = world.on(host);
  const stand = {
    world,
    host,
    ada,
    /** The host's API server. */
    kube,
    inside: (id: string): Server => world.inside(host, id),
    /** What was asked for and not yet worked on. @throws Error when it is refused. */
    async ask(input: Record<string, unknown> = {}): Promise<string> {
      const { status, text, body } = await ada.post("/v1/clusters", { name: "one", ...input });
      if (status !== 201) throw new Error(text);
      return String(body["id"]);
    },
    /** A cluster that is ready. */
    async make(input: Record<string, unknown> = {}): Promise<string> {
      const id = await stand.ask(input);
      await world.drain();
      if ((await stand.phase(id)) !== "Ready") throw new Error(`${id} is not ready`);
      return id;
    },
    row: (id: string): Cluster | undefined =>
      world.tables.rows().get(`${ada.tenant}/cluster/${id}`) as Cluster | undefined,
    async phase(id: string): Promise<unknown> {
      const { status, body } = await ada.get(`/v1/clusters/${id}`);
      return status === 200 ? (body["status"] as { phase: string }).phase : status;
    },
    /** The conditions by type. */
    conditions(id: string): Record<string, Cluster["status"]["conditions"][number]> {
      return Object.fromEntries((stand.row(id)?.status.conditions ?? []).map((each) => [each.type, each]));
    },
    /** What of a cluster is on its host, by kind and name. */
    onHost: (id: string): Map<string, Manifest> =>
      shape(kube.objects.all().filter((one) => belongs(one, kubeName(id)))),
    /** What Berth made in a cluster, by kind and name. */
    within: (id: string): Map<string, Manifest> =>
      shape(
        stand
          .inside(id)
          .objects.all()
          .filter(({ metadata }) => metadata.labels?.["berth.dev/cluster"] === kubeName(id)),
      ),
    /** What Berth keeps in a cluster for people and projects, by kind and name. */
    kept: (id: string): Map<string, Manifest> =>
      shape(
        stand
          .inside(id)
          .objects.all()
          .filter(({ metadata }) => metadata.labels?.["berth.dev/access"] === kubeName(accessOf(clusterID(id)))),
      ),
    /** The names of what is kept of a kind, with its namespace where it has one. */
    names: (id: string, kind: string): string[] =>
      [...stand.kept(id).values()]
        .filter((one) => one.kind === kind)
        .map(({ metadata: { name, namespace } }) => (namespace === undefined ? name : `${namespace}/${name}`)),
    access: (id: string): Access => {
      const row = world.tables.rows().get(`${ada.tenant}/access/${accessOf(clusterID(id))}`);
      if (row === undefined) throw new Error(`${id} has no access row`);
      return row as unknown as Access;
    },
    /** A change by the owner, and the worker's work on it. @throws Error when it is refused. */
    async does(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
      const headers: Record<string, string> = method === "POST" ? {} : { "If-Match": "*" };
      const answer = await ada.call(method, path, body, headers);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.text}`);
      await world.drain();
      return answer.body;
    },
    /** A grant's id. */
    give: async (subject: string, group: string, scope: string, more: object = {}): Promise<string> =>
      String((await stand.does("POST", "/v1/grants", { subject, group, scope, ...more }))["id"]),
    /** A project's id. */
    space: async (name: string, clusters: string[], more: object = {}): Promise<string> => {
      const places = clusters.map((cluster) => ({ cluster }));
      return String((await stand.does("POST", "/v1/projects", { name, places, ...more }))["id"]);
    },
    /** All that must not move when nothing is to be done. */
    still: (id: string): unknown => ({
      host: kube.writes,
      inside: stand.inside(id).writes,
      rows: [...world.tables.rows()].filter(([key]) => !/\/(host|token)\//.test(key)),
    }),
  };
  return stand;
}
export type Stand = Awaited<ReturnType<typeof newStand>>;
export type { Person, World };

const belongs = ({ kind, metadata }: Found, namespace: string): boolean =>
  metadata.namespace === namespace || (kind === "Namespace" && metadata.name === namespace);

/** Objects without what only tells when and how often they were written. */
export function shape(objects: Found[]): Map<string, Manifest> {
  const plain = ({ apiVersion, kind, metadata, status: _, ...rest }: Found): Manifest => {
    const { name, namespace, labels } = metadata;
    const kept = { name, ...(namespace !== undefined && { namespace }), ...(labels && { labels }) };
    return { apiVersion, kind, metadata: kept, ...rest };
  };
  const named = objects.map((one): [string, Manifest] => [
    [one.kind, one.metadata.namespace, one.metadata.name].filter(Boolean).join(" "),
    plain(one),
  ]);
  return new Map(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** How often a set of keys was made for good. */
export function countAuthorities(world: World): () => number {
  let count = 0;
  const before = world.outside;
  world.outside = async (call) => {
    await before?.(call);
    const made = call.table?.changes?.some(
      ({ kind, act, id }) => kind === "key" && act === "insert" && id.endsWith("/authorities"),
    );
    if (made === true && call.when === "after") count += 1;
  };
  return () => count;
}

export const clusterID = (id: string): ID<"cluster"> => id as ID<"cluster">;
