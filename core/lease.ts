import * as z from "zod";
import { type Condition, secondsBetween } from "./condition.ts";
import { type Edit, type Kind, Refused, type Work } from "./context.ts";
import type { ID } from "./id.ts";

/** Every duration and count of the engine, in one place. Seconds, unless the name says otherwise. */
export const limits = {
  functionSeconds: 60,
  patienceSeconds: 40,
  leaseSeconds: 20,
  beatSeconds: 5,
  /** After how long a met lease's beat is read again. */
  recheckSeconds: 6,
  backOffSeconds: 5,
  backOffMaxSeconds: 600,
  parkedAfterFailures: 10,
  /** After so many patiences in vain patience is brief, until something moves. */
  waitsMax: 3,
  briefSeconds: 5,
  dueShards: 4,
  /** How often one and the same step may be planned in a row. */
  repeatsMax: 3,
} as const;

/** What the engine keeps on a row, beside what the noun keeps there. */
export const engineShape = {
  generation: z.number().int(),
  observedGeneration: z.number().int(),
  /** When the sweep is to look at it; absent when nothing is due. */
  lookAt: z.iso.datetime().optional(),
  /** Since when it waits for a person, having failed too often; such a row is not due. */
  parkedAt: z.iso.datetime().optional(),
  /** A digest of what was last seen of it on its host; the lap pokes the row when it sees another. */
  sight: z.string().optional(),
  /** Rises with every lease; who holds a lower one is fenced off. */
  epoch: z.number().int().default(0),
  holder: z.string().optional(),
  beat: z.number().int().default(0),
  /** Somebody poked while the lease was held: its holder looks again before it lets go. */
  dirty: z.boolean().optional(),
  failures: z.number().int().default(0),
  /** How many of the failures were no outage; these alone park a row. */
  strikes: z.number().int().optional(),
  /** How often in a row patience ended before what was awaited came. */
  waits: z.number().int().optional(),
};

/** What a new row begins with; leases are taken on conditions over these, so they must be written. */
export const engineStart = { generation: 1, observedGeneration: 0, epoch: 0, beat: 0, failures: 0 } as const;

export interface Kept extends z.output<z.ZodObject<typeof engineShape>> {
  id: ID;
  status: { conditions: Condition[] };
}

/** `seconds` after an ISO 8601 time. */
export const later = (now: string, seconds: number): string => new Date(Date.parse(now) + seconds * 1000).toISOString();

/** When a held row is due again unless its holder is heard of: whoever dies is followed by the next sweep after that. */
const unlessHeard = (ctx: Work): string => later(ctx.now(), limits.leaseSeconds + limits.beatSeconds);

/** What a change of a row, or a person's release of a parked one, writes besides: it is looked at now, and anew. */
export const wake = (now: string): { set: { lookAt: string; failures: number }; remove: string[] } => ({
  set: { lookAt: now, failures: 0 },
  remove: ["parkedAt", "strikes", "waits"],
});

/** Takes the lease, or marks it dirty and sees whether its holder lives. No wall clocks are compared. */
export async function take<Row extends Kept>(
  ctx: Work,
  kind: Kind<Row>,
  row: Row,
  tries = 3,
): Promise<Row | "busy" | "gone"> {
  const mine = (met: Row, when: Edit["when"]): Promise<Row> =>
    ctx.table.edit(kind, met.id, {
      set: {
        epoch: met.epoch + 1,
        beat: 0,
        holder: Buffer.from(ctx.random(9)).toString("base64url"),
        lookAt: unlessHeard(ctx),
      },
      remove: ["dirty", "parkedAt"],
      when: { epoch: met.epoch, ...when },
    });
  try {
    if (row.holder === undefined) return await mine(row, { holder: { absent: true } });
    const met = await ctx.table.edit(kind, row.id, { set: { dirty: true }, when: { holder: row.holder } });
    await ctx.sleep(limits.recheckSeconds * 1000, ctx.ending);
    for (const rest of [limits.leaseSeconds - limits.recheckSeconds, 0]) {
      // A wait that was cut short says nothing about the holder.
      if (ctx.ending?.aborted === true) return "busy";
      const now = await ctx.table.get(kind, row.id);
      if (now === undefined) return "gone";
      if (now.holder === undefined && now.dirty === undefined) return "busy";
      if (now.epoch !== met.epoch || now.beat !== met.beat) return "busy";
      if (rest > 0) await ctx.sleep(rest * 1000, ctx.ending);
    }
    return await mine(met, { beat: met.beat, holder: met.holder ?? { absent: true } });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.found === undefined) return "gone";
    const now = await ctx.table.get(kind, row.id);
    if (now === undefined) return "gone";
    // Somebody was quicker. If it was a release, the row is free again and ours to take.
    return now.holder === undefined && tries > 1 ? await take(ctx, kind, now, tries - 1) : "busy";
  }
}

/** A held lease: the row as it was last read or written, and what its holder alone may write. */
export interface Grip<Row> {
  row: Row;
  /** @throws Refused when the lease is another's by now. */
  write(edit: Edit): Promise<void>;
  /** Lets go, unless somebody poked or the wish changed meanwhile: then false, and we look again. */
  release(edit: Edit): Promise<boolean>;
}

export function gripOf<Row extends Kept>(ctx: Work, kind: Kind<Row>, leased: Row): Grip<Row> {
  const grip: Grip<Row> = {
    row: leased,
    async write(edit) {
      grip.row = await ctx.table.edit(kind, leased.id, { ...edit, when: { epoch: leased.epoch, ...edit.when } });
    },
    async release(edit) {
      try {
        const when = { generation: grip.row.generation, dirty: { absent: true } } as const;
        await grip.write({ ...edit, remove: ["holder", ...(edit.remove ?? [])], when });
        return true;
      } catch (error) {
        if (!(error instanceof Refused) || error.found?.["epoch"] !== leased.epoch) throw error;
        await grip.write({ remove: ["dirty"] });
        return false;
      }
    },
  };
  return grip;
}

/**
 * Beats while the lease is held.
 * @param felt called after each beat with the row as it then is; with nothing once the lease is lost.
 */
export function beat<Row extends Kept>(
  ctx: Work,
  kind: Kind<Row>,
  leased: Row,
  felt: (row?: Row) => void,
): { lost(): boolean; stop(): Promise<void> } {
  const ended = new AbortController();
  let lost = false;
  let beatenAt = ctx.now();
  const beating = (async (): Promise<void> => {
    for (;;) {
      await ctx.sleep(limits.beatSeconds * 1000, ended.signal);
      if (ended.signal.aborted) return;
      try {
        felt(
          await ctx.table.edit(kind, leased.id, {
            set: { lookAt: unlessHeard(ctx) },
            add: { beat: 1 },
            // One that is late must not make due again what was let go of meanwhile.
            when: { epoch: leased.epoch, holder: leased.holder ?? { absent: true } },
          }),
        );
        beatenAt = ctx.now();
      } catch (error) {
        // A beat that can't be written is one that others miss: past the lease we must not act.
        const silent = secondsBetween(beatenAt, ctx.now());
        lost ||= error instanceof Refused || silent > limits.leaseSeconds - limits.beatSeconds;
        if (lost) felt();
      }
    }
  })();
  return {
    lost: () => lost,
    async stop() {
      ended.abort();
      await beating;
    },
  };
}
