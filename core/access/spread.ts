// How a change of rights comes to the clusters: noted with the change, marked on their rows, and waited for.
import * as Cluster from "../cluster/index.ts";
import { secondsBetween } from "../condition.ts";
import { type Change, type Context, Refused } from "../context.ts";
import type { ID } from "../id.ts";
import { engineStart, wake } from "../lease.ts";
import * as Outbox from "../outbox/index.ts";
import { collect, limitMax } from "../page.ts";
import { type Access, accessKind, accessOf, type Confirmation } from "./schema.ts";

const pollMs = 200;
const pokeAgainSeconds = 2;

/** What is kept of people and projects in a new cluster: to be written with its own row. */
export function birth(ctx: Pick<Context, "table" | "tenant" | "now">, cluster: ID<"cluster">): Change {
  const id = accessOf(cluster);
  const now = ctx.now();
  return ctx.table.insert(accessKind, id, {
    id,
    tenant: ctx.tenant,
    cluster,
    createdAt: now,
    status: { conditions: [], projects: {}, accounts: [], rights: 0, given: 0, spaces: {}, refused: {}, strangers: [] },
    lookAt: now,
    ...engineStart,
  });
}

/**
 * Tells the clusters all that was noted for them: their rows are due now, at a generation that is not settled yet. A
 * note goes once its clusters were told, so that whoever dies on the way is followed by the sweep; told twice they
 * look twice.
 * @returns who was told.
 */
export async function spread(ctx: Context): Promise<ID<"cluster">[]> {
  const notes = await Outbox.pending(ctx);
  if (notes.length === 0) return [];
  const everyone = notes.some(({ clusters }) => clusters === "all");
  const rows = everyone ? await collect((page) => ctx.table.list(accessKind, page)) : [];
  const named = notes.flatMap(({ clusters }) => (clusters === "all" ? [] : clusters));
  const told = [...new Set([...rows.map(({ cluster }) => cluster), ...named])];
  await Promise.all(told.map((cluster) => mark(ctx, accessOf(cluster))));
  await Promise.all(notes.map((note) => Outbox.done(ctx, note)));
  return told;
}

async function mark(ctx: Context, id: ID<"access">): Promise<void> {
  try {
    await ctx.table.edit(accessKind, id, { ...wake(ctx.now()), add: { generation: 1 } });
  } catch (error) {
    // A cluster that is gone needs to be told nothing.
    if (!(error instanceof Refused)) throw error;
    return;
  }
  await ctx.poke(id);
}

/**
 * Waits until what was taken away is gone from these clusters, or with `gives` until what was given is there, for
 * `seconds` at most. One that is not made yet, or that is being removed, has nothing to take away.
 */
export async function confirm(
  ctx: Context,
  clusters: ID<"cluster">[],
  { seconds, gives = false, sleep }: { seconds: number; gives?: boolean; sleep: (ms: number) => Promise<void> },
): Promise<Confirmation> {
  const began = ctx.now();
  const known = await Cluster.all(ctx, clusters);
  const standing = clusters.filter((cluster) => known.get(cluster)?.state === "standing");
  let rows = await readAll(ctx, standing);
  const wanted = new Map(rows.map(({ cluster, generation }) => [cluster, generation]));
  const reached = ({ rights, given }: Access["status"]): number => (gives ? given : rights);
  const late = (): Access[] => rows.filter(({ cluster, status }) => reached(status) < (wanted.get(cluster) ?? 0));
  for (let poked = false; late().length > 0; ) {
    const passed = secondsBetween(began, ctx.now());
    if (passed >= seconds) break;
    if (!poked && passed >= pokeAgainSeconds) {
      poked = true;
      await Promise.all(late().map(({ id }) => ctx.poke(id)));
    }
    await sleep(pollMs);
    const asked = late().map(({ cluster }) => cluster);
    rows = await readAll(ctx, asked);
  }
  const pending = late().map((row) => {
    const name = known.get(row.cluster)?.name ?? row.cluster;
    return { cluster: row.cluster, name, why: whyOf(row) };
  });
  const open = new Set(pending.map(({ cluster }) => cluster));
  return { confirmed: clusters.filter((cluster) => known.has(cluster) && !open.has(cluster)), pending };
}

/** The rows of those of these clusters that have one. */
export async function readAll(ctx: Pick<Context, "table">, clusters: ID<"cluster">[]): Promise<Access[]> {
  const found: Access[] = [];
  for (let from = 0; from < clusters.length; from += limitMax) {
    const keys = clusters.slice(from, from + limitMax).map((cluster) => [accessKind, accessOf(cluster)] as const);
    found.push(...(await ctx.table.getAll(keys)).filter((row) => row !== undefined));
  }
  return found;
}

/** A sentence: what keeps a cluster from following. */
export function whyOf({ status, failures }: Pick<Access, "status" | "failures">): string {
  const of = (type: string) => status.conditions.find((condition) => condition.type === type);
  const [ready, failing] = [of("Ready"), of("Retrying")];
  if (ready?.reason === "Unreachable") return ready.message;
  if (failing !== undefined && failures > 0) return `It has failed since ${failing.at}: ${failing.message}`;
  return "It has not answered yet; it is tried until it does.";
}
