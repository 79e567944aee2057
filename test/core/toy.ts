import * as z from "zod";
import { Condition } from "#core/condition.ts";
import type { Kind, Log, Work } from "#core/context.ts";
import { type ID, newID } from "#core/id.ts";
import { engineShape, engineStart } from "#core/lease.ts";
import { type Settler, settle } from "#core/settle.ts";
import { newChance, newClock } from "../world/clock.ts";
import { newTable } from "../world/table.ts";

// A noun as small as can be: its world is a number that ought to be the row's.
const Row = z.object({
  id: z.custom<ID>(),
  want: z.number(),
  status: z.object({ conditions: z.array(Condition), have: z.number().optional() }),
  ...engineShape,
});
type Row = z.output<typeof Row>;
export const kind: Kind<Row> = { name: "toy", schema: Row };
/** The same as the next release knows it. */
export const next: Kind<Row> = { ...kind, form: 2 };

export function newToy(options: { slow?: boolean } = {}) {
  const clock = newClock();
  const tables = newTable(clock);
  const random = newChance();
  const warnings: string[] = [];
  const log: Log = { info() {}, warn: (message) => void warnings.push(message), error() {} };
  const tenant = newID({ ...clock, random }, "tenant");
  const id = newID({ ...clock, random }, "cluster");
  const toy = {
    clock,
    tables,
    table: tables.table(tenant),
    id,
    warnings,
    /** The process is told to end. */
    ending: new AbortController(),
    /** The digest that a plan tells, if any. */
    sight: undefined as string | undefined,
    /** The outside world. */
    have: undefined as number | undefined,
    acts: [] as { worker: string; value: number }[],
    /** What `look` throws, if anything. */
    blind: undefined as Error | undefined,
    /** What `act` throws, if anything. */
    broken: undefined as Error | undefined,
    /** Called in the middle of each act, and each wait. */
    meanwhile: undefined as (() => Promise<void>) | undefined,
    arrives: true,
    /** Acts are accepted and have no effect. */
    idle: false,
    /** Workers that are stopped: what they call does not come back until the promise does. */
    frozen: new Map<string, Promise<void>>(),
    async row() {
      return (await tables.table(tenant).get(kind, id)) as Row;
    },
    async want(value: number) {
      const { generation } = await toy.row();
      const set = { want: value, generation: generation + 1, lookAt: clock.now() };
      await tables.table(tenant).edit(kind, id, { set });
    },
    async begin(value: number) {
      const row = { id, want: value, status: { conditions: [] }, ...engineStart, lookAt: clock.now() };
      await tables.table(tenant).write(tables.table(tenant).insert(kind, id, row));
    },
    settle(worker = "a") {
      const stopped = async <T>(call: () => Promise<T>): Promise<T> => {
        await toy.frozen.get(worker);
        return await call();
      };
      const table = tables.table(tenant);
      const ctx = {
        tenant,
        table: {
          ...table,
          get: (...args: Parameters<typeof table.get>) => stopped(() => table.get(...args)),
          edit: (...args: Parameters<typeof table.edit>) => stopped(() => table.edit(...args)),
        },
        log,
        random,
        ending: toy.ending.signal,
        now: () => clock.now(),
        sleep: (ms: number, signal?: AbortSignal) =>
          stopped(() => clock.sleep(ms, signal)).then(() => toy.frozen.get(worker)),
      } as unknown as Work;
      const settler: Settler<Row, number | undefined, number> = {
        kind,
        look: async () => {
          if (toy.blind) throw toy.blind;
          return toy.have;
        },
        plan: (row, have) => ({
          ...(toy.sight !== undefined && { sight: toy.sight }),
          steps: have === row.want || (options.slow && have === -1) ? [] : [row.want],
          awaits: options.slow && have === -1 ? ["the number to arrive"] : [],
          conditions: [
            {
              type: "Ready",
              status: have === row.want ? "True" : "False",
              reason: "InProgress",
              message: `have ${have}`,
            },
          ],
        }),
        act: async (_, __, value) => {
          await toy.meanwhile?.();
          if (toy.broken) throw toy.broken;
          toy.acts.push({ worker, value });
          if (!toy.idle) toy.have = options.slow ? -1 : value;
          return undefined;
        },
        coming: async (_, row, __, signal) => {
          await toy.meanwhile?.();
          if (toy.arrives) {
            await clock.sleep(3_000, signal);
            if (!signal.aborted) toy.have = row.want;
          } else await clock.sleep(1_000_000, signal);
          return undefined;
        },
      };
      return settle(ctx, settler, id);
    },
  };
  return toy;
}
