// Where a token got a credential of a cluster: the clusters that are to be told of its end, and no others.
import type { Change, Context } from "../context.ts";
import type { ID } from "../id.ts";
import * as Outbox from "../outbox/index.ts";
import { collect } from "../page.ts";
import { type Entered, enteredKind, rowID, type Token, tokenKind } from "./schema.ts";

const daySeconds = 86_400;
/** No credential lives longer than a day, so what was noted two days ago and not since has nothing left there. */
const keepSeconds = 31 * daySeconds;
const freshSeconds = 2 * daySeconds;
const clustersMax = 500;

const entryID = (token: ID<"token">, cluster: string): string => `${token}/${cluster}`;

/**
 * To be written with the audit entry of a credential, before that is handed out: that the caller's token has one there.
 * The write is refused when the token ended meanwhile, so that none is out of whose end its cluster was not told.
 */
export async function enter(ctx: Context, cluster: ID<"cluster">): Promise<Change[]> {
  const { table, actor } = ctx;
  const { member, token } = actor;
  if (member === "system" || token === null) return [];
  const row = rowID(member, token);
  const now = Math.floor(Date.parse(ctx.now()) / 1000);
  const known = await table.get(enteredKind, entryID(token, cluster));
  const placed = { ttl: { absent: true } } as const;
  if (known !== undefined && known.ttl - now > freshSeconds) return [table.check(tokenKind, row, placed)];
  const fresh: Entered = { cluster, ttl: now + keepSeconds };
  const noted =
    known === undefined
      ? table.insert(enteredKind, entryID(token, cluster), fresh)
      : table.update(enteredKind, entryID(token, cluster), { set: { ttl: fresh.ttl } });
  return [table.update(tokenKind, row, { add: { entries: 1 }, when: placed }), noted];
}

/**
 * What tells the clusters that these tokens entered of their end. To be written with it, on condition that each token
 * still has the `entries` that it had when it was read.
 */
export async function told(ctx: Context, tokens: readonly Pick<Token, "id" | "entries">[]): Promise<Change[]> {
  const entered = tokens.filter(({ entries }) => entries !== undefined);
  const lists = await Promise.all(
    entered.map(({ id }) => collect((page) => ctx.table.list(enteredKind, { prefix: entryID(id, ""), ...page }))),
  );
  const clusters = [...new Set(lists.flat().map(({ cluster }) => cluster))];
  if (clusters.length === 0) return [];
  return [Outbox.note(ctx, clusters.length > clustersMax ? "all" : clusters)];
}
