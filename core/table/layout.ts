import type { ID } from "../id.ts";
import { limits } from "../lease.ts";

/** How many shards the indexes over all tenants have; a row's shard is a hash of its id, an entry's of its tenant. */
export const dueShards = limits.dueShards;

/** What the table itself keeps on a row; no verb may write these and no verb sees them. */
export const inner = ["pk", "sk", "dueKey", "dueAt", "hostKey", "lapKey", "form", "insertedBy", "writtenBy"] as const;

/**
 * The definition of the one table, for whoever makes it: string keys `pk` (`<tenant>/<kind>`) and `sk` (the id),
 * and two sparse indexes: `due` (keys alone) of what waits for its time, for a person or for a seal, and `lap` of what
 * a host carries, with the row's `sight`. `ttl` (epoch seconds) is the attribute by which rows expire.
 */
export const layout = {
  AttributeDefinitions: [
    { AttributeName: "pk", AttributeType: "S" },
    { AttributeName: "sk", AttributeType: "S" },
    { AttributeName: "dueKey", AttributeType: "S" },
    { AttributeName: "dueAt", AttributeType: "S" },
    { AttributeName: "hostKey", AttributeType: "S" },
    { AttributeName: "lapKey", AttributeType: "S" },
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
    {
      IndexName: "lap",
      KeySchema: [
        { AttributeName: "hostKey", KeyType: "HASH" },
        { AttributeName: "lapKey", KeyType: "RANGE" },
      ],
      Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["sight"] },
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

/** FNV-1a: spreads ULIDs made in one millisecond, which differ in few characters only. */
function spread(id: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(id)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** In which of the `dueShards` an id is. */
export const shardOf = (id: string): number => spread(id) % dueShards;

/** In which tenth of its host an id is, 0 to 9, so that a large host can be listed in shares. */
export const lapOf = (id: string): number => spread(id) % 10;

/** The index sorts texts, so every moment must be in one form: milliseconds and `Z`. */
export function moment(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new Error("a moment must be an ISO 8601 text");
  return time.toISOString();
}

/** Epoch seconds of an ISO 8601 text; a row whose `ttl` is not above it has expired. */
export const secondsOf = (now: string): number => Date.parse(now) / 1000;

export const expired = (row: Record<string, unknown>, seconds: number): boolean =>
  typeof row[ttlAttribute] === "number" && row[ttlAttribute] <= seconds;
