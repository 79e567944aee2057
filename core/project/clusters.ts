import * as z from "zod";
import type { Context, Kind } from "../context.ts";
import { type ID, idOf } from "../id.ts";

/** What a project needs to know of a cluster, of whatever form its row is. */
const Known = z.object({ id: idOf("cluster"), name: z.string(), deletedAt: z.string().optional() });
type Known = z.output<typeof Known>;
const knownKind: Kind<Known> = { name: "cluster", schema: Known, form: Number.MAX_SAFE_INTEGER };

const atOnce = 100;

/** The clusters of the tenant among these, by id; who is not there is gone, or was never the tenant's. */
export async function known(
  { table }: Pick<Context, "table">,
  ids: readonly ID<"cluster">[],
): Promise<Map<ID<"cluster">, Known>> {
  const wanted = [...new Set(ids)];
  const found: Known[] = [];
  for (let from = 0; from < wanted.length; from += atOnce) {
    const rows = await table.getAll(wanted.slice(from, from + atOnce).map((id) => [knownKind, id] as const));
    found.push(...rows.filter((row) => row !== undefined));
  }
  return new Map(found.map((row) => [row.id, row]));
}
