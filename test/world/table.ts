import { type Change, type Home, type Kind, type Place, Refused, type Table, type When } from "#core/context.ts";
import type { ID } from "#core/id.ts";
import { encodeCursor, type Page, type PageInput } from "#core/page.ts";
import { changesOf, proper } from "#core/table/change.ts";
import { expired, keyOf, moment, secondsOf, tenantOf } from "#core/table/layout.ts";
import * as At from "#core/table/place.ts";
import { bytewise, newer, outer, parseRow, rangeOf } from "#core/table/read.ts";

type Row = Record<string, unknown>;
/** What spans tenants, of the table. */
type Across = "due" | "parked" | "unsealed" | "carried";
export type Act = "get" | "getAll" | "list" | "write" | "edit" | Across;

/** One call of the table, as a fault injector sees it; `keys` are `<tenant>/<kind>/<id>`. */
export interface Op {
  act: Act;
  keys: string[];
  changes?: readonly Change[];
}

/** A table in memory, for any number of tenants. */
export interface TableWorld extends Pick<Home, "table" | Across> {
  home(rest: Omit<Home, "table" | Across>): Home;
  /** How many calls of each kind there were. */
  readonly calls: Record<Act, number>;
  /** Every row that has not expired, by `<tenant>/<kind>/<id>`: for checks of the world's state. */
  rows(): Map<string, Row>;
  /** One of them, as it is kept: not to be written to. */
  peek(tenant: string, kind: string, id: string): Readonly<Row> | undefined;
  /** Called before a call is done; what it throws, the caller gets, and nothing was written. */
  before: ((op: Op) => void | Promise<void>) | undefined;
  /** Called once it is done; what it throws, the caller gets, although it was written. */
  after: ((op: Op) => void | Promise<void>) | undefined;
}

export function newTable(clock: { now(): string }): TableWorld {
  const partitions = new Map<string, Map<string, Row>>();
  const indexed = { due: new Map<string, Row>(), lap: new Map<string, Row>() };
  const across = { due: 0, parked: 0, unsealed: 0, carried: 0 };
  const calls: Record<Act, number> = { get: 0, getAll: 0, list: 0, write: 0, edit: 0, ...across };

  const alive = (pk: string, sk: string): Row | undefined => {
    const row = partitions.get(pk)?.get(sk);
    return row && !expired(row, secondsOf(clock.now())) ? row : undefined;
  };
  const put = (pk: string, sk: string, row: Row | undefined): void => {
    const partition = partitions.get(pk) ?? new Map<string, Row>();
    partitions.set(pk, partition);
    for (const index of Object.values(indexed)) index.delete(`${pk}/${sk}`);
    if (row === undefined) {
      partition.delete(sk);
      return;
    }
    partition.set(sk, row);
    if (row["dueKey"] !== undefined) indexed.due.set(`${pk}/${sk}`, { ...row, pk, sk });
    if (row["hostKey"] !== undefined) indexed.lap.set(`${pk}/${sk}`, { ...row, pk, sk });
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
      if (!allowed(change, found)) throw new Refused(at, found && outer(structuredClone(found)));
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
        const { limit, after: start, prefix, from, to } = rangeOf(page);
        return await call({ act: "list", keys: [name(kind.name, prefix)] }, () => {
          const pk = `${tenant}/${kind.name}`;
          const within = (id: string): boolean =>
            id.startsWith(prefix) && bytewise(from ?? id, id) <= 0 && bytewise(id, to ?? id) <= 0;
          const ids = [...(partitions.get(pk)?.keys() ?? [])].filter((id) => within(id) && alive(pk, id));
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

  /** One partition of an index. As with the real one, an expired row stays until it is purged. */
  async function places(
    act: Across,
    { index, key, before }: { index: At.Index; key: string; before?: string },
    page?: PageInput,
  ): Promise<Page<Place & { sight?: string }>> {
    const { limit } = rangeOf({ limit: page?.limit });
    const { hash, range } = At.indexes[index];
    const last = before === undefined ? undefined : moment(before);
    const start = page?.after === undefined ? undefined : JSON.stringify(Object.values(At.startOf(page.after)));
    return await call({ act, keys: [key] }, () => {
      const found = [...indexed[index].values()]
        .filter((row) => row[hash] === key && (last === undefined || String(row[range]) <= last))
        .map((row) => ({ row, position: JSON.stringify([row[range], row["pk"], row["sk"]]) }))
        .sort((a, b) => bytewise(a.position, b.position))
        .filter(({ position }) => start === undefined || bytewise(position, start) > 0);
      const items = found.slice(0, limit).map(({ row: { pk, sk, sight } }) => ({
        tenant: tenantOf(String(pk)),
        id: String(sk) as ID,
        ...(index === "lap" && typeof sight === "string" && { sight }),
      }));
      const end = found[limit - 1];
      return { items, next: found.length > limit && end ? At.positionOf(index, end.row) : null };
    });
  }

  const spanning: Pick<Home, "table" | Across> = {
    table: tableOf,
    due: async (shard, before, page) => await places("due", { index: "due", key: At.dueKey(shard), before }, page),
    parked: async (page) => await places("parked", { index: "due", key: At.parkedKey }, page),
    unsealed: async (shard, before, page) =>
      await places("unsealed", { index: "due", key: At.unsealedKey(shard), before }, page),
    carried: async (host, page) => await places("carried", { index: "lap", key: At.hostKey(host) }, page),
  };
  const world: TableWorld = {
    ...spanning,
    home: (rest) => ({ ...rest, ...spanning }),
    calls,
    rows: () =>
      new Map(
        [...partitions].flatMap(([pk, rows]) =>
          [...rows.keys()].flatMap((sk): [string, Row][] => {
            const row = alive(pk, sk);
            return row ? [[`${pk}/${sk}`, outer(structuredClone(row))]] : [];
          }),
        ),
      ),
    peek(tenant, kind, id) {
      const { pk, sk } = keyOf(tenant as ID<"tenant">, kind, id);
      return alive(pk, sk);
    },
    before: undefined,
    after: undefined,
  };
  return world;
}

function allowed(change: Change, found: Row | undefined): boolean {
  if (change.act === "insert") return found === undefined;
  if (change.act === "update") {
    if (found === undefined || newer(found, change.form)) return false;
    if (At.written(change).absent.some((name) => found[name] !== undefined)) return false;
  }
  const when = Object.entries(change.edit?.when ?? {});
  if (when.length > 0 && found !== undefined && newer(found, change.form)) return false;
  return when.every(([name, want]) => holds(found?.[name], want));
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
  if (change.act === "insert") return structuredClone(At.written(change).set);
  if (change.act === "remove" || found === undefined) return undefined;
  const { set, remove } = At.written(change);
  const row: Row = { ...found, ...structuredClone(set) };
  for (const name of remove) delete row[name];
  for (const [name, count] of Object.entries(change.edit?.add ?? {})) {
    const value = found[name] ?? 0;
    if (typeof value !== "number") throw new Error(`${change.kind} ${change.id}: ${name} is not a number`);
    row[name] = value + count;
  }
  return row;
}
