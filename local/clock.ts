// The clock of home in one process: what EventBridge does in the cloud.
import { setTimeout } from "node:timers/promises";
import type { Log } from "#core/context.ts";
import { stackOf } from "#functions/log.ts";

/** A piece of work that has its own time. */
export interface Timed {
  name: string;
  everyMilliseconds: number;
  run(): Promise<unknown>;
}

/** Work that runs longer than so many of its times is told of, once. */
const timesMax = 10;

/**
 * Runs each piece at once and then at its times, until `signal` aborts; then it waits for what runs. No piece runs twice
 * at once, and one that fails or hangs is logged and keeps no other from its time.
 */
export async function tick(works: Timed[], { log, signal }: { log: Pick<Log, "error">; signal: AbortSignal }) {
  await Promise.all(works.map((work) => keep(work)));

  async function keep({ name, everyMilliseconds, run }: Timed): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      const next = pause(everyMilliseconds);
      const ended = new AbortController();
      void pause(everyMilliseconds * timesMax, ended.signal).then(() => {
        if (!ended.signal.aborted && !signal.aborted) log.error("the clock's work hangs", { work: name });
      });
      try {
        await run();
        failures = 0;
      } catch (error) {
        failures += 1;
        log.error("the clock's work failed", { work: name, failures, stack: stackOf(error) });
      }
      ended.abort();
      await next;
    }
  }

  /** Ends early, and without a fault, when we are told to end. */
  async function pause(milliseconds: number, also?: AbortSignal): Promise<void> {
    const any = also === undefined ? signal : AbortSignal.any([signal, also]);
    await setTimeout(milliseconds, undefined, { signal: any }).catch(() => undefined);
  }
}
