import { type Change, type Context, Refused } from "../context.ts";
import { newID } from "../id.ts";
import { collect } from "../page.ts";
import { type Note, noteKind, type Whom } from "./schema.ts";

/** To be written with a change that clusters are to follow. */
export function note(ctx: Pick<Context, "table" | "now" | "random">, clusters: Whom): Change {
  const id = newID(ctx, "outbox");
  return ctx.table.insert(noteKind, id, { id, clusters, lookAt: ctx.now() });
}

/** What is to be told yet, the oldest first; one or none in all but bad hours. */
export const pending = ({ table }: Pick<Context, "table">): Promise<Note[]> =>
  collect((page) => table.list(noteKind, page));

/** All of its clusters know. Twice is harmless, as two may have told them. */
export async function done({ table }: Pick<Context, "table">, { id }: Note): Promise<void> {
  try {
    await table.write(table.remove(noteKind, id));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
}
