interface Sleeper {
  at: number;
  wake(): void;
}

/** A clock that is ours: time passes only when everything waits for it, so a test of minutes takes milliseconds. */
export interface Clock {
  now(): string;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Lets `ms` pass, waking who sleeps on the way, in order. */
  pass(ms: number): Promise<void>;
  /** Runs `work` to its end; whenever all of it only sleeps, the clock jumps to the next who wakes. */
  run<T>(work: Promise<T>): Promise<T>;
  /** Lets all go on until it sleeps, and wakes one sleeper: the first of those who are due first. False: nobody sleeps. */
  step(turns?: number): Promise<boolean>;
}

/** Long enough for every promise that is not asleep to go on as far as it can. */
const settleTurns = 20;
/** Work that takes longer than an hour of its own time waits for what never comes. */
const runMsMax = 3_600_000;

/** @param busy whether something is under way outside of our time, such as making a key: the clock stands meanwhile. */
export function newClock(start = "2026-01-05T08:00:00.000Z", busy: () => boolean = () => false): Clock {
  let time = Date.parse(start);
  const sleepers = new Set<Sleeper>();
  const next = (): Sleeper | undefined => {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers) if (first === undefined || sleeper.at < first.at) first = sleeper;
    return first;
  };
  const turn = async (turns = settleTurns): Promise<void> => {
    for (let i = 0; i < turns || busy(); i = busy() ? 0 : i + 1) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };
  const wake = (sleeper: Sleeper): void => {
    time = Math.max(time, sleeper.at);
    sleeper.wake();
  };
  return {
    now: () => new Date(time).toISOString(),
    sleep(ms, signal) {
      return new Promise((resolve) => {
        const sleeper: Sleeper = {
          at: time + ms,
          wake() {
            sleepers.delete(sleeper);
            signal?.removeEventListener("abort", sleeper.wake);
            resolve();
          },
        };
        if (signal?.aborted === true) return resolve();
        signal?.addEventListener("abort", sleeper.wake);
        sleepers.add(sleeper);
      });
    },
    async pass(ms) {
      const until = time + ms;
      for (;;) {
        await turn();
        const sleeper = next();
        if (sleeper === undefined || sleeper.at > until) break;
        wake(sleeper);
      }
      time = until;
      await turn();
    },
    async run(work) {
      let done = false;
      const mark = (): void => void (done = true);
      void work.then(mark, mark);
      const until = time + runMsMax;
      for (let idle = 0; !done; ) {
        await turn();
        if (done) break;
        const sleeper = next();
        if (sleeper === undefined && ++idle > 500) throw new Error("the work neither ends nor sleeps");
        if (time > until) throw new Error("the work is not done after an hour");
        if (sleeper !== undefined) {
          idle = 0;
          wake(sleeper);
        }
      }
      return await work;
    },
    async step(turns) {
      await turn(turns);
      const sleeper = next();
      if (sleeper !== undefined) wake(sleeper);
      return sleeper !== undefined;
    },
  };
}

/** Chance that can be replayed: the same seed gives the same bytes. */
export function newChance(seed = 1): (bytes: number) => Uint8Array {
  let state = seed >>> 0;
  return (bytes) =>
    Uint8Array.from({ length: bytes }, () => {
      // Mulberry32: small, well spread, and ours to replay.
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) & 0xff;
    });
}
