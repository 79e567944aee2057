import type { Change } from "../context.ts";
import { Fault } from "../error.ts";
import { decodeCursor, encodeCursor } from "../page.ts";
import { dueShards, idBytesMax, lapOf, moment, shardOf } from "./layout.ts";

type Row = Record<string, unknown>;

/** What a row may wait for: its time, a person, a seal. Each places it in the index `due`, so it has one at most. */
export const waits = ["lookAt", "parkedAt", "unsealed"] as const;
type Wait = (typeof waits)[number];

/** Attributes by which a row stands in an index; they are texts. */
export const placing = [...waits, "hostedOn"] as const;

/** The attributes that are the keys of each index. */
export const indexes = {
  due: { hash: "dueKey", range: "dueAt" },
  lap: { hash: "hostKey", range: "lapKey" },
} as const;
export type Index = keyof typeof indexes;

const shard = (name: string, number: number): string => {
  if (Number.isInteger(number) && number >= 0 && number < dueShards) return `${name}/${number}`;
  throw new Error(`there is no due shard ${number}`);
};
/** Partitions of the indexes. */
export const dueKey = (number: number): string => shard("due", number);
export const unsealedKey = (number: number): string => shard("unsealed", number);
export const parkedKey = "parked";
export const hostKey = (host: string): string => `host/${host}`;

const key: Record<Wait, (change: Change) => string> = {
  lookAt: ({ id }) => dueKey(shardOf(id)),
  parkedAt: () => parkedKey,
  unsealed: ({ tenant }) => unsealedKey(shardOf(tenant)),
};

/** What a change writes when the table has added its own: the places in the indexes, and the form. */
export interface Written {
  set: Row;
  remove: string[];
  /** What must not be on the row, or the write is refused. */
  absent: string[];
}

/**
 * Of an insert or an update. What waits for one thing waits for no other: who sets one of `waits` takes the others
 * away. Who removes one and sets none takes the row out of the index, which is refused when it waits for another.
 */
export function written(change: Change): Written {
  const { edit = {}, form = 1 } = change;
  const set: Row = { ...change.row, ...edit.set, ...(form > 1 && { form }) };
  const remove = new Set(edit.remove);
  const wait = waits.find((name) => set[name] !== undefined);
  const left = waits.some((name) => remove.has(name));
  const absent = wait === undefined && left ? waits.filter((name) => !remove.has(name)) : [];
  if (wait !== undefined) {
    for (const other of waits) if (other !== wait && change.act === "update") remove.add(other);
    Object.assign(set, { dueKey: key[wait](change), dueAt: moment(String(set[wait])) });
  } else if (left) remove.add("dueKey").add("dueAt");
  const host = set["hostedOn"];
  if (typeof host === "string") {
    Object.assign(set, { hostKey: hostKey(host), lapKey: `${lapOf(change.id)}/${change.id}` });
  } else if (remove.has("hostedOn")) remove.add("hostKey").add("lapKey");
  return { set, remove: [...remove], absent };
}

/** The cursor behind an item of an index. */
export const positionOf = (index: Index, item: Row): string =>
  encodeCursor(JSON.stringify([item[indexes[index].range], item["pk"], item["sk"]]));

/**
 * Where the item behind a cursor stands.
 * @throws Fault `invalid` when the cursor can't be of an index.
 */
export function startOf(after: string): { range: string; pk: string; sk: string } {
  const [range, pk, sk] = parts(decodeCursor(after));
  if (named(range) && named(pk) && named(sk)) return { range, pk, sk };
  throw new Fault("invalid", "The cursor is not of this list.");
}

const named = (part: unknown): part is string =>
  typeof part === "string" && part !== "" && Buffer.byteLength(part) <= idBytesMax;

function parts(position: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(position);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    // Not JSON, so no cursor of ours.
    return [];
  }
}
