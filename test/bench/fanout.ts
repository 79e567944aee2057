import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { Kube, Target } from "#core/context.ts";
import type { Deps } from "#functions/deps.ts";
import { type Figure, median } from "./figures.ts";
import { until } from "./people.ts";
import { newStack, type Stack } from "./stack.ts";

const clusters = Number(process.env["BERTH_BENCH_CLUSTERS"] ?? "20");
const runs = Number(process.env["BERTH_BENCH_RUNS"] ?? "5");
const slowMs = 5_000;
const pollMs = 100;
const seconds = (since: number): number => (performance.now() - since) / 1000;

interface Project {
  id: string;
  status: { places: { cluster: string; state: string }[] };
}

/**
 * A project on 20 clusters with an API server each: seconds until those that are well hold it, while one swallows every
 * connection and one answers after 5 s, over the same with all of them well. The runs alternate.
 */
export async function fanout(tell: (line: string) => void): Promise<Figure> {
  const stack = await newStack(tell);
  const hole = await blackHole();
  const samples: Record<string, number[]> = { "all well": [], "one dead, one slow": [] };
  try {
    const ids = await Promise.all(Array.from({ length: clusters }, (_, i) => cluster(stack, `fan-${i}`)));
    tell(`${ids.length} clusters are ready`);
    const [dead = "", slow = "", ...well] = ids;
    const servers = new Map<string, string>();
    for (const id of ids) {
      const { status } = await stack.ask<{ status: { endpoint: string } }>("GET", `/v1/clusters/${id}`);
      servers.set(id, status.endpoint);
    }
    const sick = { dead: servers.get(dead) ?? "", slow: servers.get(slow) ?? "", on: false };
    spoil(stack.deps, sick, hole.url);
    // The first of each pays for what is loaded and connected once; it is not counted.
    for (let run = 0; run <= runs; run += 1) {
      for (const on of run % 2 === 0 ? [false, true] : [true, false]) {
        sick.on = on;
        const took = await spread(stack, `run-${run}-${on ? "sick" : "well"}`, ids, well);
        tell(`run ${run}, ${on ? "one dead, one slow" : "all well"}: ${took.toFixed(2)} s`);
        if (run > 0) samples[on ? "one dead, one slow" : "all well"]?.push(took);
        sick.on = false;
        await clear(stack);
      }
    }
  } finally {
    hole.close();
    await stack.down();
  }
  const [well, ill] = [median(samples["all well"] ?? []), median(samples["one dead, one slow"] ?? [])];
  return {
    name: "fanout",
    value: ill / well,
    unit: "ratio",
    samples,
    notes: [
      `${clusters - 2} of ${clusters} done after ${ill.toFixed(2)} s at the median, with all well ${well.toFixed(2)} s`,
    ],
  };
}

async function cluster(stack: Stack, name: string): Promise<string> {
  const { id } = await stack.ask<{ id: string }>("POST", "/v1/clusters", { name });
  await until(async () => {
    const { status } = await stack.ask<{ status: { phase: string } }>("GET", `/v1/clusters/${id}?wait=20`);
    return status.phase === "Ready";
  });
  return id;
}

/** Seconds from the POST until every one of `well` holds the project. */
async function spread(stack: Stack, name: string, ids: string[], well: string[]): Promise<number> {
  const since = performance.now();
  const { id } = await stack.ask<Project>("POST", "/v1/projects", {
    name,
    places: ids.map((each) => ({ cluster: each })),
  });
  for (;;) {
    const { status } = await stack.ask<Project>("GET", `/v1/projects/${id}`);
    const ready = new Set(status.places.filter(({ state }) => state === "Ready").map((place) => place.cluster));
    if (well.every((each) => ready.has(each))) return seconds(since);
    if (seconds(since) > 120) throw new Error(`${ready.size} of ${ids.length} hold ${name} after two minutes`);
    await wait(pollMs);
  }
}

/** Removes every project, and waits until all of it is gone, so that each run begins alike. */
async function clear(stack: Stack): Promise<void> {
  const { items } = await stack.ask<{ items: { id: string; name: string }[] }>("GET", "/v1/projects");
  for (const { id, name } of items) await stack.ask("DELETE", `/v1/projects/${id}`, { confirm: name });
  await until(async () => (await stack.ask<{ items: unknown[] }>("GET", "/v1/projects")).items.length === 0);
}

/** From here on the way to one API server leads nowhere, and another answers late, while `on`. */
function spoil(deps: Deps, sick: { dead: string; slow: string; on: boolean }, nowhere: string): void {
  const tools = deps.tools;
  deps.tools = async () => {
    const known = await tools();
    const kube = (target: Target): Kube => {
      if (sick.on && target.server === sick.dead) return known.kube({ ...target, server: nowhere });
      const plain = known.kube(target);
      return sick.on && target.server === sick.slow ? late(plain) : plain;
    };
    return { ...known, kube };
  };
}

const late = (kube: Kube): Kube => ({
  ...kube,
  ...Object.fromEntries(
    (["create", "apply", "annotate", "get", "list", "remove", "ready", "version"] as const).map((name) => [
      name,
      async (...args: never[]) => {
        await wait(slowMs);
        return await (kube[name] as (...args: never[]) => Promise<unknown>)(...args);
      },
    ]),
  ),
});

/** A server that takes every connection and never says a word. */
async function blackHole(): Promise<{ url: string; close(): void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
