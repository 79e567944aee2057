// The table: rows of tenants in one DynamoDB table. The only room that speaks DynamoDB.
import {
  type AttributeValue,
  BatchGetItemCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { Home, Kind, Table } from "../context.ts";
import type { ID } from "../id.ts";
import { encodeCursor } from "../page.ts";
import { changesOf } from "./change.ts";
import { expired, type Key, keyOf, secondsOf } from "./layout.ts";
import { dueKey, hostKey, parkedKey, unsealedKey } from "./place.ts";
import { placesOf, rowsOf } from "./query.ts";
import { parseRow, rangeOf } from "./read.ts";
import { Passing, patiently } from "./retry.ts";
import { edit, type Store, write } from "./send.ts";

export { dueShards, lapOf, layout, shardOf, ttlAttribute } from "./layout.ts";

type Row = Record<string, unknown>;

/** How to reach the table. */
export interface TableOptions {
  tableName: string;
  /** ISO 8601, UTC; rows expire by it. */
  now: () => string;
  /** Region, endpoint, credentials. Its retries are switched off: this room retries, in one layer. */
  client?: DynamoDBClientConfig;
}

/** All tenants' tables; whoever composes a `Home` takes these from here. */
export interface Tables extends Pick<Home, "table" | "due" | "parked" | "unsealed" | "carried"> {
  /** Closes the connections. */
  close(): void;
}

/** A call that has had no answer for so long is sent again. */
const answerMilliseconds = 5_000;

/** Steps of the SDK that do nothing for a read by key but take time: they tell of ourselves, or log to nobody. */
const spared = ["getUserAgentMiddleware", "loggerMiddleware", "recursionDetectionMiddleware"];

export function openTable({ tableName, now, client: config = {} }: TableOptions): Tables {
  const settings: DynamoDBClientConfig = {
    requestHandler: { connectionTimeout: 1_000, requestTimeout: answerMilliseconds, throwOnRequestTimeout: true },
    ...config,
    maxAttempts: 1,
  };
  const base = new DynamoDBClient(settings);
  // Every request reads rows by key. For those the SDK makes its chain of steps once, not at each call, which the
  // document client does not allow. Both have the same connections.
  const reader = new DynamoDBClient({ ...settings, requestHandler: base.config.requestHandler, cacheMiddleware: true });
  for (const name of spared) reader.middlewareStack.remove(name);
  const store: Store = { client: DynamoDBDocumentClient.from(base), reader, tableName, now };
  return {
    table: (tenant) => tableOf(store, tenant),
    due: async (shard, before, page) => await placesOf(store, "due", { key: dueKey(shard), before }, page),
    parked: async (page) => await placesOf(store, "due", { key: parkedKey }, page),
    unsealed: async (shard, before, page) => await placesOf(store, "due", { key: unsealedKey(shard), before }, page),
    carried: async (host, page) => await placesOf(store, "lap", { key: hostKey(host) }, page),
    close: () => base.destroy(),
  };
}

function tableOf(store: Store, tenant: ID<"tenant">): Table {
  const { reader, tableName, now } = store;
  const makers = changesOf(tenant);
  const parse = <T>(kind: Kind<T>, id: string, row: Row | undefined): T | undefined =>
    row && !expired(row, secondsOf(now())) ? parseRow(kind, id, row) : undefined;
  return {
    ...makers,
    tenant,
    async get(kind, id, options) {
      const Key = asked(keyOf(tenant, kind.name, id));
      const command = new GetItemCommand({ TableName: tableName, Key, ConsistentRead: !options?.stale });
      const { Item } = await patiently(() => reader.send(command));
      return parse(kind, id, Item && unmarshall(Item));
    },
    async getAll<const K extends readonly (readonly [Kind<unknown>, string])[]>(wanted: K) {
      const found = await batch(
        store,
        wanted.map(([kind, id]) => keyOf(tenant, kind.name, id)),
      );
      const rows = wanted.map(([kind, id]) => parse(kind, id, found.get(`${tenant}/${kind.name}/${id}`)));
      return rows as { [I in keyof K]: K[I] extends readonly [Kind<infer T>, string] ? T | undefined : never };
    },
    async list(kind, page) {
      const asked = rangeOf(page);
      const pk = `${tenant}/${kind.name}`;
      const { items, more } = await rowsOf(store, pk, asked, page?.newest === true);
      const last = items.at(-1)?.["sk"];
      return {
        items: items.map((item) => parseRow(kind, String(item["sk"]), item)),
        next: more && typeof last === "string" ? encodeCursor(last) : null,
      };
    },
    write: (...changes) => write(store, changes),
    edit: async (kind, id, change) => parseRow(kind, id, await edit(store, makers.update(kind, id, change))),
  };
}

const asked = ({ pk, sk }: Key): Record<string, AttributeValue> => ({ pk: { S: pk }, sk: { S: sk } });

/** Up to 100 items by `<pk>/<sk>`. A batch may leave keys over, and refuses a key that is named twice. */
async function batch({ reader, tableName }: Store, keys: Key[]): Promise<Map<string, Row>> {
  if (keys.length > 100) throw new Error("100 rows at most are read at once");
  const found = new Map<string, Row>();
  let left = [...new Map(keys.map((key) => [`${key.pk}/${key.sk}`, asked(key)])).values()];
  if (left.length === 0) return found;
  await patiently(async () => {
    const RequestItems = { [tableName]: { Keys: left, ConsistentRead: true } };
    const answer = await reader.send(new BatchGetItemCommand({ RequestItems }));
    for (const each of answer.Responses?.[tableName] ?? []) {
      const item = unmarshall(each);
      found.set(`${item["pk"]}/${item["sk"]}`, item);
    }
    left = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
    if (left.length > 0) throw new Passing(`${left.length} keys were left over`);
  });
  return found;
}
