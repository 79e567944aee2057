import * as z from "zod";
import { type Change, type Context, type Kind, Refused, type Table } from "./context.ts";

/** What is kept of a request that carried an idempotency key, from its commit on. */
const Once = z.object({
  /** SHA-256 of all that was asked. */
  hash: z.string(),
  /** The id of what it was done to. */
  target: z.string(),
  /** Its answer, once that was given and where it may be given again. */
  status: z.number().int().optional(),
  body: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  /** It held a secret, which is shown once. */
  shown: z.boolean().optional(),
  /** Epoch seconds. */
  ttl: z.number().int(),
});
export type Once = z.output<typeof Once>;

/** Its id is `<member>/<operation>/<key>`. */
export const onceKind: Kind<Once> = { name: "once", schema: Once };
/** For how long a key is known. */
export const onceSeconds = 86_400;

/** The key was used by then, maybe a moment ago: nothing was written. */
export class Met extends Error {
  constructor() {
    super("the idempotency key was used before");
    this.name = "Met";
  }
}

/**
 * The context of one request that carries a key. Its first write that holds an audit entry, which is to say its change,
 * carries the key's row too: neither can be without the other.
 * @param key.secret the answer will hold what is shown once.
 * @param key.last of what takes several writes, the `noun:verb` of the entry that ends it. That write carries the key's
 * row, as a repeat of what broke off before must go on with it, and not be told that it is done.
 * @returns the context, and the target of the change once there was one.
 */
export function keyed<C extends Context>(
  ctx: C,
  key: { id: string; hash: string; secret: boolean; last?: string | undefined },
): { ctx: C; target(): string | undefined } {
  const { table } = ctx;
  let target: string | undefined;
  async function write(...changes: Change[]): Promise<void> {
    const audited = changes.find(
      ({ kind, act, row }) =>
        kind === "audit" && act === "insert" && (key.last === undefined || row?.["verb"] === key.last),
    );
    if (audited === undefined || target !== undefined) return await table.write(...changes);
    const named = String(audited.row?.["target"]);
    const row: Once = {
      hash: key.hash,
      target: named,
      ttl: Math.floor(Date.parse(ctx.now()) / 1000) + onceSeconds,
      ...(key.secret && { shown: true }),
    };
    try {
      await table.write(table.insert(onceKind, key.id, row), ...changes);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.index === 0) throw new Met();
      // The verb knows nothing of the key: it counts its own changes.
      throw new Refused(error.index - 1, error.found);
    }
    target = named;
  }
  const bound: Table = { ...table, write };
  return { ctx: { ...ctx, table: bound }, target: () => target };
}
