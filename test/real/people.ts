import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { paths } from "../../local/settings.ts";
import type { Cluster, Stack } from "./stack.ts";

/** Needs the cluster `red`, and makes none that stays. */
export const people = (stack: Stack) =>
  describe("who may do what, and how much", () => {
    const staff = (...args: string[]) =>
      stack.berth([...args, "-o", "json"], { BERTH_TOKEN_FILE: paths(stack.state).staffToken });

    test("one request that is sent twice makes one cluster, and both are told of it", async () => {
      const key = randomUUID();
      const post = () =>
        fetch(`${stack.url}/v1/clusters`, {
          method: "POST",
          headers: {
            Authorization: `Bearer ${readFileSync(paths(stack.state).token, "utf8").trim()}`,
            "Content-Type": "application/json",
            "Idempotency-Key": key,
          },
          body: JSON.stringify({ name: "twice" }),
        });
      const answers = await Promise.all([post(), post()]);
      expect(answers.map(({ status }) => status)).toEqual([201, 201]);
      const [first, second] = (await Promise.all(answers.map((each) => each.json()))) as [Cluster, Cluster];
      expect(second.id).toBe(first.id);
      expect((await post()).headers.get("idempotency-replayed")).toBe("true");
      const { items } = await stack.api<{ items: Cluster[] }>("GET", "/v1/clusters?limit=100");
      expect(items.filter(({ name }) => name === "twice")).toHaveLength(1);
      expect((await stack.berth(["cluster", "delete", "twice", "--yes", "--wait"])).code).toBe(0);
    });

    test("a robot's token ends with its suspension, ten seconds later at most", async () => {
      await stack.json("member", "create", "pusher", "--role", "viewer");
      const { token } = await stack.json<{ token: string }>("token", "create", "push", "--member", "pusher");
      const headers = { Authorization: `Bearer ${token}` };
      const asked = () => fetch(`${stack.url}/v1/clusters`, { headers }).then(({ status }) => status);
      expect(await asked()).toBe(200);
      await stack.json("member", "update", "pusher", "--state", "suspended");
      await vi.waitUntil(async () => (await asked()) === 401, { timeout: 11_000, interval: 250 });
      expect((await stack.berth(["member", "remove", "pusher", "--yes"])).code).toBe(0);
    });

    test("a tenant at its limit is refused with the limit's name, until staff raise it", async () => {
      const { tenant } = await stack.api<{ tenant: { name: string } }>("GET", "/v1/me");
      const { items } = await stack.json<{ items: { what: string; used: number; limit: number }[] }>("quota");
      const { used, limit } = items.find(({ what }) => what === "clusters") ?? { used: 0, limit: 0 };
      const bound = (count: number) => staff("tenant", "limit", tenant.name, "--clusters", String(count));
      expect((await bound(used)).code).toBe(0);
      const refused = await stack.berth(["cluster", "create", "toomany"]);
      expect(refused.code).not.toBe(0);
      expect(refused.err).toMatch(/clusters/);
      expect((await bound(limit)).code).toBe(0);
    });

    test("staff see what the host carries and that it is fenced, and that nothing waits for a person", async () => {
      const { items: hosts } = JSON.parse((await staff("host", "list")).out) as {
        items: { fenced: boolean; healthy: boolean; seats: { taken: number; free: number } }[];
      };
      const { items } = await stack.api<{ items: Cluster[] }>("GET", "/v1/clusters?limit=100");
      expect(hosts).toMatchObject([{ fenced: true, healthy: true, seats: { taken: items.length } }]);
      expect(hosts[0]?.seats.free).toBeGreaterThan(0);
      for (const waiting of ["parked", "letters"]) {
        const { code, out, err } = await staff(waiting, "list");
        expect(code, err).toBe(0);
        expect(JSON.parse(out)).toMatchObject({ items: [] });
      }
      expect((await stack.berth(["host", "list"])).code).not.toBe(0);
    });

    test("each change is in a signed digest a beat later, and the whole audit is sound", async () => {
      const { id } = await stack.json("cluster", "label", "red", `audited=${randomUUID().slice(0, 8)}`);
      const made = await stack.json<{ items: { id: string; verb: string }[] }>("audit", "list", "--target", id);
      const entry = made.items.find(({ verb }) => verb === "cluster:update");
      expect(entry).toBeDefined();
      const sealed = async () => {
        const { items } = await stack.json<{ items: { entries: { id: string }[] }[] }>("audit", "digests");
        return items.some(({ entries }) => entries.some((each) => each.id === entry?.id));
      };
      // A beat is five seconds here.
      await vi.waitUntil(sealed, { timeout: 15_000, interval: 500 });
      const { code, out, err } = await stack.berth(["audit", "verify"]);
      expect(code, out + err).toBe(0);
      expect(out).toMatch(/^whole: \d+ entries in \d+ digests/);
    });
  });
