import * as z from "zod";
import { allow } from "../allow.ts";
import type { Context, Kind } from "../context.ts";
import { Fault, missing } from "../error.ts";
import * as Grant from "../grant/index.ts";
import * as Group from "../group/index.ts";
import { type ID, idOf, kubeName } from "../id.ts";
import { decodeCursor, encodeCursor, limitDefault, type Page, type PageInput } from "../page.ts";
import { letting, type Reason, reasons, type Spot } from "./explain.ts";
import { groupOf } from "./resource.ts";
import type { Ask } from "./rules.ts";

const verb = z.string().regex(/^(\*|[a-z][a-z-]{0,40})$/, "must be a verb such as get, or *");
const resource = z
  .string()
  .regex(/^[a-z0-9*][-a-z0-9.]{0,100}(\/[a-z0-9*][-a-z0-9.]{0,100})?$/, "must be a resource such as pods or pods/log");
const apiGroup = z
  .string()
  .regex(/^[a-z0-9*]?[-a-z0-9.]{0,252}$/, "must be an API group such as apps, empty for the core one");

/** Where it is asked about, and what. A project alone means each of its clusters. */
export const RightsInput = z.strictObject({
  cluster: idOf("cluster").optional().describe("On this cluster; left out, on each of the project's."),
  project: idOf("project").optional().describe("In this project's namespace; left out, at the cluster's own scope."),
  verb: verb.optional().describe("What is to be done, as Kubernetes calls it: `get`, `create`, `*`."),
  resource: resource.optional().describe("To what, in the plural: `pods`, `pods/log`, `*`."),
  group: apiGroup.optional().describe("Its API group; left out, the one that Kubernetes has it in."),
  name: z.string().min(1).max(253).optional().describe("Of one object."),
});
export type RightsInput = z.output<typeof RightsInput>;

const Asked = z.object({ verb: z.string(), group: z.string(), resource: z.string(), name: z.string().optional() });
const Who = z.object({ id: idOf("member"), name: z.string() });
const Because = z.object({
  grant: z.union([idOf("grant"), z.literal("owner")]).describe("`owner`: it comes with the role."),
  group: Group.Ref,
  groupName: z.string(),
  scope: Grant.Scope,
  team: idOf("team").optional().describe("The team that it was given to."),
  rule: Group.Rule.describe("What of the group gives it."),
  clusters: z.array(idOf("cluster")).describe("Where it holds, of the clusters that were asked about."),
});
/** What one member may do somewhere, and why. */
export const Explained = z.object({
  member: Who,
  account: z.string().describe("What its account is called in each cluster, in the namespace berth-members."),
  asked: Asked.optional(),
  allowed: z.boolean().optional().describe("Whether it is, on each of the clusters; only of what was asked."),
  clusters: z.array(z.object({ id: idOf("cluster"), allowed: z.boolean().optional() })),
  because: z.array(Because),
  token: z
    .object({
      enters: z.boolean().describe("Whether it is scoped for clusters at all (`cluster:access`)."),
      credential: z
        .boolean()
        .describe("Whether it gets a cluster's own credential; if not, the proxy is its only way."),
      scopes: z.array(z.string()).nullable(),
      clusters: z.array(idOf("cluster")).optional(),
      projects: z.array(idOf("project")).optional(),
    })
    .optional()
    .describe("How the token that asks is held back; only of oneself."),
});
export type Explained = z.output<typeof Explained>;

/** One who may do what was asked, and why. */
export const Able = z.object({
  member: Who,
  account: z.string(),
  everywhere: z.boolean().describe("Whether on each of the clusters that were asked about."),
  because: z.array(Because),
});
export type Able = z.output<typeof Able>;

/**
 * What a member may do there and what gives it, from the rows alone: all of it, or what lets one request through.
 * @param input.member the caller, when left out. Of others only who reads members may ask.
 * @throws Fault `forbidden`, `missing`, `invalid`.
 */
export async function can(
  ctx: Context,
  { member: whom, ...input }: RightsInput & { member?: ID<"member"> | undefined },
): Promise<Explained> {
  allow(ctx, "grant:read", where(input));
  const self = whom === undefined || whom === ctx.actor.member;
  if (!self) allow(ctx, "member:read", where(input));
  const member = whom ?? ctx.actor.member;
  const [rows, ask] = [await Grant.read(ctx), asked(input)];
  const row = rows.members.find(({ id }) => id === member);
  if (row === undefined) throw missing("member");
  const spots = await spotsOf(ctx, rows, input);
  const own = reasons(rows, spots, ctx.now()).filter((each) => each.member === row.id);
  const because = ask === undefined ? own : letting(own, ask);
  const clusters = spots.map(({ cluster: id }) => ({
    id,
    ...(ask !== undefined && { allowed: because.some((reason) => reason.clusters.includes(id)) }),
  }));
  return {
    member: { id: row.id, name: row.name },
    account: kubeName(row.id),
    ...(ask !== undefined && {
      asked: ask,
      allowed: clusters.length > 0 && clusters.every(({ allowed }) => allowed === true),
    }),
    clusters,
    because: because.map((reason) => told(reason, rows)),
    ...(self && { token: heldBack(ctx) }),
  };
}

/** Everybody who may do it on at least one of the clusters, in the order of ids. @throws as `can` does. */
export async function whoCan(ctx: Context, { limit, after, ...input }: RightsInput & PageInput): Promise<Page<Able>> {
  allow(ctx, "grant:read", where(input));
  allow(ctx, "member:read", where(input));
  const [rows, ask] = [await Grant.read(ctx), asked(input)];
  if (ask === undefined) throw unsaid("verb");
  const spots = await spotsOf(ctx, rows, input);
  const names = new Map(rows.members.map(({ id, name }) => [id, name]));
  const able = Map.groupBy(letting(reasons(rows, spots, ctx.now()), ask), ({ member }) => member);
  const all = [...able].sort(([a], [b]) => (a < b ? -1 : 1));
  return pageOf(
    all,
    ([id]) => id,
    { limit, after },
    ([id, because]) => ({
      member: { id, name: names.get(id) ?? id },
      account: kubeName(id),
      everywhere: spots.every(({ cluster }) => because.some(({ clusters }) => clusters.includes(cluster))),
      because: because.map((reason) => told(reason, rows)),
    }),
  );
}

/** One page of what is known whole. @param key what a cursor stands on; the list is in its order. */
export function pageOf<T, V>(
  all: readonly T[],
  key: (item: T) => string,
  { limit = limitDefault, after }: PageInput,
  view: (item: T) => V,
): Page<V> {
  const from = after === undefined ? "" : decodeCursor(after);
  const rest = all.filter((item) => key(item) > from);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(view),
    next: rest.length > limit && last !== undefined ? encodeCursor(key(last)) : null,
  };
}

const where = ({ cluster, project }: RightsInput) => ({ ...(cluster && { cluster }), ...(project && { project }) });
const unsaid = (field: string, message = "must be said"): Fault =>
  new Fault("invalid", "The question can't be answered.", { errors: [{ field, message }] });

/** @throws Fault `invalid` when only half of a request is said. */
function asked({ verb: does, resource: what, group, name }: RightsInput): Ask | undefined {
  if (does === undefined && what === undefined) {
    if (group !== undefined || name !== undefined) throw unsaid("verb", "must be said with group or name");
    return undefined;
  }
  if (does === undefined) throw unsaid("verb");
  if (what === undefined) throw unsaid("resource");
  return { verb: does, resource: what, group: group ?? groupOf(what), ...(name !== undefined && { name }) };
}

/** That a cluster is there is all that is asked of its row, so one of any form will do. */
const clusterKind: Kind<{ name: string }> = {
  name: "cluster",
  schema: z.object({ name: z.string() }),
  form: Number.MAX_SAFE_INTEGER,
};

async function spotsOf(ctx: Context, rows: Grant.Rows, { cluster, project: id }: RightsInput): Promise<Spot[]> {
  const project = rows.projects.find((each) => each.id === id);
  if (id !== undefined && project === undefined) throw missing("project");
  if (cluster !== undefined && (await ctx.table.get(clusterKind, cluster)) === undefined) throw missing("cluster");
  if (project === undefined) {
    if (cluster === undefined) throw unsaid("cluster", "must be said when no project is");
    return [{ cluster }];
  }
  const placed = project.places.filter(({ leavingAt }) => leavingAt === undefined).map((place) => place.cluster);
  if (cluster === undefined) return placed.map((each) => ({ cluster: each, project: project.id }));
  if (!placed.includes(cluster)) throw unsaid("project", "must be on this cluster");
  return [{ cluster, project: project.id }];
}

function told({ member: _, ...reason }: Reason, { groups }: Grant.Rows): Explained["because"][number] {
  return { ...reason, groupName: groups.find(({ id }) => id === reason.group)?.name ?? reason.group };
}

function heldBack({ actor }: Context): NonNullable<Explained["token"]> {
  const { scopes, within: { clusters, projects } = {} } = actor;
  return {
    enters: scopes === null || scopes.includes("cluster:access"),
    credential: projects === undefined,
    scopes: scopes && [...scopes],
    ...(clusters && { clusters: [...clusters] }),
    ...(projects && { projects: [...projects] }),
  };
}
