import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { vi } from "vitest";
import type { Role } from "#core/role.ts";
import type { Log, Target } from "#core/context.ts";
import type { Host } from "#core/host/schema.ts";
import { type ID, kubeName } from "#core/id.ts";
import * as PKI from "#core/pki/index.ts";
import * as Tenant from "#core/tenant/index.ts";
import { beat } from "#functions/cron/beat.ts";
import { digest } from "#functions/cron/chain.ts";
import { lap } from "#functions/cron/survey.ts";
import { round, turns } from "#functions/cron/visit.ts";
import { contextOf, type Deps, system } from "#functions/deps.ts";
import type { Metric, Unit } from "#functions/metric.ts";
import { consume } from "#functions/queue/consume.ts";
import { newChance, newClock } from "./clock.ts";
import { hostServer, hostToken, newHost } from "./host.ts";
import { type Call, newKubeWorld, type KubeWorld, type Server } from "./kube.ts";
import { newCaller, newDoors, newPerson, newTenant } from "./people.ts";
import { busy, restart } from "./pki.ts";
import { insideOf, newPlanes } from "./plane.ts";
import { type Fate, newQueue } from "./queue.ts";
import { newSeal } from "./seal.ts";
import { newTable, type Op } from "./table.ts";

vi.mock("#core/pki/index.ts", () => import("./pki.ts"));

export { hostServer, hostToken, kubeconfigOf } from "./host.ts";
export type { Answer, Caller, Person } from "./people.ts";

export const homeTenant: ID<"tenant"> = "tnt_01k0000000000000000000h0me";
/** How often the controllers of the world's servers go round while something runs. */
const tickMs = 500;

/** A line of the log, as it was said. */
export interface Line {
  level: "info" | "warn" | "error";
  message: string;
  fields: Record<string, unknown>;
}

/** A metric, as it was counted. */
export interface Counted {
  name: Metric;
  value: number;
  unit: Unit;
  label: string | undefined;
}

/** A call to what is outside of the process, as it begins and as it ends. */
export interface Outside {
  table?: Op;
  kube?: Call;
  when: "before" | "after";
}

/**
 * All of Berth over memory: its doors, clocks and worker, whole; a table, a queue, hosts and the clusters on them, in
 * memory. Time is the world's own and passes in `run`, `drain`, `sweep` and `round` alone.
 * @param options.pokes what becomes of pokes; `kept` unless told.
 */
export function newWorld(options: { seed?: number; pokes?: Fate } = {}) {
  if (!("busy" in PKI)) throw new Error("import test/world before anything of core that makes keys");
  restart();
  const clock = newClock(undefined, busy);
  const random = newChance(options.seed ?? 7);
  const tables = newTable({ now: () => clock.now() });
  const queue = newQueue(options.pokes);
  const lines: Line[] = [];
  const counted: Counted[] = [];
  const seal = newSeal(random);
  const planes = newPlanes(
    () => kubes,
    () => clock.now(),
  );
  const kubes: KubeWorld = newKubeWorld({
    now: () => clock.now(),
    random,
    sleep: (ms, signal) => clock.sleep(ms, signal),
    ranges: { services: "10.96.0.0/24", nodePorts: [30_000, 32_767] },
    answers: (target) => planes.answers(target),
    who: (target) => planes.who(target),
    isBerth: ({ user }) => "token" in user && user.token === hostToken,
    gate: async (kube, when) => world.outside?.({ kube, when }),
  });
  const home = tables.home({
    tenant: homeTenant,
    url: "https://berth.test",
    poke: (tenant, id) => queue.poke(tenant, id),
    letters: (limit) => queue.tell(limit),
    redrive: (limit) => queue.redrive(limit),
  });
  const deps: Deps = {
    home,
    log: logTo(lines),
    meter: { count: (name, value, unit, label) => void counted.push({ name, value, unit, label }) },
    now: () => clock.now(),
    random,
    sleep: (ms, signal) => clock.sleep(ms, signal),
    tools: async () => ({ kube: (target) => kubes.kube(target), seal }),
    bury: (body, reason) => queue.bury(body, reason),
    limits: false,
  };
  const doors = { ...newDoors(deps), answered: <T>(work: Promise<T>) => world.answered(work) };
  let running = 0;
  tables.before = (table) => world.outside?.({ table, when: "before" });
  tables.after = (table) => world.outside?.({ table, when: "after" });

  const world = {
    clock,
    tables,
    queue,
    lines,
    counted,
    kubes,
    deps,
    doors,
    seal,
    /** Called around each call to table and API servers; what it throws, the caller gets. */
    outside: undefined as ((call: Outside) => void | Promise<void>) | undefined,
    /** A context as Berth itself in one tenant. */
    context: (tenant: ID<"tenant">) => contextOf(deps, system(tenant), "test"),
    as: (token: string | undefined) => newCaller(doors, token),
    staff: async () => newCaller(doors, await Tenant.bootstrap(deps)),
    /** A new tenant's owner. */
    tenant: (name = "red") => newTenant({ deps, doors }, name),
    member: (tenant: ID<"tenant">, role: Role, scopes: string[] | null = null) =>
      newPerson({ deps, doors }, tenant, role, scopes),
    host: (more: Partial<Host> = {}) => newHost(deps, seal, more),
    /** The name of the API server that answers a target now, if one does. */
    serverOf: (target: Target) => planes.answers(target),
    /** The API server of a host. */
    on: (host: Pick<Host, "address">): Server => kubes.server(hostServer(host)),
    /** The API server of a cluster, by the volume of its etcd on this host. @throws Error when there is none. */
    inside(host: Pick<Host, "address">, id: string): Server {
      const ref = { apiVersion: "v1", kind: "PersistentVolumeClaim", name: "data-etcd-0", namespace: kubeName(id) };
      const volume = world.on(host).objects.find(ref);
      if (volume === undefined) throw new Error(`${id} has no etcd`);
      return kubes.server(insideOf(volume));
    },
    /** One round of Kubernetes' own controllers. */
    tick: () => kubes.tick(),
    /** Runs to the end; time passes when all of it waits, and Kubernetes' controllers work meanwhile. */
    async run<T>(work: Promise<T>): Promise<T> {
      const ended = new AbortController();
      const ticking = async (): Promise<void> => {
        for (; !ended.signal.aborted; await clock.sleep(tickMs, ended.signal)) kubes.tick();
      };
      void ticking();
      running += 1;
      try {
        return await clock.run(work);
      } finally {
        running -= 1;
        ended.abort();
      }
    },
    /** A request: while it sleeps time passes and the worker works, as one does beside every request. */
    async answered<T>(work: Promise<T>): Promise<T> {
      let over = running > 0;
      const mark = (): void => void (over = true);
      void work.then(mark, mark);
      let working: Promise<unknown> | undefined;
      while (!over) {
        const passed = await clock.step(1);
        if (passed && !over) working ??= world.drain();
      }
      await working;
      return await work;
    },
    /** Hands these bodies to the worker in one event. */
    consume(...bodies: string[]): Promise<SQSBatchResponse> {
      const Records = bodies.map((body, i) => ({ messageId: `message-${i}`, body }));
      return consume(deps, { Records } as unknown as SQSEvent);
    },
    /** The worker takes all that waits in the queue, one after the other. @returns what failed. */
    async drain(): Promise<unknown[]> {
      const handle = async (body: string): Promise<void> => {
        const { batchItemFailures } = await world.consume(body);
        if (batchItemFailures.length > 0) throw new Error("the message comes back");
      };
      return (await world.run(queue.drain(handle))).failures;
    },
    /** So many minutes pass; each ends with the sweep, and the worker's work on what it poked. */
    async sweep(minutes = 1): Promise<void> {
      for (let i = 0; i < minutes; i += 1) {
        await clock.pass(60_000);
        kubes.tick();
        await world.run(beat(deps));
        await world.drain();
      }
    },
    /** Seals the audit entries that wait. */
    digest: () => world.run(digest(deps)),
    /** One lap over all hosts, and the worker's work on what it poked. */
    async lap(): Promise<void> {
      await world.run(lap(deps));
      await world.drain();
    },
    /** The slow clocks once over everything, on hosts and inside of clusters, and the worker's work on what they poked. */
    async round(): Promise<void> {
      await world.run(lap(deps));
      for (let turn = 0; turn < turns; turn += 1) await world.run(round(deps, turn));
      await world.drain();
    },
  };
  return world;
}
export type World = ReturnType<typeof newWorld>;

function logTo(lines: Line[]): Log {
  const say =
    (level: Line["level"]) =>
    (message: string, fields: Record<string, unknown> = {}): void =>
      void lines.push({ level, message, fields });
  return { info: say("info"), warn: say("warn"), error: say("error") };
}
