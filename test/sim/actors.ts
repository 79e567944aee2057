import type { SQSEvent } from "aws-lambda";
import { beat } from "#functions/cron/beat.ts";
import { digest } from "#functions/cron/chain.ts";
import { lap } from "#functions/cron/survey.ts";
import { round } from "#functions/cron/visit.ts";
import type { Deps } from "#functions/deps.ts";
import { consume } from "#functions/queue/consume.ts";
import { between } from "./dice.ts";
import type { Ground } from "./ground.ts";
import { newProcess, type Process } from "./process.ts";

/** How long one message may be worked on before its process is ended, in virtual milliseconds. */
const functionMsMax = 900_000;
const tickMs = 500;

/** Everything that runs by itself: workers, clocks, Kubernetes' controllers. */
export function newActors(ground: Ground, options: { workers: number; skewMs: number }) {
  const { world, dice } = ground;
  const { clock } = world;
  const alive = new Set<Process>();
  const time = (): number => Date.parse(clock.now());
  let born = 0;
  let over = false;
  let awayUntil = 0;
  let idle = 0;
  /** When a clock's runs begin anew: they share the world's minutes, not its moments. */
  const turns = new Map<string, number>();

  const birth = (role: string): Process => {
    const name = `${role}-${(born += 1)}`;
    const skew = ground.calm ? 0 : Math.round(between(dice("skew", name), -options.skewMs, options.skewMs));
    const process = newProcess(ground, name, skew);
    alive.add(process);
    void process.died.then(() => alive.delete(process));
    return process;
  };
  const home = async (): Promise<void> => {
    while (time() < awayUntil) await clock.sleep(awayUntil - time());
  };

  /** A function of the clock: a process of its own each time, whose failure the next run makes good. */
  async function runs(role: string, everyMs: () => number, work: (deps: Deps, turn: number) => Promise<unknown>) {
    for (let turn = 0; !over; turn += 1) {
      await clock.sleep(everyMs());
      await home();
      if (over) return;
      const process = birth(role);
      await process.run(async () => await work(process.deps, turn).catch(() => undefined));
      alive.delete(process);
      turns.set(role, turn);
    }
  }

  async function works(): Promise<void> {
    for (let process = birth("worker"), letters = 0; !over; ) {
      await home();
      if (process.dead) {
        await clock.sleep(between(dice("reborn", process.name), 500, 5_000));
        process = birth("worker");
        continue;
      }
      const message = ground.mail.take((count) => Math.floor(dice("pick", process.name, (letters += 1)) * count));
      if (message === undefined) {
        idle += 1;
        await Promise.race([ground.mail.next(), process.died]);
        idle -= 1;
        continue;
      }
      const ended = new AbortController();
      void clock.sleep(functionMsMax, ended.signal).then(() => !ended.signal.aborted && process.kill());
      const record = { messageId: `message-${message.number}`, body: message.body };
      const event = { Records: [record] } as unknown as SQSEvent;
      const answer = await process.run(() => consume(process.deps, event));
      ended.abort();
      if (answer?.batchItemFailures.length === 0) ground.mail.done(message);
    }
  }

  /** Kubernetes' controllers, which go round while there is anything new. */
  async function ticks(): Promise<void> {
    const versions = (): string => [...world.kubes.servers.values()].map(({ objects }) => objects.version).join();
    for (let seen = ""; !over; await clock.sleep(tickMs)) {
      if (versions() === seen) continue;
      seen = versions();
      world.tick();
    }
  }

  let doorway: Process[] = [];
  return {
    start(): void {
      const period = (role: string, seconds: number) => (): number => {
        const often = ground.calm && role === "lap" ? 0.5 : 1;
        return often * seconds * 1_000 * between(dice("period", role, turns.get(role) ?? -1), 0.9, 1.1);
      };
      for (let i = 0; i < options.workers; i += 1) void works();
      void ticks();
      void runs("sweep", period("sweep", 60), (deps) => beat(deps));
      void runs("digest", period("digest", 60), (deps) => digest(deps));
      void runs("lap", period("lap", 240), (deps) => lap(deps));
      void runs("round", period("round", 150), (deps, turn) => round(deps, turn));
    },
    birth,
    /** One of the processes that answer requests; they live on from request to request. */
    door(roll: number): Process {
      doorway = doorway.filter(({ dead }) => !dead);
      while (doorway.length < 2) doorway.push(birth("door"));
      return doorway[Math.floor(roll * doorway.length)] ?? birth("door");
    },
    /** Every process of ours ends now, and none is born before the time is over. */
    homeAway(ms: number): void {
      awayUntil = time() + ms;
      for (const process of alive) process.kill();
    },
    home,
    /** Ends one of what runs. */
    strike(roll: number): void {
      [...alive][Math.floor(roll * alive.size)]?.kill();
    },
    stop: (): void => void (over = true),
    get resting() {
      return idle === options.workers;
    },
  };
}
export type Actors = ReturnType<typeof newActors>;
