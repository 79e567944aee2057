import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { request } from "node:https";
import type { SQSEvent } from "aws-lambda";
import type { Found, Target } from "#core/context.ts";
import { binding } from "#core/host/home.ts";
import { credentialKind } from "#core/host/schema.ts";
import { newKubes } from "#core/kube/index.ts";
import { lap } from "#functions/cron/survey.ts";
import { round } from "#functions/cron/visit.ts";
import type { Deps } from "#functions/deps.ts";
import { consume } from "#functions/queue/consume.ts";
import { startApiserver } from "../contract/apiserver.ts";
import { newRow } from "../world/host.ts";
import { newKubeWorld } from "../world/kube.ts";
import { newDoors, newTenant } from "../world/people.ts";
import { type CountedHome, newCountedHome, total, writes } from "./counted.ts";
import type { Figure } from "./figures.ts";

const clusters = 20;
const tenants = 4;
/** Thirds of the control plane, rights, projects: what a round may be. */
const turns = [0, 2, 4, 1, 6];

/**
 * Calls of one lap per cluster, over 20 unchanged clusters' objects on one real kube-apiserver, made by the real
 * reconcile; a round's calls per cluster beside it. Nothing runs in their Pods: who plays the controllers says that they
 * are ready. Inside, the first cluster is a real kube-apiserver too, and the others are in memory.
 */
export async function idle(tell: (line: string) => void): Promise<Figure> {
  const [host, first, home] = [await startApiserver(), await startApiserver(), await newCountedHome(tell)];
  const samples: Record<string, number[]> = {};
  try {
    const port = Number(new URL(host.admin.server).port);
    const deps = withTools(home.deps, host.admin, first.admin);
    await newHostRow(deps, host.admin);
    const ids = await make(deps, host.admin, tell);
    tell(`${ids.length} clusters are ready`);
    const measured = async (name: string, work: () => Promise<unknown>): Promise<number> => {
      const kube = countKube();
      const counts = await home.count(work);
      const asked = kube.stop();
      const calls = total(counts) + asked.length;
      (samples[`${name}, calls`] ??= []).push(calls);
      const puts = asked.filter(({ method }) => method !== "GET").length;
      (samples[`${name}, writes`] ??= []).push(puts + writes(counts) + (counts.requests["SendMessage"] ?? 0));
      tell(`${name}: ${JSON.stringify(counts.requests)}, ${asked.length} to API servers`);
      (samples[`${name}, calls to the first cluster's API server`] ??= []).push(
        asked.filter(({ origin }) => !origin.endsWith(`:${port}`)).length,
      );
      return calls;
    };
    let calls = 0;
    for (let run = 0; run < 3; run += 1) calls = await measured("lap", () => lap(deps));
    // What is asked of the other clusters' API servers is in memory and not on the wire: the first one's is multiplied.
    for (const turn of turns) {
      const asked = await measured(`round ${turn}`, () => round(deps, turn));
      const own = samples[`round ${turn}, calls to the first cluster's API server`]?.[0] ?? Number.NaN;
      (samples["round, calls per cluster"] ??= []).push((asked - own) / clusters + own);
    }
    const notes = [`clusters: ${clusters} of ${tenants} tenants, on one host`];
    return { name: "idle", value: calls / clusters, unit: "calls", samples, notes };
  } finally {
    await Promise.all([host.stop(), first.stop(), home.stop()]);
  }
}

/** Real clients of the host and of the first cluster; the other clusters' insides are in memory. */
function withTools(deps: CountedHome["deps"], host: Target, first: Target): Deps {
  const real = newKubes();
  const { now, random, sleep } = deps;
  const others = newKubeWorld({
    now: () => now(),
    random: (bytes) => random(bytes),
    sleep: (ms, end) => sleep(ms, end),
  });
  let chosen: string | undefined;
  return {
    ...deps,
    tools: async () => ({
      ...(await deps.tools()),
      kube(target) {
        if (target.server === host.server) return real(target);
        chosen ??= target.server;
        return target.server === chosen ? real(first) : others.kube(target);
      },
    }),
  };
}

async function newHostRow(deps: Deps, admin: Target): Promise<void> {
  const row = await newRow(deps, { address: "192.0.2.10", ports: { from: 30_000, to: 30_031 } });
  const { seal } = await deps.tools();
  const table = deps.home.table(deps.home.tenant);
  const sealed = await seal.seal(JSON.stringify(admin), binding(deps.home.tenant, row.id));
  await table.write(table.insert(credentialKind, row.id, { sealed }));
}

async function make(deps: Deps, host: Target, tell: (line: string) => void): Promise<string[]> {
  const stop = new AbortController();
  const playing = play(host, stop.signal);
  try {
    return await makeAll(deps, tell);
  } finally {
    stop.abort();
    await playing;
  }
}

async function makeAll(deps: Deps, tell: (line: string) => void): Promise<string[]> {
  const doors = newDoors(deps);
  const ids: string[] = [];
  for (let tenant = 0; tenant < tenants; tenant += 1) {
    const owner = await newTenant({ deps, doors }, `tenant-${tenant}`);
    const some: string[] = [];
    for (let at = 0; at < clusters / tenants; at += 1) {
      const { status, body, text } = await owner.post("/v1/clusters", { name: `cluster-${at}` });
      if (status !== 201) throw new Error(text);
      some.push(String(body["id"]));
    }
    const bodies = some.map((id) => JSON.stringify({ tenant: owner.tenant, id }));
    await Promise.all(bodies.map((body) => consume(deps, event(body))));
    for (const id of some) {
      const { body } = await owner.get(`/v1/clusters/${id}`);
      const { phase } = body["status"] as { phase: string };
      if (phase !== "Ready") throw new Error(`${id} is ${phase}: ${JSON.stringify(body["status"])}`);
    }
    ids.push(...some);
    tell(`${ids.length} made`);
  }
  return ids;
}

const event = (body: string): SQSEvent =>
  ({ Records: [{ messageId: "bench", body, attributes: {}, messageAttributes: {} }] }) as unknown as SQSEvent;

/** Plays the controllers: every workload says at once that its Pods are ready. */
async function play(host: Target, signal: AbortSignal): Promise<void> {
  const kube = newKubes()(host);
  const labels = { "app.kubernetes.io/managed-by": "berth" };
  for (; !signal.aborted; await new Promise((resolve) => setTimeout(resolve, 200))) {
    for (const kind of ["Deployment", "StatefulSet"]) {
      const { items } = await kube.list({ apiVersion: "apps/v1", kind, labels });
      await Promise.all(items.map((one) => runs(host, one)));
    }
  }
}

async function runs(host: Target, { kind, metadata, status }: Found): Promise<void> {
  const { generation, name, namespace } = metadata as Found["metadata"] & { generation: number };
  if ((status as { observedGeneration?: number } | undefined)?.observedGeneration === generation) return;
  const replicas = { replicas: 1, readyReplicas: 1, updatedReplicas: 1, availableReplicas: 1 };
  const path = `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s/${name}/status`;
  if (!("key" in host.user)) throw new Error("the host's administrator has no certificate");
  const { certificate: cert, key } = host.user;
  const headers = { "content-type": "application/merge-patch+json" };
  await new Promise<void>((resolve, reject) => {
    request(`${host.server}${path}`, { method: "PATCH", headers, ca: host.authority, cert, key }, (answer) => {
      answer
        .resume()
        .once("end", () =>
          answer.statusCode === 200 ? resolve() : reject(new Error(`${path}: ${answer.statusCode}`)),
        );
    })
      .once("error", reject)
      .end(JSON.stringify({ status: { observedGeneration: generation, ...replicas } }));
  });
}

interface Asked {
  origin: string;
  method: string;
}

/** Every request that the Kubernetes clients of this process send, as their agent makes it. */
function countKube(): { stop(): Asked[] } {
  const asked: Asked[] = [];
  const hear = (message: unknown): void => {
    const { origin, method } = (message as { request: { origin: string | URL; method: string } }).request;
    asked.push({ origin: String(origin), method });
  };
  subscribe("undici:request:create", hear);
  return {
    stop() {
      unsubscribe("undici:request:create", hear);
      return asked;
    },
  };
}
