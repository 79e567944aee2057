// What is seen of the inside of a cluster, for people and projects.
import { type Inward, membersNamespace } from "../cluster/index.ts";
import { sightOf as digestOf } from "../cluster/index.ts";
import { type Found, type Kube, ours, type Query, type Work } from "../context.ts";
import * as Grant from "../grant/index.ts";
import { type ID, idNamed } from "../id.ts";
import { keyOf } from "../kube/index.ts";
import { limitMax } from "../page.ts";
import type { Lesson } from "../settle.ts";
import * as Token from "../token/index.ts";
import { labelsOf, rbac } from "./owed.ts";
import type { Access } from "./schema.ts";
import type { Seen, Session } from "./step.ts";

type Kinds = [apiVersion: string, kind: string][];
/** By which somebody may do something. */
export const rightKinds: Kinds = [
  ["v1", "ServiceAccount"],
  [rbac, "ClusterRole"],
  [rbac, "ClusterRoleBinding"],
  [rbac, "RoleBinding"],
];
/** What a project has in a cluster. */
export const projectKinds: Kinds = [
  ["v1", "Namespace"],
  ["v1", "ResourceQuota"],
  ["v1", "LimitRange"],
  ["networking.k8s.io/v1", "NetworkPolicy"],
];

export const list = async (kube: Kube, kinds: Kinds, query: Partial<Query>): Promise<Found[]> =>
  (await Promise.all(kinds.map(([apiVersion, kind]) => kube.list({ apiVersion, kind, ...query })))).flatMap(
    ({ items }) => items,
  );

/** Two digests, of rights and of projects, each by its half of what was found. */
export function sightOf(found: Iterable<Found>): string {
  const halves = Object.groupBy(found, ({ kind }) =>
    rightKinds.some(([, one]) => one === kind) ? "rights" : "projects",
  );
  return [halves.rights, halves.projects].map((half) => digestOf(half ?? [])).join(".");
}

export async function look(ctx: Work, access: Access, cluster: Inward): Promise<Seen> {
  const at = ctx.now();
  const reading = Grant.read(ctx);
  // Whatever fails first is what is told; the other is nobody's to catch any more.
  reading.catch(() => undefined);
  const kube = await cluster.open();
  const [rows, found, sessions] = await Promise.all([
    reading,
    list(kube, [...rightKinds, ...projectKinds], { labels: labelsOf(access) }),
    sessionsIn(ctx, kube),
  ]);
  const objects = new Map(found.map((one) => [keyOf(one, "inside"), one]));
  const names = rows.projects.filter(({ places }) => places.some((place) => place.cluster === access.cluster));
  const unseen = names.map(({ name }) => name).filter((name) => !objects.has(`Namespace ${name}`));
  const others = await Promise.all(unseen.map((name) => kube.get({ apiVersion: "v1", kind: "Namespace", name })));
  return {
    at,
    generation: access.generation,
    rows,
    objects,
    others: new Map(others.flatMap((one) => (one === undefined ? [] : [[one.metadata.name, one] as const]))),
    sessions,
    refused: {},
  };
}

/** Secrets by name and label alone: they hold nothing, and if they did it would not be read. */
async function sessionsIn(ctx: Work, kube: Kube): Promise<Session[]> {
  const query = {
    apiVersion: "v1",
    kind: "Secret",
    namespace: membersNamespace,
    labels: ours,
    metadata: true,
  } as const;
  const { items } = await kube.list(query);
  const labelled = items.flatMap((found) => {
    const { labels = {} } = found.metadata;
    const member = idNamed("member", labels["berth.dev/member"]);
    const token = idNamed("token", labels["berth.dev/token"]);
    return member === undefined ? [] : [{ found, member, token }];
  });
  const over = new Set<ID<"token">>();
  const asked = labelled.flatMap(({ member, token }) => (token === undefined ? [] : [{ member, token }]));
  for (let from = 0; from < asked.length; from += limitMax) {
    const some = asked.slice(from, from + limitMax);
    const ended = await Token.ended(ctx, some);
    for (const token of ended) over.add(token);
  }
  return labelled.map(({ found, member, token }) => ({ found, member, over: token !== undefined && over.has(token) }));
}

const marks = ({ metadata, status }: Found): string =>
  JSON.stringify([
    metadata.uid,
    metadata.deletionTimestamp,
    (status as { conditions?: unknown } | undefined)?.conditions,
  ]);

/** Wakes when a namespace comes, goes, or says something else about its end. */
export async function coming(
  access: Access,
  cluster: Inward,
  seen: Seen,
  signal: AbortSignal,
): Promise<Lesson<Seen> | undefined> {
  const kube = await cluster.open();
  const query = { apiVersion: "v1", kind: "Namespace", labels: labelsOf(access) };
  const { items, resourceVersion } = await kube.list(query);
  const before = new Map(
    [...seen.objects.values()].flatMap((one) => (one.kind === "Namespace" ? [[one.metadata.name, marks(one)]] : [])),
  );
  const now = new Map(items.map((one) => [one.metadata.name, marks(one)]));
  const moved = now.size !== before.size || [...now].some(([name, mark]) => before.get(name) !== mark);
  if (moved) return undefined;
  for await (const { type, object } of kube.watch(query, { resourceVersion, seconds: 45, signal })) {
    if (type === "DELETED" || marks(object) !== now.get(object.metadata.name)) return undefined;
  }
  return undefined;
}
