import { type Change, type Context, Refused, type Table } from "../context.ts";
import { Fault } from "../error.ts";
import { pages } from "../page.ts";
import { countedKinds, counters, defaults, holds, quotaKind, type What } from "./schema.ts";

/** Whose counter: any context, or the table of the tenant that staff works on. */
export type Whose = Pick<Context, "table">;

const tries = 20;

/**
 * Takes places: to be written with what needs them. The condition is on the counter as it stands when that is written,
 * so the limit is kept however many write at once. Refused, the counter has moved and is to be read again.
 * @throws Fault `limit` when there are not as many.
 */
export async function take({ table }: Whose, what: What, places = 1): Promise<Change> {
  const row = await table.get(quotaKind, what);
  const limit = row?.limit ?? defaults[what];
  const used = row?.used ?? (await count(table, what));
  if (used + places > limit) throw full(what, { used, limit, places });
  if (row === undefined) return table.insert(quotaKind, what, { what, used: used + places });
  const when = { used: { below: limit - places + 1 }, limit: row.limit ?? ({ absent: true } as const) };
  return table.update(quotaKind, what, { add: { used: places }, when });
}

/** Gives `places` back: to be written with the end of what held them, so that it happens once. */
export async function give({ table }: Whose, what: What, places = 1): Promise<Change> {
  const row = await table.get(quotaKind, what);
  if (row !== undefined) return table.update(quotaKind, what, { add: { used: -places } });
  return table.insert(quotaKind, what, { what, used: (await count(table, what)) - places });
}

/**
 * Writes `changes` and takes one place, in one transaction; when only the counter moved, it is read again.
 * @throws Refused with the index of the change whose condition does not hold.
 * @throws Fault `limit` when there is no place; `unavailable` when others always were quicker.
 */
export async function taking(ctx: Whose, what: What, changes: Change[]): Promise<void> {
  await moving(ctx, { [what]: 1 }, changes);
}

/** Writes `changes` and gives `places` back, in one transaction. @throws Refused as `taking` does. */
export async function giving(ctx: Whose, what: What, changes: Change[], places = 1): Promise<void> {
  await moving(ctx, { [what]: -places }, changes);
}

/** Writes `changes` and counts one more, whatever the limit: for what must not be refused. @throws Refused likewise. */
export async function beyond(ctx: Whose, what: What, changes: Change[]): Promise<void> {
  await counting(ctx, changes, async () => [await give(ctx, what, -1)]);
}

/**
 * Writes `changes` and moves several counters, in one transaction; when only a counter moved, all are read again.
 * @param places what is above 0 is taken, what is below is given back; 0 is left alone.
 * @throws Refused with the index of the change whose condition does not hold.
 * @throws Fault `limit` when there is no place; `unavailable` when others always were quicker.
 */
export async function moving(ctx: Whose, places: Partial<Record<What, number>>, changes: Change[]): Promise<void> {
  const moved = counters.flatMap((what) => {
    const count = places[what] ?? 0;
    return count === 0 ? [] : [() => (count > 0 ? take(ctx, what, count) : give(ctx, what, -count))];
  });
  await counting(ctx, changes, () => Promise.all(moved.map((counted) => counted())));
}

async function counting({ table }: Whose, changes: Change[], counted: () => Promise<Change[]>): Promise<void> {
  for (let left = tries; left > 0; left -= 1) {
    const counts = await counted();
    try {
      return await table.write(...changes, ...counts);
    } catch (error) {
      if (!(error instanceof Refused) || error.index < changes.length) throw error;
    }
  }
  throw new Fault("unavailable", "Too much is being made at once; try again.", { retryAfterSeconds: 1 });
}

/**
 * Says other limits. They may be below what is used: then nothing new is made until there is room. Refused, a counter
 * was made meanwhile, and they are to be said again.
 */
export async function limitsTo({ table }: Whose, limits: Partial<Record<What, number | undefined>>): Promise<Change[]> {
  const said = counters.flatMap((what) => {
    const limit = limits[what];
    return limit === undefined ? [] : [{ what, limit }];
  });
  return await Promise.all(
    said.map(async ({ what, limit }) => {
      const row = await table.get(quotaKind, what);
      if (row !== undefined) return table.update(quotaKind, what, { set: { limit } });
      return table.insert(quotaKind, what, { what, used: await count(table, what), limit });
    }),
  );
}

/** How many there are, row by row. */
export async function count(table: Table, what: What): Promise<number> {
  let total = 0;
  for await (const rows of pages((page) => table.list(countedKinds[what], page))) total += rows.filter(holds).length;
  return total;
}

/** Waiting does not help against it, so no time is told. */
const full = (what: What, { used, limit, places }: { used: number; limit: number; places: number }): Fault => {
  const needed = places > 1 ? `, and ${places} more are needed` : "";
  return new Fault("limit", `The limit is ${limit} ${what}, and ${used} are used${needed}.`);
};
