import { setTimeout as wait } from "node:timers/promises";
import { accessOf } from "#core/access/index.ts";
import { type Found, type Kube, ours, type Query } from "#core/context.ts";
import { type ID, kubeName } from "#core/id.ts";
import { openKube, refOf } from "#core/kube/index.ts";
import { round, turns } from "#functions/cron/visit.ts";
import { hearAll } from "../../local/ears.ts";
import { type Figure, median } from "./figures.ts";
import { newGuest, newSpace, until } from "./people.ts";
import { newStack, type Stack } from "./stack.ts";

const runs = Number(process.env["BERTH_BENCH_RUNS"] ?? "10");
const pollMs = 25;
const patienceMs = 60_000;
const seconds = (since: number): number => (performance.now() - since) / 1000;

/**
 * A tenant's own owner deletes a RoleBinding that Berth keeps in a project; seconds until there is one again, with an ear
 * inside of the cluster, the worst of 10. And without one: by a whole round into the cluster.
 */
export async function drift(tell: (line: string) => void): Promise<Figure> {
  const stack = await newStack(tell);
  const stop = new AbortController();
  const samples: Record<string, number[]> = { "with the ear": [], "by the round, from its begin": [] };
  try {
    const { cluster, project } = await newSpace(stack, "drift");
    await newGuest(stack, { cluster, project }, "bob");
    const owner = await ownerIn(stack, cluster);
    const query: Query = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      namespace: "drift",
      labels: { ...ours, "berth.dev/access": kubeName(accessOf(cluster as ID<"cluster">)) },
    };
    tell(`${(await owner.list(query)).items.length} binding(s) in its project`);
    const ended = hearAll(stack.deps, 1_000, stop.signal);
    // An ear says nothing when it has come in: so one is deleted until it is heard, and mended by the round if it is not.
    await until(async () => {
      await wait(3_000);
      if ((await restored(owner, query, 5_000)) !== undefined) return true;
      await goRound(stack, owner, query);
      return false;
    });
    for (let run = 0; run < runs; run += 1) {
      const took = await restored(owner, query, patienceMs);
      tell(`with the ear: ${took?.toFixed(2)} s`);
      samples["with the ear"]?.push(took ?? Number.POSITIVE_INFINITY);
      // What is said twice within a second is said once, and a tenant that goes on and on is heard less.
      await wait(3_000);
    }
    stop.abort();
    await ended;
    for (let left = 10, done = 0; left > 0 && done < Math.min(3, runs); left -= 1) {
      // What was poked before may be worked on twice, and the sweep finds what is due: then it is deleted once more.
      if ((await restored(owner, query, 8_000)) !== undefined) continue;
      done += 1;
      const since = performance.now();
      await goRound(stack, owner, query);
      tell(`by the round: ${seconds(since).toFixed(2)} s after it began`);
      samples["by the round, from its begin"]?.push(seconds(since));
    }
  } finally {
    stop.abort();
    await stack.down();
  }
  const heard = samples["with the ear"] ?? [];
  return {
    name: "drift",
    value: Math.max(...heard),
    unit: "s",
    samples,
    notes: [
      `with the ear, median ${median(heard).toFixed(2)} s, worst ${Math.max(...heard).toFixed(2)} s of ${heard.length}`,
      `rounds are half an hour apart: every other one looks at rights, and ${turns} look at all that is inside`,
    ],
  };
}

/** Every turn of the round, one after the other, and what they poked. */
async function goRound({ deps }: Stack, owner: Kube, query: Query): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await round(deps, turn);
  await until(async () => (await owner.list(query)).items.length > 0);
}

/** Deletes the binding, and waits for another; seconds, or undefined when there is none in time. */
async function restored(owner: Kube, query: Query, ms: number): Promise<number | undefined> {
  const found: Found | undefined = (await owner.list(query)).items[0];
  if (found !== undefined) await owner.remove(refOf(found), { uid: found.metadata.uid });
  const since = performance.now();
  while (performance.now() - since < ms) {
    const { items } = await owner.list(query);
    if (items.some(({ metadata }) => metadata.uid !== found?.metadata.uid)) return seconds(since);
    await wait(pollMs);
  }
  return undefined;
}

/** The tenant's owner, inside, with a credential that Berth issued. */
async function ownerIn(stack: Stack, cluster: string): Promise<Kube> {
  const { token, server, authority, serverName } = await stack.ask<Record<string, string>>(
    "POST",
    `/v1/kube/clusters/${cluster}/token`,
    { seconds: 3_600 },
  );
  const target = { server: server ?? "", authority: authority ?? "", serverName: serverName ?? "" };
  return openKube({ ...target, user: { token: token ?? "" } });
}
