import type { ID } from "#core/id.ts";
import { bodyOf, parse, type Queue } from "#core/queue/index.ts";

/** What becomes of a poke on its way. */
export type Fate = "kept" | "lost" | "doubled";

export interface Letter {
  body: string;
  /** How often it was handed out. */
  receives: number;
}

/** A queue in memory with dead letters. */
export interface QueueWorld extends Omit<Queue, "letters"> {
  /** Every poke meets it; may be changed at any time, or decide for each poke. */
  pokes: Fate | ((tenant: ID<"tenant">, id: ID) => Fate);
  readonly letters: Letter[];
  /** The queue's own `letters`; that name is what waits here. */
  tell: Queue["letters"];
  readonly dead: { body: string; reason: string | undefined }[];
  /** Which waiting letter is handed out next, of `count`: for reordering. The first, when not set. */
  pick: ((count: number) => number) | undefined;
  /** A body of any kind, as a stranger or a newer release would send it. */
  send(body: string): void;
  /**
   * Hands out what is waiting, one by one, until nothing is (also what came meanwhile); one that fails waits for the
   * next drain, and after 5 receives is dead.
   * @returns how many handlers ended well, and what the others threw.
   * @throws Error after 10,000 letters: something pokes itself.
   */
  drain(handle: (body: string) => Promise<void>): Promise<{ done: number; failures: unknown[] }>;
}

const receivesMax = 5;

export function newQueue(pokes: Fate = "kept"): QueueWorld {
  const world: QueueWorld = {
    pokes,
    letters: [],
    dead: [],
    pick: undefined,
    send(body) {
      world.letters.push({ body, receives: 0 });
    },
    async poke(tenant, id) {
      const fate = typeof world.pokes === "function" ? world.pokes(tenant, id) : world.pokes;
      if (fate !== "lost") world.send(bodyOf(tenant, id));
      if (fate === "doubled") world.send(bodyOf(tenant, id));
    },
    async bury(body, reason) {
      world.dead.push({ body, reason });
    },
    async tell(limit) {
      return world.dead.slice(0, limit).map(({ body, reason }, i) => ({
        id: `letter-${i}`,
        sentAt: "2027-01-01T00:00:00.000Z",
        reason: reason ?? "failed too often",
        poke: parse(body),
      }));
    },
    async redrive(limit) {
      const going = world.dead.filter(({ body }) => parse(body) !== undefined).slice(0, limit);
      for (const letter of going) {
        world.send(letter.body);
        world.dead.splice(world.dead.indexOf(letter), 1);
      }
      return going.length;
    },
    close() {},
    async drain(handle) {
      const failed: Letter[] = [];
      const failures: unknown[] = [];
      let done = 0;
      try {
        while (world.letters.length > 0) {
          if (done + failed.length >= 10_000) throw new Error("the queue does not come to rest");
          const [letter] = world.letters.splice(world.pick?.(world.letters.length) ?? 0, 1);
          if (letter === undefined) throw new Error("there is no such letter to pick");
          letter.receives += 1;
          try {
            await handle(letter.body);
            done += 1;
          } catch (cause) {
            failed.push(letter);
            failures.push(cause);
          }
        }
      } finally {
        for (const letter of failed) {
          if (letter.receives < receivesMax) world.letters.push(letter);
          else world.dead.push({ body: letter.body, reason: undefined });
        }
      }
      return { done, failures };
    },
  };
  return world;
}
