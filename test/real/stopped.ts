import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { hands, inOrder } from "./order.ts";
import { sound } from "./restart.ts";
import { Second } from "./second.ts";
import type { Cluster, Stack } from "./stack.ts";
import { dice, hold, surely } from "./trouble.ts";

const names = ["quartz", "pyrite"];

/** A worker is stopped past its lease, another one takes over, and the first is let go again. Its clusters stay. */
export const stopped = (stack: Stack) =>
  describe("when a worker is stopped past its lease", () => {
    test("another takes over and finishes, and no write of the older one lands on the host", async () => {
      const random = dice("stopped past the lease");
      const second = await Second.open(stack);
      const ends = [() => second.close()];
      try {
        const made = await Promise.all(names.map((name) => surely<Cluster>(stack, "POST", "/v1/clusters", { name })));
        const ids = new Set(made.map(({ id }) => id));
        const rows = async () => (await second.rows()).filter(({ id }) => ids.has(id));
        await vi.waitUntil(async () => (await rows()).every(({ holder }) => holder !== undefined), { timeout: 20_000 });
        await pause(random() * 1500);
        const on = hold(stack, "home");
        ends.push(on);
        const older = new Map((await rows()).map(({ id, epoch }) => [id, epoch]));
        await Promise.all((await rows()).map(({ id }) => second.finish(id)));
        const before = await hands(stack);
        for (const { id, epoch } of await rows()) {
          const space = id.replace("_", "-");
          expect(epoch).toBeGreaterThan(older.get(id) ?? 0);
          expect(before[`${space} Namespace ${space}`]?.epoch).toBe(epoch);
        }
        const refused = await denied(stack);
        on();
        await vi.waitUntil(() => fetch(`${stack.url}/v1/health`).then(({ ok }) => ok), { timeout: 20_000 });
        // Two beats of its clock, and whatever it had begun is over.
        await pause(11_000);
        console.log(`writes that the host refused: ${refused} before, ${await denied(stack)} after it was let go`);
        expect(await hands(stack)).toEqual(before);
        for (const { id } of made) await sound(stack, await stack.api<Cluster>("GET", `/v1/clusters/${id}`));
        await inOrder(stack);
      } finally {
        for (const end of ends) end();
      }
    });
  });

/** How many writes the policy of the host has refused since its API server began. */
async function denied(stack: Stack): Promise<number> {
  const lines = (await stack.host("get", "--raw", "/metrics")).split("\n");
  const about = lines.filter(
    (line) => line.startsWith("apiserver_validating_admission_policy_check_total{") && line.includes("berth-fence"),
  );
  const refusals = about.filter((line) => /enforcement_action="deny"/.test(line));
  return refusals.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
