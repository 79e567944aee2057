import * as z from "zod";
import type { Binding, Change, Context, Home, Table, Target, Work } from "../context.ts";
import { Fault, missing } from "../error.ts";
import type { ID } from "../id.ts";
import { collect, limitMax } from "../page.ts";
import { credentialKind, type Host, hostKind, type Seat, seatKind, type View } from "./schema.ts";

/** A host that was not well for so long gets no new clusters. The sweep looks each minute. */
export const freshSeconds = 180;
const probeMs = 5_000;
const strangersMax = 20;
const targetSeconds = 60;
/** From how many free ports a new cluster gets one. */
const choices = 16;

export const healthy = (host: Host, now: string): boolean =>
  Date.parse(now) - Date.parse(host.healthyAt) <= freshSeconds * 1000;

/**
 * Since when a host has not answered, ISO 8601 UTC; undefined while it does. A clock of ours that stands still is no
 * silence of the host's: the last look must have been in vain.
 */
export const silentSince = (host: Pick<Host, "healthyAt" | "checkedAt">, now: string): string | undefined =>
  host.checkedAt > host.healthyAt && Date.parse(now) - Date.parse(host.healthyAt) > freshSeconds * 1000
    ? host.healthyAt
    : undefined;

/** What staff sees of a host. Its seats are counted, so it costs a read of them. */
export async function view(ctx: Pick<Context, "home" | "now">, host: Host): Promise<View> {
  const taken = (await seats(ctx.home, host.id)).length;
  const { kubeSystem: _, ...shown } = host;
  const well = healthy(host, ctx.now());
  const warnings = [
    !well && `It was last well at ${host.healthyAt}. Its clusters wait for it; what runs there goes on without us.`,
    host.fenced === false &&
      "It does not refuse writes of an older worker: apply the policy of docs/host-role.yaml, then check it again.",
    host.policyEngine === null &&
      "Nothing enforces network policies there: clusters of one host can reach each other, and sourceRanges do nothing.",
    host.strangers.length > 0 &&
      `Namespaces there say they are Berth's, and no row knows them: ${host.strangers.join(", ")}.`,
  ];
  return {
    ...shown,
    generation: host.generation ?? 1,
    healthy: well,
    unhealthySince: well ? null : host.healthyAt,
    seats: { taken, free: host.ports.to - host.ports.from + 1 - taken },
    warnings: warnings.filter((each) => each !== false),
  };
}

/** Every host, in the order of their ids. There are tens of them, so all are read. */
export const all = (home: Home): Promise<Host[]> => collect((page) => homeTable(home).list(hostKind, page));

/** What can be run where now: hosts that are ready and well. It tells no tenant which hosts there are. */
export async function offers(
  ctx: Pick<Context, "home" | "now">,
  region?: string,
): Promise<{ region: string; versions: string[] }[]> {
  return (await all(ctx.home))
    .filter((host) => host.state === "ready" && healthy(host, ctx.now()))
    .filter((host) => region === undefined || host.region === region)
    .map(({ region, versions }) => ({ region, versions }));
}

/** Whether it can keep all but some ranges away from an API server, and home itself be among those. */
export const guards = (host: Pick<Host, "policyEngine" | "homeRanges">): boolean =>
  host.policyEngine !== null && host.homeRanges.length > 0;

/** The regions of all hosts, well or not. */
export async function regions(ctx: Pick<Context, "home">): Promise<string[]> {
  return [...new Set((await all(ctx.home)).map(({ region }) => region))].sort();
}

/** @param table the home tenant's. @throws Fault `missing`. */
export async function find(table: Table, id: ID<"host">): Promise<Host> {
  const host = await table.get(hostKind, id);
  if (host === undefined) throw missing("host");
  return host;
}

/**
 * A host for a new cluster, and the seat to take in the create's own transaction. The emptiest host wins and one of its
 * lowest free ports. Whoever is refused at `seat` lost a race for the port and calls again.
 * @param wish.version exact; left out, any.
 * @param wish.guarded hosts that can keep strangers away from it come first, and alone where there are any.
 * @throws Fault `unavailable` that says whether there is no such host, none is well, or all are full.
 */
export async function place(
  ctx: Pick<Context, "home" | "now" | "random" | "tenant">,
  wish: { region?: string | undefined; version?: string | undefined; cluster: ID<"cluster">; guarded?: boolean },
): Promise<{ host: Host; port: number; seat: Change }> {
  const fitting = (await all(ctx.home)).filter(
    ({ state, region, versions }) =>
      state === "ready" &&
      (wish.region === undefined || region === wish.region) &&
      (wish.version === undefined || versions.includes(wish.version)),
  );
  const what = [wish.version && `version ${wish.version}`, wish.region && `the region ${wish.region}`];
  const named = what.filter(Boolean).join(" in ");
  const refuse = (why: string): Fault =>
    new Fault("unavailable", `${why}${named && ` for ${named}`}.`, { retryAfterSeconds: 60 });
  if (fitting.length === 0) throw refuse("There is no host");
  const able = wish.guarded === true ? fitting.filter(guards) : [];
  const well = (able.length > 0 ? able : fitting).filter((host) => healthy(host, ctx.now()));
  if (well.length === 0) throw refuse("No host is healthy");
  const counted = await Promise.all(
    well.map(async (host) => ({ host, taken: new Set((await seats(ctx.home, host.id)).map(({ port }) => port)) })),
  );
  const free = counted
    .map(({ host, taken }) => ({ host, taken, left: host.ports.to - host.ports.from + 1 - taken.size }))
    .filter(({ left }) => left > 0)
    .sort((a, b) => b.left - a.left);
  const best = free[0];
  if (best === undefined) throw refuse("Every host is full");
  const lowest: number[] = [];
  for (let at = best.host.ports.from; lowest.length < Math.min(choices, best.left); at++)
    if (!best.taken.has(at)) lowest.push(at);
  // Who comes at the same moment chooses from the same few; by chance they choose otherwise.
  const port = lowest[(ctx.random(1)[0] ?? 0) % lowest.length] ?? best.host.ports.from;
  return { host: best.host, port, seat: takeSeat(ctx, best.host.id, port, wish.cluster) };
}

/** Gives a seat back; to be written with the change that ends the cluster, so that it happens once. */
export const freeSeat = (ctx: Pick<Context, "home">, host: ID<"host">, port: number): Change =>
  homeTable(ctx.home).remove(seatKind, seatID(host, port));

/**
 * Where a host's API server is, and Berth's credentials there. Unsealed at most once a minute per process.
 * @throws Fault `missing` when there is no such host.
 */
export async function target(work: Pick<Work, "home" | "now" | "seal">, id: ID<"host">): Promise<Target> {
  const known = targets.get(work.home) ?? new Map<string, { target: Target; at: number }>();
  targets.set(work.home, known);
  const now = Date.parse(work.now());
  const kept = known.get(id);
  if (kept !== undefined && now - kept.at < targetSeconds * 1000) return kept.target;
  const row = await homeTable(work.home).get(credentialKind, id);
  if (row === undefined) throw missing("host");
  const opened = Target.parse(JSON.parse(await work.seal.open(row.sealed, binding(work.home.tenant, id)))) as Target;
  known.set(id, { target: opened, at: now });
  return opened;
}

/** Looks at one host and writes what it saw. Never throws for a host that does not answer. */
export async function look(work: Pick<Work, "home" | "now" | "seal" | "kube">, id: ID<"host">): Promise<Host> {
  const well = await work.kube(await target(work, id)).ready(probeMs);
  const checkedAt = work.now();
  return homeTable(work.home).edit(hostKind, id, { set: well ? { checkedAt, healthyAt: checkedAt } : { checkedAt } });
}

/** Keeps for staff what stands on a host and is nobody's; writes only what is news. */
export async function keepStrangers(home: Home, host: Host, names: string[]): Promise<void> {
  const strangers = [...names].sort().slice(0, strangersMax);
  if (JSON.stringify(strangers) === JSON.stringify(host.strangers)) return;
  await homeTable(home).edit(hostKind, host.id, { set: { strangers } });
}

/** Looks at every host at once, so that one which hangs costs the others nothing. A failure is logged, not thrown. */
export async function probe(work: Pick<Work, "home" | "now" | "seal" | "kube" | "log">): Promise<void> {
  await Promise.all(
    (await all(work.home)).map(async (before) => {
      const { id, name } = before;
      try {
        const host = await look(work, id);
        if (!healthy(host, work.now())) work.log.warn("a host is not healthy", { host: id, name });
        const silent = silentSince(host, host.checkedAt) !== undefined;
        // Its clusters are settled, and nothing else has them looked at. What such a poke does not reach, the lap does.
        const fell = silent && silentSince(before, before.checkedAt) === undefined;
        // They have backed off, up to ten minutes, and need not wait so long now.
        const back = !silent && silentSince(before, work.now()) !== undefined;
        if (fell || back) await call(work.home, id);
      } catch (cause) {
        work.log.error("a host could not be probed", {
          host: id,
          name,
          stack: cause instanceof Error ? cause.stack : "",
        });
      }
    }),
  );
}

/** A hundred at a time: a poke that waits too long for a connection is lost. */
async function call(home: Home, id: ID<"host">): Promise<void> {
  const taken = await seats(home, id);
  for (let at = 0; at < taken.length; at += limitMax) {
    await Promise.all(taken.slice(at, at + limitMax).map(({ tenant, cluster }) => home.poke(tenant, cluster)));
  }
}

/** What was opened is forgotten here; other processes learn of a new credential within a minute. */
export const forget = (ctx: Pick<Context, "home">, id: ID<"host">): void => void targets.get(ctx.home)?.delete(id);

/** What a draining host still carries. */
export const carries = (ctx: Pick<Context, "home">, id: ID<"host">): Promise<Seat[]> => seats(ctx.home, id);

/** @param tenant the home tenant. */
export const binding = (tenant: ID<"tenant">, id: ID<"host">): Binding => ({ tenant, cluster: id, name: "target" });
const homeTable = (home: Home): Table => home.table(home.tenant);

const Target = z.object({
  server: z.url(),
  authority: z.string(),
  serverName: z.string().optional(),
  user: z.union([z.object({ certificate: z.string(), key: z.string() }), z.object({ token: z.string() })]),
});

// Kept per process and per home, so that two worlds in one process never share a credential.
const targets = new WeakMap<Home, Map<string, { target: Target; at: number }>>();

const seatID = (host: ID<"host">, port: number): string => `${host}/${String(port).padStart(5, "0")}`;

function takeSeat(
  ctx: Pick<Context, "home" | "now" | "tenant">,
  host: ID<"host">,
  port: number,
  cluster: ID<"cluster">,
): Change {
  const row: Seat = { host, port, tenant: ctx.tenant, cluster, takenAt: ctx.now() };
  return homeTable(ctx.home).insert(seatKind, seatID(host, port), row);
}

/** Every seat that is taken on a host, by port. */
export const seats = (home: Home, host: ID<"host">): Promise<Seat[]> =>
  collect((page) => homeTable(home).list(seatKind, { ...page, prefix: `${host}/` }));
