import { type Change, type Home, type Kind, Refused, type Table, type When } from "#core/context.ts";
import type { ID } from "#core/id.ts";
import { decodeCursor, encodeCursor, type Page, type PageInput } from "#core/page.ts";
import { changesOf, proper } from "#core/table/change.ts";
import { dueKey, expired, keyOf, moment, placeOf, secondsOf, tenantOf } from "#core/table/layout.ts";
import { parseRow, rangeOf } from "#core/table/read.ts";

type Row = Record<string, unknown>;
export type Act = "get" | "getAll" | "list" | "write" | "edit" | "due";

/** One call of the table, as a fault injector sees it; `keys` are `<tenant>/<kind>/<id>`. */
export interface Op {
  act: Act;
  keys: string[];
  changes?: readonly Change[];
}

/** A table in memory, for any number of tenants. */
export interface TableWorld {
  table: (tenant: ID<"tenant">) => Table;
  due: Home["due"];
  home(rest: Omit<Home, "table" | "due">): Home;
  /** How many calls of each kind there were. */
  readonly calls: Record<Act, number>;
  /** Every row that has not expired, by `<tenant>/<kind>/<id>`: for checks of the world's state. */
  rows(): Map<string, Row>;
  /** Called before a call is done; what it throws, the caller gets, and nothing was written. */
  before: ((op: Op) => void | Promise<void>) | undefined;
  /** Called once it is done; what it throws, the caller gets, although it was written. */
  after: ((op: Op) => void | Promise<void>) | undefined;
}

/** DynamoDB sorts by UTF-8 bytes, which is not how JavaScript compares texts. */
const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export function newTable(clock: { now(): string }): TableWorld {
  const partitions = new Map<string, Map<string, Row>>();
  const index = new Map<string, { dueKey: string; dueAt: string; pk: string; sk: string }>();
  const calls: Record<Act, number> = { get: 0, getAll: 0, list: 0, write: 0, edit: 0, due: 0 };

  const alive = (pk: string, sk: string): Row | undefined => {
    const row = partitions.get(pk)?.get(sk);
    return row && !expired(row, secondsOf(clock.now())) ? row : undefined;
  };
  const put = (pk: string, sk: string, row: Row | undefined): void => {
    const partition = partitions.get(pk) ?? new Map<string, Row>();
    partitions.set(pk, partition);
    index.delete(`${pk}/${sk}`);
    if (row === undefined) {
      partition.delete(sk);
      return;
    }
    partition.set(sk, row);
    if (typeof row["lookAt"] === "string") index.set(`${pk}/${sk}`, { ...placeOf(sk, row["lookAt"]), pk, sk });
  };

  async function call<T>(op: Op, work: () => T): Promise<T> {
    calls[op.act] += 1;
    await world.before?.(op);
    const result = work();
    await world.after?.(op);
    return result;
  }

  /** All conditions first, then all writes, with no await between: nobody sees half of it. */
  function apply(changes: readonly Change[]): void {
    const next = changes.map((change, at) => {
      const { pk, sk } = keyOf(change.tenant, change.kind, change.id);
      const found = alive(pk, sk);
      if (!allowed(change, found)) throw new Refused(at, found && structuredClone(found));
      return { pk, sk, change, row: after(change, found) };
    });
    for (const { pk, sk, change, row } of next) if (change.act !== "check") put(pk, sk, row);
  }

  function tableOf(tenant: ID<"tenant">): Table {
    const name = (kind: string, id: string): string => `${tenant}/${kind}/${id}`;
    const read = <T>(kind: Kind<T>, id: string): T | undefined => {
      const { pk, sk } = keyOf(tenant, kind.name, id);
      const row = alive(pk, sk);
      return row && parseRow(kind, id, structuredClone(row));
    };
    const makers = changesOf(tenant);
    return {
      ...makers,
      tenant,
      get: (kind, id) => call({ act: "get", keys: [name(kind.name, id)] }, () => read(kind, id)),
      async getAll<const K extends readonly (readonly [Kind<unknown>, string])[]>(keys: K) {
        if (keys.length > 100) throw new Error("100 rows at most are read at once");
        const op: Op = { act: "getAll", keys: keys.map(([kind, id]) => name(kind.name, id)) };
        const rows = await call(op, () => keys.map(([kind, id]) => read(kind, id)));
        return rows as { [I in keyof K]: K[I] extends readonly [Kind<infer T>, string] ? T | undefined : never };
      },
      async list(kind, page) {
        const { limit, after: start, prefix } = rangeOf(page);
        return await call({ act: "list", keys: [name(kind.name, prefix)] }, () => {
          const pk = `${tenant}/${kind.name}`;
          const ids = [...(partitions.get(pk)?.keys() ?? [])].filter((id) => id.startsWith(prefix) && alive(pk, id));
          const order = page?.newest ? (a: string, b: string) => bytewise(b, a) : bytewise;
          const rest = ids.sort(order).filter((id) => start === undefined || order(id, start) > 0);
          const items = rest.slice(0, limit).map((id) => parseRow(kind, id, structuredClone(alive(pk, id) ?? {})));
          return { items, next: rest.length > limit ? encodeCursor(rest[limit - 1] ?? "") : null };
        });
      },
      async write(...changes) {
        proper(changes);
        if (changes.length === 0) return;
        const keys = changes.map((change) => `${change.tenant}/${change.kind}/${change.id}`);
        await call({ act: "write", keys, changes }, () => apply(changes));
      },
      async edit(kind, id, edit) {
        const change = makers.update(kind, id, edit);
        proper([change]);
        return await call({ act: "edit", keys: [name(kind.name, id)], changes: [change] }, () => {
          apply([change]);
          // An edit may itself have set a time that has passed; the row as it is afterwards is still its answer.
          const { pk, sk } = keyOf(tenant, kind.name, id);
          return parseRow(kind, id, structuredClone(partitions.get(pk)?.get(sk) ?? {}));
        });
      },
    };
  }

  async function due(shard: number, before: string, page?: PageInput) {
    const { limit } = rangeOf({ limit: page?.limit });
    const key = dueKey(shard);
    const last = moment(before);
    const start = page?.after === undefined ? undefined : decodeCursor(page.after);
    return await call({ act: "due", keys: [key] }, (): Page<{ tenant: ID<"tenant">; id: ID }> => {
      // As with the real index, an expired row stays until it is purged: its reader finds nothing, which is fine.
      const places = [...index.values()]
        .filter((place) => place.dueKey === key && place.dueAt <= last)
        .map((place) => ({ ...place, position: JSON.stringify([place.dueAt, place.pk, place.sk]) }))
        .sort((a, b) => bytewise(a.position, b.position))
        .filter(({ position }) => start === undefined || bytewise(position, start) > 0);
      const items = places.slice(0, limit).map(({ pk, sk }) => ({ tenant: tenantOf(pk), id: sk as ID }));
      return { items, next: places.length > limit ? encodeCursor(places[limit - 1]?.position ?? "") : null };
    });
  }

  const world: TableWorld = {
    table: tableOf,
    due,
    home: (rest) => ({ ...rest, table: tableOf, due }),
    calls,
    rows: () =>
      new Map(
        [...partitions].flatMap(([pk, rows]) =>
          [...rows.keys()].flatMap((sk): [string, Row][] => {
            const row = alive(pk, sk);
            return row ? [[`${pk}/${sk}`, structuredClone(row)]] : [];
          }),
        ),
      ),
    before: undefined,
    after: undefined,
  };
  return world;
}

function allowed(change: Change, found: Row | undefined): boolean {
  if (change.act === "insert") return found === undefined;
  if (change.act === "update" && found === undefined) return false;
  return Object.entries(change.edit?.when ?? {}).every(([name, want]) => holds(found?.[name], want));
}

/** A row that is not there has no attribute; `below` wants a number to be there. */
function holds(value: unknown, want: When[string]): boolean {
  if (typeof want !== "object") return value === want;
  if ("absent" in want) return value === undefined;
  if ("present" in want) return value !== undefined;
  if ("below" in want) return typeof value === "number" && value < want.below;
  return value !== want.not;
}

function after(change: Change, found: Row | undefined): Row | undefined {
  if (change.act === "insert") return structuredClone(change.row ?? {});
  if (change.act === "remove" || found === undefined) return undefined;
  const { set = {}, remove = [], add = {} } = change.edit ?? {};
  const row: Row = { ...found, ...structuredClone(set) };
  for (const name of remove) delete row[name];
  for (const [name, count] of Object.entries(add)) {
    const value = found[name] ?? 0;
    if (typeof value !== "number") throw new Error(`${change.kind} ${change.id}: ${name} is not a number`);
    row[name] = value + count;
  }
  return row;
}
