import { randomUUID } from "node:crypto";
import {
  type AttributeValue,
  type DynamoDBClient,
  ConditionalCheckFailedException,
  TransactionCanceledException,
} from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { type Change, Refused } from "../context.ts";
import { proper } from "./change.ts";
import { changesSomething, itemOf, updateOf } from "./expression.ts";
import { expired, secondsOf } from "./layout.ts";
import { outer } from "./read.ts";
import { Passing, patiently } from "./retry.ts";

type Row = Record<string, unknown>;

/** What a sender needs. */
export interface Store {
  client: DynamoDBDocumentClient;
  /** For reads by key. */
  reader: DynamoDBClient;
  tableName: string;
  now: () => string;
}

/**
 * Writes all changes or none.
 * @throws Refused when a condition does not hold.
 */
export async function write(store: Store, changes: readonly Change[]): Promise<void> {
  proper(changes);
  const [first] = changes;
  if (first === undefined) return;
  if (changes.length === 1 && knowsItself(first)) await single(store, first);
  else await transaction(store, changes);
}

/**
 * One update, and the stored item as it is afterwards.
 * @throws Refused when its condition does not hold.
 */
export async function edit({ client, tableName, now }: Store, change: Change): Promise<Row> {
  proper([change]);
  const at = now();
  const by = randomUUID();
  const command = new UpdateCommand({
    TableName: tableName,
    ...updateOf(change, at, by),
    ReturnValues: "ALL_NEW",
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  });
  try {
    return (await patiently(() => client.send(command))).Attributes ?? {};
  } catch (cause) {
    const found = foundBy(cause);
    // Our own first try got through and only its reply was lost: the row as found is the row as we left it.
    if (found?.["writtenBy"] === by) return found;
    throw refused(cause, 0, found, at);
  }
}

/**
 * Whether a lone change can tell its own first try from another's when its reply was lost. An insert and an update
 * find their mark on the row, a plain removal does not mind. What remains (a conditional removal, a check) and
 * what would do harm if done twice after another's update hid the mark (a sum) goes as a transaction of one, whose
 * token DynamoDB remembers for ten minutes; that costs twice the write units.
 */
function knowsItself({ act, edit = {} }: Change): boolean {
  if (act === "insert") return true;
  if (act === "update") return changesSomething(edit) && Object.keys(edit.add ?? {}).length === 0;
  return act === "remove" && Object.keys(edit.when ?? {}).length === 0;
}

async function single({ client, tableName, now }: Store, change: Change): Promise<void> {
  const at = now();
  const by = randomUUID();
  const { Put, Update, Delete } = itemOf(tableName, change, at, by);
  try {
    await patiently<unknown>(async () => {
      if (Put) return await client.send(new PutCommand(Put));
      if (Update) return await client.send(new UpdateCommand(Update));
      if (Delete) return await client.send(new DeleteCommand(Delete));
      throw new Error(`a lone ${change.act} has no command of its own`);
    });
  } catch (cause) {
    const found = foundBy(cause);
    if (found && (found["insertedBy"] === by || found["writtenBy"] === by)) return;
    throw refused(cause, 0, found, at);
  }
}

async function transaction({ client, tableName, now }: Store, changes: readonly Change[]): Promise<void> {
  const at = now();
  const by = randomUUID();
  const items = changes.map((change) => itemOf(tableName, change, at));
  // One command for all tries: the token stands for exactly these parameters.
  const command = new TransactWriteCommand({ TransactItems: items, ClientRequestToken: by });
  await patiently(async () => {
    try {
      await client.send(command);
    } catch (cause) {
      if (!(cause instanceof TransactionCanceledException)) throw cause;
      const reasons = cause.CancellationReasons ?? [];
      const index = reasons.findIndex(({ Code }) => Code === "ConditionalCheckFailed");
      if (index >= 0) throw refused(cause, index, itemFound(reasons[index]?.Item), at);
      const codes = new Set(reasons.map(({ Code }) => Code).filter((code) => code !== undefined && code !== "None"));
      if (codes.size > 0 && [...codes].every((code) => passing.has(code ?? ""))) {
        throw new Passing(`the transaction was cancelled: ${[...codes].join(", ")}`, { cause });
      }
      throw cause;
    }
  });
}

const passing = new Set(["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]);

const foundBy = (cause: unknown): Row | undefined =>
  cause instanceof ConditionalCheckFailedException ? itemFound(cause.Item) : undefined;

/** An expired row is one that is not there, also in what a refusal tells. */
function refused(cause: unknown, index: number, found: Row | undefined, at: string): unknown {
  if (!(cause instanceof ConditionalCheckFailedException || cause instanceof TransactionCanceledException))
    return cause;
  return new Refused(index, found && !expired(found, secondsOf(at)) ? outer(found) : undefined);
}

/** The document client does not translate what an exception carries. */
const itemFound = (item: Record<string, AttributeValue> | undefined): Row | undefined =>
  item && Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)]));

/** Rows are JSON, so these are all the forms there are. */
function plain(value: AttributeValue): unknown {
  if (value.M) return itemFound(value.M);
  if (value.L) return value.L.map(plain);
  if (value.N !== undefined) return Number(value.N);
  return value.S ?? value.BOOL ?? null;
}
