import { isDeepStrictEqual } from "node:util";
import { allow, within } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import { type Context, Refused } from "../context.ts";
import { Fault, missing, unmoved } from "../error.ts";
import { type ID, newID } from "../id.ts";
import { type Page, type PageInput, sift } from "../page.ts";
import * as Quota from "../quota/index.ts";
import { known } from "./clusters.ts";
import type { Only } from "./move.ts";
import { arrange, checkClusters, checkPeers, confirmed, guarded, unprotected } from "./places.ts";
import {
  type CreateInput,
  type Filter,
  nameKind,
  type Place,
  type Project,
  projectKind,
  type Receipt,
  receiptKind,
  type Spec,
  type SplitInput,
  type SplitView,
  type UpdateInput,
} from "./schema.ts";
import { split } from "./split.ts";
import * as store from "./store.ts";
import { shown } from "./view.ts";

const placeField = (index: number): string => `places.${index}.cluster`;

/**
 * A new project. Its namespaces are made by its clusters' access rows.
 * @throws Fault `conflict` when the name is taken or a cluster is being removed; `missing` for a cluster or project that
 * is not the tenant's; `invalid`; `forbidden` for privileged Pods to all but owners; `limit` when the tenant may have no
 * more.
 */
export async function create(ctx: Context, input: CreateInput): Promise<Project> {
  allow(ctx, "project:write");
  const { name, places, title = name, pullSecret, expiresAt, ...rest } = input;
  guarded(ctx, rest.podSecurity);
  future(ctx, expiresAt ?? undefined);
  await checkClusters(
    ctx,
    places.map(({ cluster }) => cluster),
    placeField,
  );
  await checkPeers(ctx, rest.network.openings);
  const id = newID(ctx, "project");
  const now = ctx.now();
  const spec: Spec = { ...rest, title, ...(pullSecret && { pullSecret }), ...(expiresAt && { expiresAt }) };
  const own = { id, tenant: ctx.tenant, name, createdAt: now, createdBy: ctx.actor.member };
  const project = store.timed({ ...own, spec, places, generation: 1, revision: 1 }, now);
  try {
    await Quota.taking(ctx, "projects", [
      ctx.table.insert(nameKind, name, { id }),
      ctx.table.insert(projectKind, id, project),
      Audit.entry(ctx, { verb: "project:create", target: id }),
      ...store.noted(ctx, places),
    ]);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new Fault("conflict", `There is a project named ${name} already.`, {
      errors: [{ field: "name", message: "is taken" }],
      cause: error,
    });
  }
  return project;
}

/** What limits would come to on these clusters. Nothing is made. @throws Fault as `create` does for its places. */
export async function preview(ctx: Context, input: SplitInput): Promise<SplitView> {
  allow(ctx, "project:read", "some");
  const { limits, reservePercent, places } = input;
  const rows = await checkClusters(
    ctx,
    places.map(({ cluster }) => cluster),
    placeField,
  );
  const { shares, reserve } = split(limits, reservePercent, places);
  const said = (share: ReturnType<typeof shares.get>) => shown(limits, share ?? {});
  return {
    places: places.map(({ cluster }) => {
      return { cluster, clusterName: rows.get(cluster)?.name ?? "", share: said(shares.get(cluster)) };
    }),
    reserve: said(reserve),
  };
}

/** The tenant's projects that fit the filter and that the caller's token reaches, oldest first. */
export async function list(ctx: Context, page: PageInput & Filter): Promise<Page<Project>> {
  allow(ctx, "project:read", "some");
  const { limit, after, ...filter } = page;
  const keep = (project: Project | undefined): project is Project =>
    project !== undefined && within(ctx, { project: project.id }) && fits(project, filter, ctx.now());
  if (filter.name !== undefined) {
    const held = await ctx.table.get(nameKind, filter.name);
    const project = held && (await ctx.table.get(projectKind, held.id));
    return { items: keep(project) ? [project] : [], next: null };
  }
  return await sift((part) => ctx.table.list(projectKind, part), keep, { limit, after });
}

function fits(project: Project, { cluster, labels, expiring }: Filter, now: string): boolean {
  const { spec, places } = project;
  return (
    (cluster === undefined || places.some((place) => place.cluster === cluster)) &&
    (expiring === undefined || (store.expiryOf(project, now) !== undefined) === expiring) &&
    (labels ?? []).every(([key, value]) => Object.hasOwn(spec.labels, key) && spec.labels[key] === value)
  );
}

/** @throws Fault `missing`. */
export async function get(ctx: Context, id: ID<"project">): Promise<Project> {
  allow(ctx, "project:read", { project: id });
  return await store.get(ctx, id);
}

/**
 * Changes a project; what is left out stays. Clusters that `places` no longer names lose its namespace with all that is
 * in it, for which `confirm` must be its name.
 * @param only.generation when given, the one generation that may be changed.
 * @throws Fault `missing`, also for clusters and peers; `stale`; `conflict` when it is being removed, or would lose a
 * namespace while it is protected; `forbidden` for clusters that the token is not bound to; `invalid`.
 */
export async function update(ctx: Context, id: ID<"project">, input: UpdateInput, only: Only = {}): Promise<Project> {
  allow(ctx, "project:write", { project: id });
  const { places: named, confirm, ...fields } = input;
  const changes = Object.entries({ ...fields, places: named }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  return await store.change(ctx, id, async (project) => {
    unmoved("project", project.generation, only.generation);
    if (project.deletedAt !== undefined) throw new Fault("conflict", "The project is being removed.");
    const spec = specOf(project.spec, fields);
    if (spec.podSecurity !== project.spec.podSecurity) guarded(ctx, spec.podSecurity);
    if (spec.expiresAt !== project.spec.expiresAt) future(ctx, spec.expiresAt);
    if (fields.network !== undefined) await checkPeers(ctx, fields.network.openings);
    const places = named === undefined ? project.places : await rearranged(ctx, { ...project, spec }, named, confirm);
    if (isDeepStrictEqual({ spec, places }, { spec: project.spec, places: project.places })) return undefined;
    const { expiredAt, ...rest } = project;
    const over = expiredAt !== undefined && store.expiryOf({ spec }, ctx.now()) === "Expired";
    const next = { ...rest, spec, places, ...(over && { expiredAt }), generation: project.generation + 1 };
    return { project: next, verb: "project:update", changes };
  });
}

/** What null takes away is gone; what is undefined stays. */
function specOf(before: Spec, fields: Omit<UpdateInput, "places" | "confirm">): Spec {
  const { pullSecret, expiresAt, ...whole } = fields;
  const said = Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined));
  const { pullSecret: secret, expiresAt: end, ...rest } = before;
  const [keptSecret, keptEnd] = [
    pullSecret === undefined ? secret : pullSecret,
    expiresAt === undefined ? end : expiresAt,
  ];
  return {
    ...rest,
    ...said,
    ...(keptSecret != null && { pullSecret: keptSecret }),
    ...(keptEnd != null && { expiresAt: keptEnd }),
  };
}

async function rearranged(
  ctx: Context,
  project: Project,
  named: NonNullable<UpdateInput["places"]>,
  confirm: string | undefined,
): Promise<Place[]> {
  const { places, fresh, dropped, touched } = arrange(project.places, named, ctx.now());
  const at = (cluster: ID<"cluster">): string => {
    const index = named.findIndex((each) => each.cluster === cluster);
    return index < 0 ? "places" : placeField(index);
  };
  await checkClusters(ctx, fresh, (index) => at(fresh[index] as ID<"cluster">), project.id);
  if (fresh.length > 0) guarded(ctx, project.spec.podSecurity);
  const strange = touched.filter((cluster) => !within(ctx, { cluster, project: project.id }));
  if (strange.length > 0) {
    const errors = strange.map((cluster) => ({ field: at(cluster), message: "is not your token's" }));
    throw new Fault("forbidden", "This token is bound to other clusters.", { errors });
  }
  const there = await known(ctx, dropped);
  const lost = dropped.filter((cluster) => there.has(cluster));
  if (lost.length > 0) {
    const names = lost.map((cluster) => there.get(cluster)?.name).join(", ");
    confirmed(project, confirm, `its namespace goes from ${names} with all that is in it`);
    unprotected(project.spec);
  }
  // What was on a cluster that is gone went with it.
  return places.filter(({ cluster }) => lost.includes(cluster) || !dropped.includes(cluster));
}

/**
 * Wants a project gone, with its namespaces and all that is in them. A repeat changes nothing.
 * @param only.generation when given, the one generation that may be removed.
 * @throws Fault `missing`; `stale`; `conflict` while it is protected; `invalid` when `confirm` is not its name.
 */
export async function remove(
  ctx: Context,
  id: ID<"project">,
  only: Only & { confirm?: string | undefined },
): Promise<Project> {
  allow(ctx, "project:write", { project: id });
  return await store.change(ctx, id, async (project) => {
    unmoved("project", project.generation, only.generation);
    confirmed(project, only.confirm, "its namespaces go with all that is in them");
    if (project.deletedAt !== undefined) return undefined;
    unprotected(project.spec);
    const now = ctx.now();
    const clusters = project.places.map(({ cluster }) => cluster);
    const there = await known(ctx, clusters);
    const places = project.places
      .filter(({ cluster }) => there.has(cluster))
      .map(({ movingTo: _, ...place }): Place => ({ ...place, leavingAt: place.leavingAt ?? now }));
    const next: Project = { ...project, places, clusters, deletedAt: now, generation: project.generation + 1 };
    return { project: next, verb: places.length === 0 ? "project:removed" : "project:remove", changes: ["deletedAt"] };
  });
}

/** What is left of a removed project. @throws Fault `missing` while it is there, and for what never was. */
export async function receipt(ctx: Context, id: ID<"project">): Promise<Receipt> {
  allow(ctx, "project:read", { project: id });
  const found = await ctx.table.get(receiptKind, id);
  if (found === undefined) throw missing("receipt");
  return found;
}

/** @throws Fault `invalid` for an expiry that has been. */
function future(ctx: Context, expiresAt: string | undefined): void {
  if (expiresAt === undefined || Date.parse(expiresAt) > Date.parse(ctx.now())) return;
  throw new Fault("invalid", "The expiry is in the past.", {
    errors: [{ field: "expiresAt", message: `must be later than now, ${ctx.now()}` }],
  });
}
