import type { Context, Table } from "#core/context.ts";

/** Two acts that run call by call, in an order that is said: what each call of the table waits for is its turn. */
interface Turns {
  /** What a call waits for; resolved when it may go. */
  waiting: (() => void) | undefined;
  ended: boolean;
  /** Tells that there is something new to see. */
  seen: () => void;
}

const names = ["get", "getAll", "list", "write", "edit"] as const;

function gated(ctx: Context, turns: Turns): Context {
  const table = { ...ctx.table } as Record<string, unknown>;
  for (const name of names) {
    const call = ctx.table[name] as (...input: unknown[]) => Promise<unknown>;
    table[name] = async (...input: unknown[]): Promise<unknown> => {
      await new Promise<void>((resolve) => {
        turns.waiting = resolve;
        turns.seen();
      });
      return await call(...input);
    };
  }
  return { ...ctx, table: table as unknown as Table };
}

/**
 * Runs both with their table calls in one order: the first calls as `order` says, the rest by the first who can.
 * @returns the order that it came to be, and at which of its places the other could have been next too.
 */
export async function ordered(
  acts: [(gate: (ctx: Context) => Context) => Promise<unknown>, (gate: (ctx: Context) => Context) => Promise<unknown>],
  order: readonly number[],
): Promise<{ order: number[]; open: number[] }> {
  const both = acts.map((): Turns => ({ waiting: undefined, ended: false, seen: () => undefined }));
  const rest = (turns: Turns): Promise<void> =>
    turns.waiting !== undefined || turns.ended
      ? Promise.resolve()
      : new Promise((resolve) => {
          turns.seen = resolve;
        });
  for (const [i, turns] of both.entries()) {
    const end = (): void => {
      turns.ended = true;
      turns.seen();
    };
    void acts[i]?.((ctx) => gated(ctx, turns)).then(end, end);
  }
  const came: number[] = [];
  const open: number[] = [];
  for (;;) {
    for (const turns of both) await rest(turns);
    const able = both.flatMap((turns, i) => (turns.waiting === undefined ? [] : [i]));
    const [only] = able;
    if (only === undefined) return { order: came, open };
    const told = order[came.length];
    const next = told !== undefined && able.includes(told) ? told : only;
    if (able.length > 1) open.push(came.length);
    came.push(next);
    const turns = both[next] as Turns;
    const go = turns.waiting;
    turns.waiting = undefined;
    go?.();
  }
}

/** Every order in which the calls of two acts can come; `run` begins anew each time. @returns how many there are. */
export async function everyOrder(
  run: (order: readonly number[]) => Promise<{ order: number[]; open: number[] }>,
): Promise<number> {
  const left: number[][] = [[]];
  let runs = 0;
  for (let begin = left.pop(); begin !== undefined; begin = left.pop()) {
    runs += 1;
    const { order, open } = await run(begin);
    for (const at of open) if (at >= begin.length) left.push([...order.slice(0, at), 1 - (order[at] ?? 0)]);
  }
  return runs;
}
