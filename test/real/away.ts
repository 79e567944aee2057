import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { inOrder } from "./order.ts";
import { Second } from "./second.ts";
import type { Cluster, Stack } from "./stack.ts";
import { ask, deep, hold, surely } from "./trouble.ts";

const seconds = deep ? 600 : 15;
const clusters = deep ? 3 : 1;
const away = [
  ["the table", "table"],
  ["the host's API server", "kube-apiserver"],
] as const;

/** Needs the cluster `red`. A part that Berth stands on is stopped in the middle of creates, and goes on later. What was made stays. */
export const outage = (stack: Stack) =>
  describe.each(away)("when %s is away", (what, program) => {
    test(
      `${what} being away for ${seconds} s, clusters answer throughout, nothing is lost, and the backlog only shrinks`,
      async () => {
        const kubeconfig = await stack.kubeconfig("red", "--token", "--seconds", "3600");
        const second = await Second.open(stack);
        const ends = [() => second.close()];
        try {
          const names = Array.from({ length: clusters }, (_, i) => `${program}-${i}`);
          const made = await Promise.all(names.map((name) => surely<Cluster>(stack, "POST", "/v1/clusters", { name })));
          await pause(700);
          const told = ask(stack, kubeconfig);
          ends.push(() => void told());
          const on = hold(stack, program);
          ends.push(on);
          await pause(seconds * 1000);
          on();
          const since = performance.now();
          const ages: number[] = [];
          const ready = async (): Promise<boolean> => {
            ages.push(Math.round(await second.oldest()));
            const rows = (await second.rows()).filter(({ id }) => made.some((each) => each.id === id));
            const is = (row: (typeof rows)[number]) =>
              row.status.conditions.some(({ type, status }) => type === "Ready" && status === "True");
            return rows.length === made.length && rows.every((row) => is(row) && row.holder === undefined);
          };
          await vi.waitUntil(ready, { timeout: 240_000, interval: 1000 });
          const took = ((performance.now() - since) / 1000).toFixed(0);
          console.log(`${what} was away for ${seconds} s; ${made.length} creates ended ${took} s after it was back`);
          console.log(`age of the oldest due row, second by second: ${ages.join(" ")}`);
          // What waited grows no older than the outage, and in the end nothing waits longer than two beats.
          expect(Math.max(...ages)).toBeLessThan(seconds + 30);
          expect(ages.at(-1)).toBeLessThan(15);
          const { asked, failed } = await told();
          expect(asked).toBeGreaterThan(seconds / 3);
          expect(failed).toEqual([]);
          await inOrder(stack);
        } finally {
          for (const end of ends) end();
        }
      },
      (seconds + 600) * 1000,
    );
  });
