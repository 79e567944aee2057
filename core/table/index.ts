// The table: rows of tenants in one DynamoDB table. The only room that speaks DynamoDB.
import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { Home, Kind, Table } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import { decodeCursor, encodeCursor, type Page, type PageInput } from "../page.ts";
import { changesOf } from "./change.ts";
import { living } from "./expression.ts";
import { dueKey, expired, keyOf, moment, secondsOf, tenantOf } from "./layout.ts";
import { parseRow, rangeOf } from "./read.ts";
import { Passing, patiently } from "./retry.ts";
import { edit, type Store, write } from "./send.ts";

export { dueShards, layout, shardOf, ttlAttribute } from "./layout.ts";

type Row = Record<string, unknown>;

/** How to reach the table. */
export interface TableOptions {
  tableName: string;
  /** ISO 8601, UTC; rows expire by it. */
  now: () => string;
  /** Region, endpoint, credentials. Its retries are switched off: this room retries, in one layer. */
  client?: DynamoDBClientConfig;
}

/** All tenants' tables; whoever composes a `Home` takes `table` and `due` from here. */
export interface Tables {
  table: (tenant: ID<"tenant">) => Table;
  due: Home["due"];
  /** Closes the connections. */
  close(): void;
}

/** A call that has had no answer for so long is sent again. */
const answerMilliseconds = 5_000;

export function openTable({ tableName, now, client: config = {} }: TableOptions): Tables {
  const base = new DynamoDBClient({
    requestHandler: { connectionTimeout: 1_000, requestTimeout: answerMilliseconds, throwOnRequestTimeout: true },
    ...config,
    maxAttempts: 1,
  });
  const store: Store = { client: DynamoDBDocumentClient.from(base), tableName, now };
  return {
    table: (tenant) => tableOf(store, tenant),
    due: (shard, before, page) => due(store, shard, before, page),
    close: () => base.destroy(),
  };
}

function tableOf(store: Store, tenant: ID<"tenant">): Table {
  const { client, tableName, now } = store;
  const makers = changesOf(tenant);
  const parse = <T>(kind: Kind<T>, id: string, row: Row | undefined): T | undefined =>
    row && !expired(row, secondsOf(now())) ? parseRow(kind, id, row) : undefined;
  return {
    ...makers,
    tenant,
    async get(kind, id, options) {
      const Key = keyOf(tenant, kind.name, id);
      const command = new GetCommand({ TableName: tableName, Key, ConsistentRead: !options?.stale });
      return parse(kind, id, (await patiently(() => client.send(command))).Item);
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
      const { limit, after, prefix } = rangeOf(page);
      const pk = `${tenant}/${kind.name}`;
      const alive = living(now());
      const { items, more } = await query(store, limit, {
        KeyConditionExpression: prefix === "" ? "#pk = :pk" : "#pk = :pk AND begins_with(#sk, :prefix)",
        FilterExpression: alive.FilterExpression,
        ExpressionAttributeNames: {
          "#pk": "pk",
          ...(prefix !== "" && { "#sk": "sk" }),
          ...alive.ExpressionAttributeNames,
        },
        ExpressionAttributeValues: {
          ":pk": pk,
          ...(prefix !== "" && { ":prefix": prefix }),
          ...alive.ExpressionAttributeValues,
        },
        ExclusiveStartKey: after === undefined ? undefined : { pk, sk: after },
        ScanIndexForward: !page?.newest,
        ConsistentRead: true,
      });
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

/** Up to 100 items by `<pk>/<sk>`. A batch may leave keys over, and refuses a key that is named twice. */
async function batch({ client, tableName }: Store, keys: { pk: string; sk: string }[]): Promise<Map<string, Row>> {
  if (keys.length > 100) throw new Error("100 rows at most are read at once");
  const found = new Map<string, Row>();
  let left: Row[] = [...new Map(keys.map((key) => [`${key.pk}/${key.sk}`, key])).values()];
  if (left.length === 0) return found;
  await patiently(async () => {
    const RequestItems = { [tableName]: { Keys: left, ConsistentRead: true } };
    const answer = await client.send(new BatchGetCommand({ RequestItems }));
    for (const item of answer.Responses?.[tableName] ?? []) found.set(`${item["pk"]}/${item["sk"]}`, item);
    left = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
    if (left.length > 0) throw new Passing(`${left.length} keys were left over`);
  });
  return found;
}

type Query = Omit<ConstructorParameters<typeof QueryCommand>[0], "TableName">;

/**
 * A full page of what passes the filter, and whether there is more. DynamoDB counts before it filters, so a page may
 * come back short or empty without being the last; one more row than asked tells the end for certain.
 */
async function query(
  { client, tableName }: Store,
  limit: number,
  input: Query,
): Promise<{ items: Row[]; more: boolean }> {
  const items: Row[] = [];
  let start = input.ExclusiveStartKey;
  for (let Limit: number | undefined = limit + 1; ; Limit = undefined) {
    const command = new QueryCommand({ ...input, TableName: tableName, ExclusiveStartKey: start, Limit });
    const answer = await patiently(() => client.send(command));
    items.push(...(answer.Items ?? []));
    start = answer.LastEvaluatedKey;
    if (items.length > limit || start === undefined)
      return { items: items.slice(0, limit), more: items.length > limit };
  }
}

async function due(store: Store, shard: number, before: string, page?: PageInput): ReturnType<Home["due"]> {
  const { limit } = rangeOf({ limit: page?.limit });
  const key = dueKey(shard);
  const { items, more } = await query(store, limit, {
    IndexName: "due",
    KeyConditionExpression: "#dueKey = :key AND #dueAt <= :before",
    ExpressionAttributeNames: { "#dueKey": "dueKey", "#dueAt": "dueAt" },
    ExpressionAttributeValues: { ":key": key, ":before": moment(before) },
    ExclusiveStartKey: page?.after === undefined ? undefined : { dueKey: key, ...startOf(page.after) },
  });
  const last = items.at(-1);
  const result: Page<{ tenant: ID<"tenant">; id: ID }> = {
    items: items.map((item) => ({ tenant: tenantOf(String(item["pk"])), id: String(item["sk"]) as ID })),
    next: more && last ? encodeCursor(JSON.stringify([last["dueAt"], last["pk"], last["sk"]])) : null,
  };
  return result;
}

function startOf(after: string): { dueAt: string; pk: string; sk: string } {
  const position = decodeCursor(after);
  const [dueAt, pk, sk] = position.startsWith('["') ? (JSON.parse(position) as unknown[]) : [];
  if (typeof dueAt === "string" && typeof pk === "string" && typeof sk === "string") return { dueAt, pk, sk };
  throw new Fault("invalid", "The cursor is not of this list.");
}
