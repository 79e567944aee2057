import * as Audit from "#core/audit/index.ts";
import * as Cluster from "#core/cluster/index.ts";
import { type ID, kubeName } from "#core/id.ts";
import { contextOf, system, workOf } from "#functions/deps.ts";
import type { Figure } from "./figures.ts";
import { newSpace } from "./people.ts";
import { newStack } from "./stack.ts";

const count = Number(process.env["BERTH_BENCH_TOKENS"] ?? "200");
const warm = 10;

/** The value below which that share of them lies. */
function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/**
 * A credential of a cluster by our own call, over the calls that it can't do without made bare by the same clients: the
 * session's Secret is looked at, a token is requested, and one entry is written. In turns, so that both meet the same
 * machine.
 */
export async function token(tell: (line: string) => void): Promise<Figure> {
  const stack = await newStack(tell);
  try {
    const { cluster } = await newSpace(stack, "token");
    const path = `/v1/kube/clusters/${cluster}/token`;
    await stack.ask("POST", path, {});
    const me = await stack.ask<{ tenant: { id: ID<"tenant"> }; member: { id: string } }>("GET", "/v1/me");
    const work = await workOf(stack.deps, contextOf(stack.deps, system(me.tenant.id), "bench"));
    const { target, namespace } = await Cluster.accessTarget(work, cluster as ID<"cluster">);
    const kube = work.kube(target);
    const query = { apiVersion: "v1", kind: "Secret", namespace };
    const labels = { "berth.dev/member": kubeName(me.member.id) };
    const [secret] = (await kube.list({ ...query, labels })).items;
    if (secret === undefined) throw new Error("there is no session");
    const { name, uid } = secret.metadata;
    const bare = async (): Promise<void> => {
      await kube.get({ ...query, name });
      const account = { name: kubeName(me.member.id), namespace };
      await kube.token(account, { seconds: 600, secret: { name, uid } });
      await work.table.write(Audit.entry(work, { verb: "cluster:access", target: cluster }));
    };
    const ours = async (): Promise<unknown> => await stack.ask("POST", path, {});
    const timed = async (act: () => Promise<unknown>): Promise<number> => {
      const since = performance.now();
      await act();
      return performance.now() - since;
    };
    const times = { ours: [] as number[], bare: [] as number[] };
    for (let i = -warm; i < count; i += 1) {
      const [first, second] = i % 2 === 0 ? (["ours", "bare"] as const) : (["bare", "ours"] as const);
      for (const which of [first, second]) {
        const took = await timed(which === "ours" ? ours : bare);
        if (i >= 0) times[which].push(took);
      }
    }
    const at = (share: number): string =>
      `p${share * 100}: ${quantile(times.ours, share).toFixed(2)} ms over ${quantile(times.bare, share).toFixed(2)} ms, ` +
      `ratio ${(quantile(times.ours, share) / quantile(times.bare, share)).toFixed(3)}`;
    return {
      name: "token",
      value: quantile(times.ours, 0.5) / quantile(times.bare, 0.5),
      unit: "ratio",
      samples: { "ours, ms": times.ours, "bare, ms": times.bare },
      notes: [`${count} of each, in turns`, at(0.5), at(0.99)],
    };
  } finally {
    await stack.down();
  }
}
