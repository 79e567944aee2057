import type { ID } from "#core/id.ts";
import { bodyOf } from "#core/queue/index.ts";
import type { Clock } from "../world/clock.ts";

/** A message, and from when it may be handed out. */
export interface Message {
  number: number;
  body: string;
  at: number;
  receives: number;
}

/** For how long a message that was handed out is hidden: six times the function's time. */
const hiddenMs = 360_000;
const receivesMax = 5;

/** The queue as workers see it: at least once, in any order, hidden while one of them is at it. */
export function newMail(clock: Clock) {
  const messages = new Set<Message>();
  let number = 0;
  let waiting: (() => void)[] = [];
  const time = (): number => Date.parse(clock.now());
  const stir = (): void => {
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };
  const stirAfter = (ms: number): void => void clock.sleep(ms).then(stir);
  return {
    /** How many wait or are hidden. */
    get size() {
      return messages.size;
    },
    send(tenant: ID<"tenant">, id: ID, delayMs = 0): void {
      messages.add({ number: (number += 1), body: bodyOf(tenant, id), at: time() + delayMs, receives: 0 });
      if (delayMs > 0) stirAfter(delayMs);
      else stir();
    },
    /** Hands out one of those that may be, which is then hidden. */
    take(pick: (count: number) => number): Message | undefined {
      const ready = [...messages].filter(({ at }) => at <= time());
      const message = ready[pick(ready.length)];
      if (message === undefined) return undefined;
      message.receives += 1;
      message.at = time() + hiddenMs;
      if (message.receives >= receivesMax) messages.delete(message);
      else stirAfter(hiddenMs);
      return message;
    },
    done: (message: Message): void => void messages.delete(message),
    /** Resolves when there may be something to take. */
    next: (): Promise<void> => new Promise((resolve) => waiting.push(resolve)),
  };
}
export type Mail = ReturnType<typeof newMail>;
