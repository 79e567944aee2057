import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { inOrder } from "./order.ts";
import { sound } from "./restart.ts";
import type { Cluster, Stack } from "./stack.ts";
import { deep, dice, hold, startHome, surely } from "./trouble.ts";

const points = deep ? 50 : 5;
/** After so many, all is left alone until it has come to rest. */
const pointsPerPhase = 5;
const clustersMax = 5;

interface View extends Cluster {
  generation: number;
  observedGeneration: number;
}

/** What was asked for and accepted. It takes over what other parts made, and left. */
class Wishes {
  readonly there: Map<string, string>;
  readonly gone: string[] = [];
  /** Two changes of one at once would be a race of ours. */
  private readonly busy = new Set<string>();
  private made = 0;
  private making = 0;
  private readonly stack: Stack;

  private constructor(stack: Stack, there: Map<string, string>) {
    this.stack = stack;
    this.there = there;
  }

  static async of(stack: Stack, spared: string[]): Promise<Wishes> {
    const { items } = await stack.api<{ items: Cluster[] }>("GET", "/v1/clusters?limit=100");
    const others = items.filter(({ name }) => !spared.includes(name));
    return new Wishes(stack, new Map(others.map(({ id, name }) => [id, name])));
  }

  /** Creates, changes or removes one, as chance tells, and notes it once it is answered. */
  async change(chance: number): Promise<string> {
    const free = [...this.there.keys()].filter((id) => !this.busy.has(id));
    const id = free[Math.floor(chance * 7 * free.length) % free.length];
    if (this.there.size + this.making < clustersMax && (id === undefined || chance < 0.5)) return await this.make();
    if (id === undefined) return "nothing";
    const name = this.there.get(id);
    this.busy.add(id);
    if (chance < 0.65) {
      await surely(this.stack, "PATCH", `/v1/clusters/${id}`, { labels: { chance: String(chance) } });
      this.busy.delete(id);
      return `changed ${name}`;
    }
    await surely(this.stack, "DELETE", `/v1/clusters/${id}`, {});
    this.there.delete(id);
    this.gone.push(id);
    return `removed ${name}`;
  }

  private async make(): Promise<string> {
    const name = `fire-${this.made++}`;
    this.making += 1;
    const { id } = await surely<View>(this.stack, "POST", "/v1/clusters", { name }).finally(() => (this.making -= 1));
    this.there.set(id, name);
    return `made ${name}`;
  }
}

/** Waits until all that was accepted has come to its end, and judges it. */
async function rest(stack: Stack, { there, gone }: Wishes): Promise<void> {
  for (const id of there.keys()) {
    const settled = async () => {
      // A home that has just been started may not listen yet.
      const view = await stack.api<View>("GET", `/v1/clusters/${id}?wait=5`).catch(() => undefined);
      const done = view?.status.phase === "Ready" && view.observedGeneration === view.generation;
      return done ? view : undefined;
    };
    await sound(stack, await vi.waitUntil(settled, { timeout: 180_000, interval: 500 }));
  }
  for (const id of gone.splice(0)) {
    const receipt = () => stack.api<object>("GET", `/v1/clusters/${id}/receipt`).catch(() => undefined);
    expect(await vi.waitUntil(receipt, { timeout: 180_000, interval: 500 })).toMatchObject({ id, remaining: [] });
  }
  await inOrder(stack);
}

/** Home is killed, or stopped and let go again, at moments that only a seed knows. Ends all but `first` and `red`. */
export const fire = (stack: Stack) =>
  describe("when Berth's own process is killed and stopped at random", () => {
    test(
      `at ${points} moments, all that was accepted comes to its end, once, and nothing else is there`,
      async () => {
        const random = dice("killed and stopped at random");
        const wishes = await Wishes.of(stack, ["first", "red"]);
        for (let point = 1; point <= points; point += 1) {
          const changes = Promise.all([wishes.change(random()), wishes.change(random())]);
          // Wherever a create or a removal is then: each takes some seconds.
          await pause(random() * 2500);
          const since = performance.now();
          const how = random() < 0.5 ? "killed" : "stopped";
          if (how === "killed") {
            await stack.endHome("SIGKILL");
            await startHome(stack);
          } else {
            const on = hold(stack, "home");
            await pause(500 + random() * 4000);
            on();
          }
          const done = (await changes).join(", ");
          console.log(`${point}: ${how}, ${((performance.now() - since) / 1000).toFixed(1)} s: ${done}`);
          if (point % pointsPerPhase === 0 || point === points) await rest(stack, wishes);
        }
        for (const id of wishes.there.keys()) {
          await surely(stack, "DELETE", `/v1/clusters/${id}`, {});
          wishes.there.delete(id);
          wishes.gone.push(id);
        }
        await rest(stack, wishes);
      },
      deep ? 3_600_000 : 400_000,
    );
  });
