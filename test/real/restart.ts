import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import type { Cluster, Stack } from "./stack.ts";

interface Owned {
  metadata: { ownerReferences?: { uid: string }[] };
}

interface Volume {
  spec: { claimRef?: { namespace: string } };
  status: { phase: string };
}

/** Berth's own process ends in the middle of its work; what it did and what it had not done yet is found again. */
export const restart = (stack: Stack) =>
  describe("when Berth's own process ends in the middle", () => {
    const make = (name: string) => stack.api<Cluster>("POST", "/v1/clusters", { name });
    const ready = (name: string) => stack.json("cluster", "get", name, "--wait", "--timeout", "120s");

    test("told to end right after a create, the next process makes the cluster", async () => {
      await make("amber");
      await stack.endHome("SIGTERM");
      await stack.up("--no-cluster");
      await sound(stack, await ready("amber"));
    });

    test("killed at three moments of creates, the next process takes over, and nothing is doubled", async () => {
      const made: Cluster[] = [];
      // At the kill they are 4 s, 1.5 s and 0.3 s old: about to be ready, at its first Pods, just asked for.
      for (const [name, milliseconds] of [
        ["blue", 2500],
        ["cyan", 1200],
        ["dove", 300],
      ] as const) {
        made.push(await make(name));
        await pause(milliseconds);
      }
      await stack.endHome("SIGKILL");
      await stack.up("--no-cluster");
      const clusters = await Promise.all(made.map(({ name }) => ready(name)));
      expect(clusters.map(({ id }) => id)).toEqual(made.map(({ id }) => id));
      for (const cluster of clusters) await sound(stack, cluster);
      expect(new Set(clusters.map(({ status }) => status.endpoint)).size).toBe(clusters.length);
      await nothingElse(stack);
    });

    test("killed in the middle of removals, the next process ends them", async () => {
      const names = ["amber", "blue", "cyan", "dove"];
      const ids = await Promise.all(names.map(async (name) => (await stack.json("cluster", "get", name)).id));
      await Promise.all(names.map((name) => stack.berth(["cluster", "delete", name, "--yes"])));
      await stack.endHome("SIGKILL");
      await stack.up("--no-cluster");
      const receipt = async (id: string) => (await stack.berth(["cluster", "receipt", id, "-o", "json"])).out;
      for (const id of ids) {
        await vi.waitUntil(async () => (await receipt(id)) !== "", { timeout: 120_000, interval: 1000 });
        expect(JSON.parse(await receipt(id))).toMatchObject({ id, remaining: [] });
      }
      await nothingElse(stack);
    });
  });

/** Its keys were made once: nothing that was signed with others was ever rolled out. */
export async function sound(stack: Stack, { id, status }: Cluster): Promise<void> {
  const at = ["--namespace", id.replace("_", "-")];
  const sets = (await stack.things("replicasets", ...at)) as unknown as Owned[];
  const owners = sets.map(({ metadata }) => metadata.ownerReferences?.[0]?.uid);
  expect(owners).toHaveLength(3);
  expect(new Set(owners).size).toBe(3);
  const pods = await stack.things("pods", ...at);
  const restarts = pods.flatMap((pod) =>
    (pod.status as { containerStatuses: { restartCount: number }[] }).containerStatuses.map(
      (each) => each.restartCount,
    ),
  );
  expect(restarts).toEqual([0, 0, 0, 0]);
  const authority = await stack.host(...at, "get", "secret", "apiserver", "-o", String.raw`jsonpath={.data.ca\.crt}`);
  expect(Buffer.from(authority, "base64").toString()).toBe(status.authority);
}

/** The host has one namespace for each cluster, and no volume is bound without one. */
export async function nothingElse(stack: Stack): Promise<void> {
  const { items } = await stack.api<{ items: Cluster[] }>("GET", "/v1/clusters?limit=100");
  const ids = items.map(({ id }) => id.replace("_", "-")).sort();
  const namespaces = await stack.things("namespaces", "--selector", "app.kubernetes.io/managed-by=berth");
  expect(namespaces.map(({ metadata }) => metadata.name).sort()).toEqual(ids);
  const phases = async () => {
    const all = await stack.things("persistentvolumes");
    const phased = (all as unknown as Volume[]).map(({ status: { phase }, spec }) =>
      phase === "Available" ? "" : `${phase} ${spec.claimRef?.namespace}`,
    );
    return phased.filter((each) => each !== "").sort();
  };
  // A volume is wiped and made anew once the kubelet has let it go.
  await expect.poll(phases, { timeout: 60_000, interval: 500 }).toEqual(ids.map((id) => `Bound ${id}`));
}
