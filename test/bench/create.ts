import type { Target, Work } from "#core/context.ts";
import { openKube } from "#core/kube/index.ts";
import { contextOf, system, workOf } from "#functions/deps.ts";
import { newBare } from "./bare.ts";
import { type Figure, median } from "./figures.ts";
import { newStack, type Stack } from "./stack.ts";

interface View {
  id: string;
  status: { conditions: { type: string; status: string; startedAt?: string; at: string; tookSeconds?: number }[] };
}

const pollMs = 75;
const seconds = (since: number): number => (performance.now() - since) / 1000;

/**
 * From the POST to one GET of a namespace on the new API server with a token that Berth issued, in this process; over
 * etcd and kube-apiserver started by hand with the same flags, keys included, doing the same GET as administrator.
 */
export async function create(
  tell: (line: string) => void,
  pairs = Number(process.env["BERTH_BENCH_RUNS"] ?? "7"),
): Promise<Figure> {
  const stack = await newStack(tell);
  const samples: Record<string, number[]> = { hosted: [], "hosted, all Pods ready": [], bare: [] };
  const steps: Record<string, number[]> = {};
  try {
    const me = await stack.ask<{ tenant: { id: `tnt_${string}` } }>("GET", "/v1/me");
    const work = await workOf(stack.deps, contextOf(stack.deps, system(me.tenant.id), "bench"));
    // The first of each pays for what is loaded once in a process's life; it is not counted.
    for (let run = 0; run <= pairs; run++) {
      const order = run % 2 === 0 ? [hosted, bare] : [bare, hosted];
      for (const each of order) {
        const took = await each(stack, work, run, steps);
        tell(
          `run ${run}: ${Object.entries(took)
            .map(([what, time]) => `${what} ${time.toFixed(2)} s`)
            .join(", ")}`,
        );
        if (run > 0) for (const [what, time] of Object.entries(took)) samples[what]?.push(time);
      }
    }
  } finally {
    await stack.down();
  }
  const base = median(samples["bare"] ?? []);
  const pods = median(samples["hosted, all Pods ready"] ?? []) / base;
  return {
    name: "create",
    value: median(samples["hosted"] ?? []) / base,
    unit: "ratio",
    samples,
    notes: [
      `all control-plane Pods ready over bare: ${pods.toFixed(3)}`,
      ...Object.entries(steps).map(
        ([step, times]) => `step ${step}: ${median(times.slice(1)).toFixed(2)} s at the median`,
      ),
    ],
  };
}

async function hosted(
  stack: Stack,
  work: Work,
  run: number,
  steps: Record<string, number[]>,
): Promise<Record<string, number>> {
  const since = performance.now();
  const { id } = await stack.ask<View>("POST", "/v1/clusters", { name: `bench-${run}` });
  await stack.ask<View>("GET", `/v1/clusters/${id}?wait=25&for=BootstrapReady`);
  (steps["POST to bootstrapped"] ??= []).push(seconds(since));
  const issued = await stack.ask<{ token: string; server: string; authority: string; serverName: string }>(
    "POST",
    `/v1/kube/clusters/${id}/token`,
    {},
  );
  const { token, ...where } = issued;
  await got({ ...where, user: { token } });
  const took = seconds(since);
  const ready = await stack.ask<View>("GET", `/v1/clusters/${id}?wait=25&for=Ready`);
  const pods = seconds(since);
  for (const { type, tookSeconds } of ready.status.conditions) (steps[type] ??= []).push(tookSeconds ?? Number.NaN);
  await stack.ask("DELETE", `/v1/clusters/${id}`, {});
  await gone(stack, id);
  void work;
  return { hosted: took, "hosted, all Pods ready": pods };
}

async function bare(stack: Stack, work: Work, run: number): Promise<Record<string, number>> {
  const set = await newBare(stack, work, `bare${run}`);
  try {
    const since = performance.now();
    await got(await set.begin());
    return { bare: seconds(since) };
  } finally {
    await set.end();
  }
}

/** Resolves once the namespace `default` was read. */
async function got(target: Target): Promise<void> {
  const kube = openKube(target);
  for (const until = performance.now() + 120_000; performance.now() < until; ) {
    const found =
      (await kube.ready(2_000)) &&
      (await kube.get({ apiVersion: "v1", kind: "Namespace", name: "default" }).catch(() => undefined));
    if (found) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error("the API server did not answer in two minutes");
}

async function gone(stack: Stack, id: string): Promise<void> {
  for (const until = performance.now() + 120_000; performance.now() < until; ) {
    const there = await stack.ask("GET", `/v1/clusters/${id}?wait=1`).then(
      () => true,
      (error: { status?: number }) => error.status !== 404,
    );
    if (!there) return;
  }
  throw new Error("the cluster did not go in two minutes");
}
