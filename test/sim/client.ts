import { newCaller, type Answer } from "../world/people.ts";
import type { Actors } from "./actors.ts";
import { between } from "./dice.ts";
import type { Ground } from "./ground.ts";

/** Who calls, with what. */
export interface User {
  tenant: string;
  member: string;
  text: string;
}

export interface Asked {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** An answer, and when it came, in milliseconds. */
export type Said = Answer & { at: number };

/** Requests of people, each through a process that may end in the middle of it. */
export function newClient(ground: Ground, actors: Actors) {
  const { world, dice, judge } = ground;
  let asks = 0;

  /** @returns nothing when no answer came back, whatever was done. */
  async function ask(user: User, { method, path, body, headers }: Asked): Promise<Answer | undefined> {
    const name = `ask ${(asks += 1)}`;
    await actors.home();
    const door = actors.door(dice("door", name));
    ground.tell(`${name} ${method} ${path} by ${door.name}`);
    const answer = await door.run(() => newCaller(door.doors, user.text).call(method, path, body, headers));
    ground.tell(`${name} ${answer?.status ?? "no answer"}`);
    if (answer === undefined || (!ground.calm && dice("way back", name) < 0.03)) return undefined;
    if (user.tenant !== world.deps.home.tenant) judge.answered(user.tenant, answer, `${method} ${path}`);
    // A key service that is away is nothing that a port tells apart; all else has a status of its own.
    const excused = ground.met.some(({ key, what }) => key.startsWith(`${door.name}#`) && what.startsWith("seal"));
    judge.hold("an answer tells of no bug", answer.status !== 500 || excused, () => `${method} ${path}: 500`);
    return answer;
  }

  /** Asks again, with the same key, until an answer says what became of it; in vain after some tries. */
  async function insist(user: User, asked: Asked, key: string): Promise<Said[]> {
    const answers: Said[] = [];
    for (let tries = 0; tries < 6; tries += 1) {
      const answer = await ask(user, { ...asked, headers: { ...asked.headers, "Idempotency-Key": key } });
      if (answer !== undefined && answer.status < 500) answers.push({ ...answer, at: Date.parse(world.clock.now()) });
      // Who is sure asks once more, now and then: a key means the same for a day.
      if (answers.length > 0 && dice("again", key, tries) < 0.7) break;
      await world.clock.sleep(between(dice("retry", key, tries), 500, 20_000));
    }
    return answers;
  }
  return { ask, insist };
}
export type Client = ReturnType<typeof newClient>;
