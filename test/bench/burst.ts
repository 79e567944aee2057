import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:https";
import { availableParallelism } from "node:os";
import type { Kube } from "#core/context.ts";
import { clusterKind } from "#core/cluster/schema.ts";
import type { ID } from "#core/id.ts";
import { openKube } from "#core/kube/index.ts";
import { contextOf, system, workOf } from "#functions/deps.ts";
import { newBare } from "./bare.ts";
import { type Figure, median } from "./figures.ts";
import { newStack, type Stack } from "./stack.ts";

const clusters = Number(process.env["BERTH_BENCH_CLUSTERS"] ?? "20");
const bares = 3;
const pollMs = 250;
const seconds = (since: number): number => (performance.now() - since) / 1000;

interface View {
  id: string;
  status: { phase: string; endpoint?: string; authority?: string };
}

/**
 * Seconds from 20 clusters posted at once until the API server of each says that it is ready, over the CPU seconds of
 * as many bare starts shared by the machine's cores. A bare start is the same four programs by hand: from the first
 * one's begin until the API server is ready and both controllers hold their leases.
 */
export async function burst(tell: (line: string) => void): Promise<Figure> {
  const stack = await newStack(tell);
  const samples: Record<string, number[]> = {};
  try {
    const me = await stack.ask<{ tenant: { id: ID<"tenant"> } }>("GET", "/v1/me");
    const work = await workOf(stack.deps, contextOf(stack.deps, system(me.tenant.id), "bench"));
    // The first pays for what is loaded once in a process's life.
    await all(stack, me.tenant.id, ["warm"]);
    const one = async (run: number): Promise<void> => {
      const set = await newBare(stack, work, `bare${run}`);
      try {
        const kube = openKube(await set.begin());
        await until(() => kube.ready(2_000));
        const ready = cpuOf(set.pids());
        await set.control();
        await until(() => led(kube));
        const whole = cpuOf(set.pids());
        tell(`bare start: ${ready.toFixed(2)} s of CPU until it was ready, ${whole.toFixed(2)} s in all`);
        if (run > 0) {
          (samples["bare start, CPU seconds"] ??= []).push(whole);
          (samples["bare start until readyz, CPU seconds"] ??= []).push(ready);
        }
      } finally {
        await set.end();
      }
    };
    for (let run = 0; run <= bares; run += 1) await one(run);
    const names = Array.from({ length: clusters }, (_, i) => `burst-${i}`);
    const [before, programs] = [machine(), byProgram(stack)];
    const since = performance.now();
    const times = await all(stack, me.tenant.id, names, tell);
    const took = Math.max(...times);
    const spent = machine() - before;
    const shares = Object.entries(byProgram(stack))
      .map(([program, all]) => [program, (all - (programs[program] ?? 0)) / clusters] as const)
      .sort(([, a], [, b]) => b - a)
      .filter(([, each]) => each >= 0.05);
    samples["readyz after, seconds"] = times.sort((a, b) => a - b);
    samples["all Ready after, seconds"] = [await settled(stack, since)];
    const cores = availableParallelism();
    const of = (what: string): number => (clusters * median(samples[what] ?? [])) / cores;
    return {
      name: "burst",
      value: took / of("bare start, CPU seconds"),
      unit: "ratio",
      samples,
      notes: [
        `${clusters} clusters on ${cores} cores; all ready after ${took.toFixed(1)} s`,
        `over bare starts until readyz alone (etcd and kube-apiserver): ${(took / of("bare start until readyz, CPU seconds")).toFixed(3)}`,
        `the whole machine spent ${(spent / clusters).toFixed(2)} s of CPU per cluster until then`,
        `of it: ${shares.map(([program, each]) => `${program} ${each.toFixed(2)}`).join(", ")}`,
      ],
    };
  } finally {
    await stack.down();
  }
}

/** Posts them all at once, and says for each how long its own API server took to be ready. */
async function all(
  stack: Stack,
  tenant: ID<"tenant">,
  names: string[],
  tell: (line: string) => void = () => undefined,
) {
  const since = performance.now();
  return await Promise.all(
    names.map(async (name) => {
      const { id } = await stack.ask<View>("POST", "/v1/clusters", { name });
      // By the row, so that many who wait cost little; what is asked is the cluster's own door, as by a stranger.
      const row = () => stack.deps.home.table(tenant).get(clusterKind, id, { stale: true });
      let where: Where | undefined;
      await until(async () => {
        const { authority, endpoint } = where ?? (await row())?.status ?? {};
        if (authority === undefined || endpoint === undefined) return false;
        where = { authority, endpoint };
        return await answers(where, `${id.replace("_", "-")}.berth.internal`);
      });
      tell(`${name} is ready after ${seconds(since).toFixed(1)} s`);
      return seconds(since);
    }),
  );
}

interface Where {
  authority: string;
  endpoint: string;
}

/** Whether /readyz says so to someone without a credential. */
const answers = ({ authority, endpoint }: Where, servername: string): Promise<boolean> =>
  new Promise((resolve) => {
    const options = { ca: authority, servername, agent: false, timeout: 2_000 };
    const asked = request(`${endpoint}/readyz`, options, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.once("timeout", () => asked.destroy()).once("error", () => resolve(false));
    asked.end();
  });

async function settled(stack: Stack, since: number): Promise<number> {
  await until(async () => {
    const { items } = await stack.ask<{ items: View[] }>("GET", "/v1/clusters?limit=100");
    return items.every(({ status }) => status.phase === "Ready");
  });
  return seconds(since);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 600_000; !(await holds().catch(() => false)); ) {
    if (performance.now() > end) throw new Error("waited ten minutes in vain");
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Whether both controllers lead. */
async function led(kube: Kube): Promise<boolean> {
  const lease = (name: string) =>
    kube.get({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace: "kube-system", name });
  const found = await Promise.all(["kube-controller-manager", "kube-scheduler"].map(lease));
  return found.every((each) => each !== undefined);
}

const ticksPerSecond = 100;

/** CPU seconds that processes have had so far. */
const cpuOf = (pids: number[]): number => pids.reduce((sum, pid) => sum + ticksOf(pid).own, 0) / ticksPerSecond;

function ticksOf(pid: number): { own: number; ended: number } {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { own: Number(fields[11]) + Number(fields[12]), ended: Number(fields[13]) + Number(fields[14]) };
}

/**
 * CPU seconds of all that the stack runs, by program; those of tenants' Pods begin with `pod`. What a process started
 * and saw end counts as its own, such as runc as its shim's.
 */
function byProgram({ state: { hash } }: Stack): Record<string, number> {
  const spent: Record<string, number> = {};
  for (const pid of readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)) {
    try {
      const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, "utf8");
      const pod = read("cgroup").includes(`/berth-${hash}/`) && read("cgroup").includes("pod");
      if (!pod && pid !== process.pid && !read("environ").includes(`BERTH_CHILD=${hash}/`)) continue;
      const program = pid === process.pid ? "this process" : (read("cmdline").split("\0")[0]?.split("/").at(-1) ?? "");
      const name = pod ? `pod ${program}` : program;
      const { own, ended } = ticksOf(pid);
      spent[name] = (spent[name] ?? 0) + (own + ended) / ticksPerSecond;
    } catch {
      // It ended while we looked.
    }
  }
  return spent;
}

/** CPU seconds that the whole machine has spent so far, idle and waiting apart. */
function machine(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0] = (
    readFileSync("/proc/stat", "utf8").split("\n")[0] ?? ""
  )
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + soft) / ticksPerSecond;
}
