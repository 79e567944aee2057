import type { Actor, Context, Home, Log, Work } from "#core/context.ts";
import type { ID } from "#core/id.ts";
import type { Meter } from "./metric.ts";

/** What the doors stand on. One per process; tests put a world of their own here. */
export interface Deps {
  home: Home;
  log: Log;
  meter: Meter;
  /** ISO 8601, UTC. */
  now(): string;
  /** A fresh array each time: ids are read from its whole buffer. */
  random(bytes: number): Uint8Array;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Aborts when this process is told to end. */
  ending?: AbortSignal;
  /** Opens what acts on the world. Asked for at first need, so that most requests never load it. */
  tools(): Promise<Pick<Work, "kube" | "seal">>;
  /** Puts a message that is not ours to the dead letters. */
  bury(body: string, reason: string): Promise<void>;
  /** Whether the doors count requests; they do unless told. Tests and benches ask faster than anyone may. */
  limits?: boolean;
}

/** Who acts when Berth does something by itself, in one tenant. */
export const system = (tenant: ID<"tenant">): Actor => ({
  tenant,
  member: "system",
  role: "owner",
  scopes: null,
  token: null,
});

/** One tenant's view, for one request or message. @param about stands on each of its log lines, such as a cluster's id. */
export function contextOf(deps: Deps, actor: Actor, requestID: string, about: { cluster?: ID } = {}): Context {
  const { tenant } = actor;
  return {
    tenant,
    actor,
    requestID,
    table: deps.home.table(tenant),
    home: deps.home,
    log: tagged(deps.log, { requestID, tenant, ...about }),
    now: () => deps.now(),
    random: (bytes) => deps.random(bytes),
    poke: (id) => deps.home.poke(tenant, id),
  };
}

export const workOf = async (deps: Deps, ctx: Context): Promise<Work> => ({
  ...ctx,
  ...(await deps.tools()),
  sleep: (ms, signal) => deps.sleep(ms, signal),
  took: (step, seconds) => deps.meter.count("StepSeconds", seconds, "Seconds", step),
  ...(deps.ending && { ending: deps.ending }),
});

/** 32 hexadecimal characters. */
export const newRequestID = (deps: Deps): string => Buffer.from(deps.random(16)).toString("hex");

function tagged(log: Log, tags: Record<string, unknown>): Log {
  return {
    info: (message, fields) => log.info(message, { ...tags, ...fields }),
    warn: (message, fields) => log.warn(message, { ...tags, ...fields }),
    error: (message, fields) => log.error(message, { ...tags, ...fields }),
  };
}
