import type { Context } from "../context.ts";
import type { ID } from "../id.ts";
import { collect } from "../page.ts";
import { grantKind } from "./schema.ts";

/** How many grants, and requests that wait, are of a group. */
export const using = async ({ table }: Pick<Context, "table">, id: ID<"group">): Promise<number> =>
  (await collect((page) => table.list(grantKind, page))).filter(({ group }) => group === id).length;
