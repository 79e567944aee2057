import type { Log, Place } from "#core/context.ts";
import { jitter } from "#core/failure.ts";

/** What it takes to pass on what was heard. */
export interface Speaking {
  /** Passes hints on, 100 at most in one call. What it throws is tried again. */
  poke(pokes: Place[]): Promise<void>;
  log: Pick<Log, "info" | "warn" | "error">;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  random(bytes: number): Uint8Array;
  /** Ends it. */
  signal: AbortSignal;
}

/** What is heard twice within it is said once. */
const collapseMs = 1_000;
const againMs = 10_000;
const pokesMax = 100;

/** Says what was heard, each cluster once a second at most. What can't be said is kept and said later. */
export function newMouth({ poke, sleep, random, log, signal }: Speaking) {
  const waiting = new Map<string, Place>();
  let word = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => word.resolve(), { once: true });
  return {
    say(place: Place): void {
      waiting.set(place.id, place);
      word.resolve();
    },
    /** Until `signal` aborts; it never throws. */
    async speak(): Promise<void> {
      for (;;) {
        await word.promise;
        await sleep(collapseMs, signal);
        if (signal.aborted) return;
        const batch = [...waiting.values()].slice(0, pokesMax);
        for (const { id } of batch) waiting.delete(id);
        try {
          await poke(batch);
        } catch (error) {
          // There are at most as many as clusters, so nothing piles up however long home is away.
          for (const place of batch) waiting.set(place.id, place);
          log.warn("pokes could not be sent", { count: batch.length, why: String(error) });
          await sleep(jitter({ random }, againMs), signal);
        }
        if (waiting.size === 0 && !signal.aborted) word = Promise.withResolvers<void>();
      }
    },
  };
}
