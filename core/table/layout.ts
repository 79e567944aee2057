import type { ID } from "../id.ts";
import { limits } from "../lease.ts";

/** How many shards the due index has; a row's shard is a hash of its id. */
export const dueShards = limits.dueShards;

/** What the table itself keeps on a row; no verb may write these and no verb sees them. */
export const inner = ["pk", "sk", "dueKey", "dueAt", "insertedBy", "writtenBy"] as const;

/**
 * The definition of the one table, for whoever makes it: string keys `pk` (`<tenant>/<kind>`) and `sk` (the id),
 * and the sparse, keys-only index `due`. `ttl` (epoch seconds) is the attribute by which rows expire.
 */
export const layout = {
  AttributeDefinitions: [
    { AttributeName: "pk", AttributeType: "S" },
    { AttributeName: "sk", AttributeType: "S" },
    { AttributeName: "dueKey", AttributeType: "S" },
    { AttributeName: "dueAt", AttributeType: "S" },
  ],
  KeySchema: [
    { AttributeName: "pk", KeyType: "HASH" },
    { AttributeName: "sk", KeyType: "RANGE" },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: "due",
      KeySchema: [
        { AttributeName: "dueKey", KeyType: "HASH" },
        { AttributeName: "dueAt", KeyType: "RANGE" },
      ],
      Projection: { ProjectionType: "KEYS_ONLY" },
    },
  ],
  BillingMode: "PAY_PER_REQUEST",
} as const;

export const ttlAttribute = "ttl";

/** Longest id in bytes (DynamoDB's bound on a sort key). */
export const idBytesMax = 1024;

export interface Key {
  pk: string;
  sk: string;
}

/**
 * Where a row is kept.
 * @throws Error when the id can't be a key; ids are checked at the doors, so this is a bug.
 */
export function keyOf(tenant: ID<"tenant">, kind: string, id: string): Key {
  if (kind === "" || kind.includes("/")) throw new Error(`${kind} can't be the name of a kind`);
  if (id === "" || Buffer.byteLength(id) > idBytesMax) {
    throw new Error(`an id of ${kind} must have 1 to ${idBytesMax} bytes`);
  }
  return { pk: `${tenant}/${kind}`, sk: id };
}

export const tenantOf = (pk: string): ID<"tenant"> => pk.slice(0, pk.indexOf("/")) as ID<"tenant">;

export const dueKey = (shard: number): string => {
  if (!Number.isInteger(shard) || shard < 0 || shard >= dueShards) throw new Error(`there is no due shard ${shard}`);
  return `due/${shard}`;
};

/** FNV-1a: spreads ULIDs made in one millisecond, which differ in few characters only. */
export function shardOf(id: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(id)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return ((hash ^ (hash >>> 16)) >>> 0) % dueShards;
}

/** The index sorts texts, so every moment must be in one form: milliseconds and `Z`. */
export function moment(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new Error("a moment must be an ISO 8601 text");
  return time.toISOString();
}

/** A row's place in the due index. */
export const placeOf = (id: string, lookAt: string): { dueKey: string; dueAt: string } => ({
  dueKey: dueKey(shardOf(id)),
  dueAt: moment(lookAt),
});

/** Epoch seconds of an ISO 8601 text; a row whose `ttl` is not above it has expired. */
export const secondsOf = (now: string): number => Date.parse(now) / 1000;

export const expired = (row: Record<string, unknown>, seconds: number): boolean =>
  typeof row[ttlAttribute] === "number" && row[ttlAttribute] <= seconds;
