import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { Place } from "../context.ts";
import type { ID } from "../id.ts";
import type { Page, PageInput } from "../page.ts";
import { living } from "./expression.ts";
import { moment, tenantOf } from "./layout.ts";
import { type Index, indexes, positionOf, startOf } from "./place.ts";
import { type Asked, bytewise, rangeOf } from "./read.ts";
import { patiently } from "./retry.ts";
import type { Store } from "./send.ts";

type Row = Record<string, unknown>;
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

/** Rows of one partition that have not expired, as they are stored. */
export async function rowsOf(
  store: Store,
  pk: string,
  { limit, after, prefix, from, to }: Asked,
  newest: boolean,
): Promise<{ items: Row[]; more: boolean }> {
  // DynamoDB takes a range that ends before it begins for an error.
  if (from !== undefined && to !== undefined && bytewise(from, to) > 0) return { items: [], more: false };
  const alive = living(store.now());
  const bounds =
    prefix !== ""
      ? "begins_with(#sk, :prefix)"
      : from !== undefined && to !== undefined
        ? "#sk BETWEEN :from AND :to"
        : (from !== undefined && "#sk >= :from") || (to !== undefined && "#sk <= :to");
  return await query(store, limit, {
    KeyConditionExpression: bounds ? `#pk = :pk AND ${bounds}` : "#pk = :pk",
    FilterExpression: alive.FilterExpression,
    ExpressionAttributeNames: { "#pk": "pk", ...(bounds && { "#sk": "sk" }), ...alive.ExpressionAttributeNames },
    ExpressionAttributeValues: {
      ":pk": pk,
      ...(prefix !== "" && { ":prefix": prefix }),
      ...(from !== undefined && { ":from": from }),
      ...(to !== undefined && { ":to": to }),
      ...alive.ExpressionAttributeValues,
    },
    ExclusiveStartKey: after === undefined ? undefined : { pk, sk: after },
    ScanIndexForward: !newest,
    ConsistentRead: true,
  });
}

/** Rows of any tenant in one partition of an index; an expired one stays there until the database purges it. */
export async function placesOf(
  store: Store,
  index: Index,
  { key, before }: { key: string; before?: string },
  page?: PageInput,
): Promise<Page<Place & { sight?: string }>> {
  const { limit } = rangeOf({ limit: page?.limit });
  const { hash, range } = indexes[index];
  const start = page?.after === undefined ? undefined : startOf(page.after);
  const { items, more } = await query(store, limit, {
    IndexName: index,
    KeyConditionExpression: before === undefined ? "#hash = :key" : "#hash = :key AND #range <= :before",
    ExpressionAttributeNames: { "#hash": hash, ...(before !== undefined && { "#range": range }) },
    ExpressionAttributeValues: { ":key": key, ...(before !== undefined && { ":before": moment(before) }) },
    ExclusiveStartKey: start && { [hash]: key, [range]: start.range, pk: start.pk, sk: start.sk },
  });
  const last = items.at(-1);
  return { items: items.map(placeOf), next: more && last ? positionOf(index, last) : null };
}

const placeOf = ({ pk, sk, sight }: Row): Place & { sight?: string } => ({
  tenant: tenantOf(String(pk)),
  id: String(sk) as ID,
  ...(typeof sight === "string" && { sight }),
});
