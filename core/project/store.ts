import { isDeepStrictEqual } from "node:util";
import * as Audit from "../audit/index.ts";
import { type Change, type Context, Refused } from "../context.ts";
import { Fault, missing } from "../error.ts";
import type { ID } from "../id.ts";
import { later } from "../lease.ts";
import * as Outbox from "../outbox/index.ts";
import * as Quota from "../quota/index.ts";
import { nameKind, type Place, type Project, projectKind, receiptKind } from "./schema.ts";

/** How long before its expiry a project says so. */
export const warningSeconds = 7 * 24 * 3600;
/** How often a move, and namespaces that are going, are looked at without anybody's word. */
const moveSeconds = 30;
const leavingSeconds = 600;
const tries = 20;

/** @throws Fault `missing`, also for what belongs to another tenant. */
export async function get(ctx: Pick<Context, "table">, id: ID<"project">): Promise<Project> {
  const project = await ctx.table.get(projectKind, id);
  if (project === undefined) throw missing("project");
  return project;
}

/** What a change makes of a project. */
export interface Next {
  project: Project;
  verb: string;
  /** Names of the fields that changed. */
  changes?: string[];
}

/**
 * Reads a project and writes what `work` makes of it, with an audit entry and a note to all clusters that it was or is
 * on; when it was changed meanwhile, once more from the start. One that was removed ends with its last place.
 * @param work undefined when there is nothing to change.
 * @returns the project as it is then, or as it was last when it ended.
 */
export async function change(
  ctx: Context,
  id: ID<"project">,
  work: (project: Project) => Promise<Next | undefined> | Next | undefined,
): Promise<Project> {
  for (let left = tries; left > 0; left -= 1) {
    const before = await get(ctx, id);
    const next = await work(before);
    if (next === undefined) return before;
    const after = { ...timed(next.project, ctx.now()), revision: before.revision + 1 };
    const said = Audit.entry(ctx, { verb: next.verb, target: id, ...(next.changes && { changes: next.changes }) });
    // A place that has ended is nobody's matter: what is wanted of the others is as it was.
    const told = after.generation === before.generation ? [] : noted(ctx, before.places, after.places);
    try {
      await (after.deletedAt !== undefined && after.places.length === 0
        ? end(ctx, before, after, [said])
        : ctx.table.write(edited(ctx, before, after), said, ...told));
      return after;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  throw new Fault("unavailable", "The project is changed by others all the time; try again.", { retryAfterSeconds: 1 });
}

function edited(ctx: Context, before: Project, after: Project): Change {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const set = Object.fromEntries([...now].filter(([name, value]) => !isDeepStrictEqual(value, old.get(name))));
  const remove = [...old.keys()].filter((name) => !now.has(name));
  return ctx.table.update(projectKind, before.id, { set, remove, when: { revision: before.revision } });
}

/** To be told to every cluster that has, had or is to have a namespace of it. */
export function noted(ctx: Context, ...lists: Place[][]): Change[] {
  const clusters = [...new Set(lists.flat().map(({ cluster }) => cluster))];
  return clusters.length === 0 ? [] : [Outbox.note(ctx, clusters)];
}

/** Row and name go and the receipt comes, in one transaction. */
async function end(ctx: Context, before: Project, after: Project, also: Change[]): Promise<void> {
  const { id, name, createdAt } = after;
  const now = ctx.now();
  const clusters = after.clusters ?? [];
  const receipt = { id, name, createdAt, deletedAt: after.deletedAt ?? now, goneAt: now, clusters };
  await Quota.giving(ctx, "projects", [
    ctx.table.remove(projectKind, id, { revision: before.revision }),
    ctx.table.remove(nameKind, name, { id }),
    ctx.table.insert(receiptKind, id, receipt),
    ...also,
  ]);
}

/** With the time at which it is to be looked at next, if there is one. */
export function timed({ lookAt: _, ...project }: Project, now: string): Project {
  const { expiresAt } = project.spec;
  const times: string[] = [];
  if (project.places.some(({ movingTo }) => movingTo !== undefined)) times.push(later(now, moveSeconds));
  // Whoever sees a namespace gone says so; a cluster that is gone itself says nothing.
  if (project.places.some(({ leavingAt }) => leavingAt !== undefined)) times.push(later(now, leavingSeconds));
  if (expiresAt !== undefined && project.expiredAt === undefined && project.deletedAt === undefined) {
    const warning = later(expiresAt, -warningSeconds);
    times.push(warning > now ? warning : later(expiresAt, 0));
  }
  const lookAt = times.toSorted()[0];
  return { ...project, ...(lookAt !== undefined && { lookAt }) };
}

/** Where its expiry stands; undefined while it is far, or there is none. */
export function expiryOf(
  { spec: { expiresAt } }: Pick<Project, "spec">,
  now: string,
): "Expiring" | "Expired" | undefined {
  if (expiresAt === undefined) return undefined;
  const left = Date.parse(expiresAt) - Date.parse(now);
  if (left <= 0) return "Expired";
  return left <= warningSeconds * 1000 ? "Expiring" : undefined;
}

/** Says when it is to be looked at next, and nothing else. Who was changed meanwhile has a time of its own by that. */
export async function due(ctx: Context, { id, revision }: Project, lookAt: string | undefined): Promise<void> {
  const edit = lookAt === undefined ? { remove: ["lookAt"] } : { set: { lookAt } };
  try {
    await ctx.table.write(ctx.table.update(projectKind, id, { ...edit, when: { revision } }));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
}
