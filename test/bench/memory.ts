import { readdirSync, readFileSync } from "node:fs";
import type { Work } from "#core/context.ts";
import { openKube } from "#core/kube/index.ts";
import { contextOf, system, workOf } from "#functions/deps.ts";
import { type Bare, newBare } from "./bare.ts";
import { type Figure, mean } from "./figures.ts";
import { newStack } from "./stack.ts";

const sets = 5;
/** Both kinds get the same time to come to rest before they are weighed. */
const restMs = 60_000;

/** Mean PSS of five tenants' control planes over that of five bare sets of the same programs, flags and age. */
export async function memory(tell: (line: string) => void): Promise<Figure> {
  const stack = await newStack(tell);
  const bares: Bare[] = [];
  try {
    const me = await stack.ask<{ tenant: { id: `tnt_${string}` } }>("GET", "/v1/me");
    const work = await workOf(stack.deps, contextOf(stack.deps, system(me.tenant.id), "bench"));
    const uids: string[] = [];
    // One of each in turn, so that both kinds are of the same age on the whole.
    for (let i = 0; i < sets; i++) {
      const { id } = await stack.ask<{ id: string }>("POST", "/v1/clusters", { name: `bench-${i}` });
      for (let ready = false; !ready; ) {
        const view = await stack.ask<{ status: { phase: string } }>("GET", `/v1/clusters/${id}?wait=25`);
        ready = view.status.phase === "Ready";
      }
      uids.push(id);
      const bare = await newBare(stack, work, `bare${i}`);
      bares.push(bare);
      await begin(bare, work);
      tell(`${i + 1} of ${sets} pairs are up`);
    }
    await new Promise((resolve) => setTimeout(resolve, restMs));
    const hosted = processes().filter(
      ({ cgroup }) => cgroup.includes(`/berth-${stack.state.hash}/`) && cgroup.includes("pod"),
    );
    const pauses = hosted.filter(({ program }) => program === "pause");
    const parts = hosted.filter(({ program }) => planes.includes(program));
    const shims = processes().filter(
      ({ program, line }) => program.startsWith("containerd-shim") && line.includes(`/run/berth-${stack.state.hash}/`),
    );
    if (parts.length !== sets * planes.length)
      throw new Error(`${parts.length} hosted processes were found, not ${sets * planes.length}`);
    const bare = bares.map((each) =>
      each
        .pids()
        .map(pss)
        .reduce((sum, one) => sum + one, 0),
    );
    const perPlane = planes.map(
      (program) => [program, parts.filter((each) => each.program === program).map(({ pid }) => pss(pid))] as const,
    );
    const whole = perPlane.reduce((sum, [, all]) => sum + mean(all), 0);
    const beside = [...shims, ...pauses].map(({ pid }) => pss(pid)).reduce((sum, one) => sum + one, 0) / sets;
    return {
      name: "memory",
      value: whole / mean(bare),
      unit: "ratio",
      samples: {
        "bare set, MiB": bare,
        ...Object.fromEntries(perPlane.map(([program, all]) => [`hosted ${program}, MiB`, all])),
      },
      notes: [
        `hosted set: ${whole.toFixed(1)} MiB; its shims and pauses: ${beside.toFixed(1)} MiB`,
        `with shims and pauses over bare: ${((whole + beside) / mean(bare)).toFixed(3)}`,
      ],
    };
  } finally {
    for (const bare of bares) await bare.end();
    await stack.down();
  }
}

const planes = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

async function begin(bare: Bare, work: Work): Promise<void> {
  const kube = openKube(await bare.begin());
  while (!(await kube.ready(2_000))) await work.sleep(200);
  await bare.control();
}

interface Process {
  pid: number;
  program: string;
  line: string;
  cgroup: string;
}

function processes(): Process[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const line = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
        const cgroup = readFileSync(`/proc/${entry}/cgroup`, "utf8");
        return [{ pid: Number(entry), program: line[0]?.split("/").at(-1) ?? "", line: line.join(" "), cgroup }];
      } catch {
        return []; // It ended while we looked.
      }
    });
}

/** Proportional set size, MiB: pages that several share count as parts. */
function pss(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? "0") / 1024;
}
