import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import { Stop } from "./fault.ts";
import { clean } from "./output.ts";
import type { Cluster, Condition, Receipt } from "./shape.ts";

/** Shows steps as they happen, on stderr. */
export interface Progress {
  update(conditions: readonly Condition[]): void;
  /** The last word: leaves what is there. */
  end(): void;
}

const mark = { True: "+", False: "-", Unknown: "?" } as const;

/** Lines redrawn in place on a terminal; elsewhere one line for each change. */
export function newProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const last = new Map<string, string>();
  let drawn = 0;
  const began = performance.now();
  return {
    update(conditions) {
      if (stream.isTTY) {
        const width = (stream.columns || 80) - 1;
        const lines = conditions.map((each) => line(each).slice(0, width));
        const up = drawn === 0 ? "" : `\u001b[${drawn}A`;
        stream.write(`${up}\u001b[J${lines.map((each) => `${each}\n`).join("")}`);
        drawn = lines.length;
        return;
      }
      for (const each of conditions) {
        const now = `${each.status} ${each.reason} ${each.message}`;
        if (last.get(each.type) === now) continue;
        last.set(each.type, now);
        stream.write(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)}s ${line(each)}\n`);
      }
    },
    end() {
      drawn = 0;
    },
  };
}

/** One condition: done or not, how long it took or has taken, and why when it is not done. */
function line(condition: Condition): string {
  const { type, status, reason, message, tookSeconds, startedAt } = condition;
  const since = startedAt === undefined ? undefined : (Date.now() - Date.parse(startedAt)) / 1000;
  const took = status === "True" ? tookSeconds : since;
  const time = took === undefined ? "" : `${Math.max(0, took).toFixed(1)}s`;
  const why = status === "True" ? "" : [reason, message].filter((each) => each !== "").join(": ");
  return clean(`${mark[status] ?? "?"} ${type.padEnd(22)} ${time.padStart(7)} ${why}`).trimEnd();
}

/** Why a wait for readiness can end at once, if it can. */
function hopeless(cluster: Cluster): string | undefined {
  if (cluster.deletedAt !== undefined) return `${cluster.name} is being removed`;
  if (cluster.status.phase !== "Parked") return undefined;
  const why = cluster.status.conditions.find((each) => each.status !== "True");
  return `${cluster.name} is parked after repeated failures${why ? `: ${why.type}: ${why.message}` : ""}`;
}

/**
 * Waits until the condition `type` is True; `Ready` for the generation that is wanted now. The steps before it are done
 * while that is still being worked on.
 * @throws Stop `timeout` when the time is up, or when waiting on would be in vain.
 */
export async function waitReady(client: Client, id: string, type: string, limitSeconds: number): Promise<Cluster> {
  const until = performance.now() + limitSeconds * 1000;
  const progress = newProgress();
  try {
    for (;;) {
      const began = performance.now();
      // One second per look, however long the server would wait: the steps are to be seen as they happen.
      const cluster = await client.get<Cluster>(`/v1/clusters/${id}`, { wait: 1, for: type });
      progress.update(cluster.status.conditions);
      const met = cluster.status.conditions.some((each) => each.type === type && each.status === "True");
      if (met && (type !== "Ready" || cluster.observedGeneration >= cluster.generation)) return cluster;
      const vain = hopeless(cluster);
      if (vain !== undefined) throw new Stop("timeout", `${vain}.`);
      const left = until - performance.now();
      if (left <= 0) throw new Stop("timeout", `${cluster.name} is not ${type} after ${limitSeconds} s.`);
      // A server that answers at once is not asked more often for that.
      await sleep(Math.max(0, Math.min(left, began + 1000 - performance.now())));
    }
  } finally {
    progress.end();
  }
}

/** Waits until a cluster is gone, and returns what is left of it. @throws Stop `timeout`. */
export async function waitGone(client: Client, id: string, limitSeconds: number): Promise<Receipt> {
  const until = performance.now() + limitSeconds * 1000;
  const progress = newProgress();
  try {
    for (;;) {
      try {
        const cluster = await client.get<Cluster>(`/v1/clusters/${id}`);
        progress.update(cluster.status.conditions);
      } catch (error) {
        if (error instanceof Stop && error.exit === "missing") break;
        throw error;
      }
      const left = until - performance.now();
      if (left <= 0) throw new Stop("timeout", `It is not gone after ${limitSeconds} s; its removal goes on.`);
      await sleep(Math.min(left, 500));
    }
    return await client.get<Receipt>(`/v1/clusters/${id}/receipt`);
  } finally {
    progress.end();
  }
}
