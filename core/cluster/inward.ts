// What the rooms that work inside of clusters need to know of one, and the way in.
import type { Context, Kind, Kube, Work } from "../context.ts";
import type { ID } from "../id.ts";
import { limitMax } from "../page.ts";
import { parts } from "./home.ts";
import { adminTarget, keyID, keyKind, openSealed } from "./keys.ts";
import { type Cluster, clusterKind } from "./schema.ts";

/** One cluster, to who works inside of it or asks whether anybody could. */
export interface Known {
  name: string;
  region: string;
  /** `making` until its API server has first answered, `leaving` once removal was asked for. */
  state: "making" | "standing" | "leaving";
}

export interface Inward extends Known {
  /**
   * A client of its API server as Berth, its administrator; the same one each time.
   * @param options.heard its host is known to answer; else that is asked first.
   * @throws Silent while its host is known to answer nobody; Error when its keys are not there.
   */
  open(options?: { heard?: true }): Promise<Kube>;
}

/**
 * One cluster as it stands, with a row of another room that is read in the same call; undefined what is gone. Two
 * calls more to open it, one where its host was heard.
 */
export async function inward<T>(
  ctx: Work,
  id: ID<"cluster">,
  beside: readonly [Kind<T>, string],
): Promise<[Inward | undefined, T | undefined]> {
  const [cluster, sealed, other] = await ctx.table.getAll([
    [clusterKind, id],
    [keyKind, keyID(id, "authorities")],
    beside,
  ]);
  const row: T | undefined = other;
  if (cluster === undefined) return [undefined, row];
  const enter = async (heard: boolean): Promise<Kube> => {
    if (sealed === undefined) throw new Error(`${id} has no keys`);
    if (!heard) await parts(ctx, cluster);
    const { value } = await openSealed(ctx, cluster, "authorities", sealed);
    return ctx.kube(await adminTarget(ctx, cluster, value));
  };
  let entered: Promise<Kube> | undefined;
  const open: Inward["open"] = ({ heard = false } = {}) =>
    (entered ??= enter(heard).catch((error: unknown) => {
      // What failed once is tried anew by who comes next.
      entered = undefined;
      throw error;
    }));
  return [{ ...known(cluster), open }, row];
}

/** Those of these clusters that are there, by id. */
export async function all(ctx: Pick<Context, "table">, ids: ID<"cluster">[]): Promise<Map<ID<"cluster">, Known>> {
  const found = new Map<ID<"cluster">, Known>();
  for (let from = 0; from < ids.length; from += limitMax) {
    const keys = ids.slice(from, from + limitMax).map((id) => [clusterKind, id] as const);
    for (const cluster of await ctx.table.getAll(keys)) {
      if (cluster !== undefined) found.set(cluster.id, known(cluster));
    }
  }
  return found;
}

const known = ({ name, spec, deletedAt, status }: Cluster): Known => ({
  name,
  region: spec.region,
  state: deletedAt !== undefined ? "leaving" : status.born === true ? "standing" : "making",
});
