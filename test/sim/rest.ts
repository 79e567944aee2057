import { verify } from "../../cli/verify.ts";
import { Entry } from "#core/audit/schema.ts";
import type { Cluster } from "#core/cluster/schema.ts";
import type { Ground } from "./ground.ts";
import type { House, Told } from "./jobs.ts";
import { unowed } from "./rights.ts";
import { shapeOf } from "./shape.ts";

type Row = Record<string, unknown>;
/** Rows by kind, of all tenants. */
type Rows = Map<string, { tenant: string; id: string; row: Row }[]>;

function rowsOf({ world }: Ground): Rows {
  const all = [...world.tables.rows()].map(([key, row]) => {
    const [tenant = "", kind = "", ...id] = key.split("/");
    return { tenant, kind, id: id.join("/"), row };
  });
  return Map.groupBy(all, ({ kind }) => kind);
}

/** Why it is not at rest yet; nothing when all that is wished is so. */
export function unrest(ground: Ground, wished: ReadonlyMap<string, string>): string | undefined {
  const { world, judge } = ground;
  for (const [id, { tenant, gone }] of judge.clusters) {
    const row = world.tables.peek(tenant, "cluster", id) as Cluster | undefined;
    if (row === undefined) continue;
    if (gone) return `${id} is gone and there`;
    if (row.deletedAt !== undefined) return `${id} is being removed`;
    const { generation, observedGeneration, holder, failures } = row;
    if (observedGeneration !== generation || holder !== undefined || failures !== 0)
      return `${id} is not settled: ${JSON.stringify({ generation, observedGeneration, holder, failures })}`;
    const differs = shapeOf(ground, row).difference(wished);
    if (differs !== undefined) return `${id} is not as it ought to be: ${differs}`;
    const astray = unowed(ground, tenant, id, row.placement.address);
    if (astray !== undefined) return astray;
  }
  const untold = [...world.tables.rows().keys()].find((key) => key.includes("/outbox/"));
  if (untold !== undefined) return `${untold} is not told yet`;
  for (const [key, row] of world.tables.rows())
    if (key.includes("/project/") && row["deletedAt"] !== undefined) return `${key} is being removed`;
  for (const { id } of ground.hosts) {
    const { healthyAt } = world.tables.peek(world.deps.home.tenant, "host", id) ?? {};
    if (Date.parse(world.clock.now()) - Date.parse(String(healthyAt)) > 120_000) return `${id} is not known to be well`;
  }
  const left = [...world.kubes.servers.values()].flatMap(({ objects }) =>
    objects.all().filter(({ kind, metadata }) => kind === "Namespace" && metadata.name.startsWith("cls-")),
  );
  for (const { metadata } of left) {
    const id = metadata.name.replace("-", "_");
    const known = judge.clusters.get(id);
    if (known === undefined || known.gone) return `${metadata.name} stands on a host and has no row`;
  }
  return undefined;
}

/** All that must hold once everything rests. */
export function checkRest(ground: Ground, houses: House[], told: Told): void {
  const { judge, world } = ground;
  const rows = rowsOf(ground);
  const of = (kind: string, tenant?: string) =>
    (rows.get(kind) ?? []).filter((each) => tenant === undefined || each.tenant === tenant);
  const live = new Map(of("cluster").map(({ id, row }) => [id, row as unknown as Cluster]));
  const counts = (kind: string, is: (row: Row, id: string) => boolean): number =>
    of(kind).filter(({ row, id }) => is(row, id)).length;

  for (const [id, known] of judge.clusters) {
    const here = live.get(id);
    const wanted = here === undefined ? 0 : 1;
    const found = {
      receipts: 1 - counts("receipt", (_, key) => key === id),
      names: counts("clusterName", (row) => row["id"] === id),
      seats: counts("seat", (row) => row["cluster"] === id),
      keys: counts("key", (_, key) => key.startsWith(`${id}/`)) / 3,
    };
    const whole = Object.values(found).every((count) => count === wanted);
    judge.hold("I1 no more and no less than what lives", whole, () => `${id} ${wanted}: ${JSON.stringify(found)}`);
    judge.hold("I6 removed is final", known.gone === (here === undefined), () => `${id} is there and gone`);
    const ready = here?.status.conditions.some(({ type, status }) => type === "Ready" && status === "True") ?? true;
    judge.hold("I8 what lives is ready", ready, () => id);
    if (here !== undefined) {
      const answers = world.inside({ address: here.placement.address }, id);
      judge.hold("I8 Ready is true", answers.ready, () => id);
    }
    const entries = of("audit").filter(({ row }) => row["target"] === id);
    const said = (...verbs: string[]): number =>
      entries.filter(({ row }) => verbs.includes(String(row["verb"]))).length;
    const changes = said("cluster:update", "cluster:remove");
    const told = [said("cluster:create"), changes, said("cluster:removed")];
    const wishes = [1, known.generation - 1, 1 - wanted];
    judge.hold(
      "I9 one entry per change",
      told.join() === wishes.join(),
      () => `${id}: ${told.join()}, not ${wishes.join()}`,
    );
  }
  for (const kind of ["clusterName", "seat", "key"])
    for (const { id, row } of of(kind)) {
      const owner = String(row["cluster"] ?? (kind === "key" ? id.split("/")[0] : row["id"]));
      judge.hold("I1 nothing without an owner", live.has(owner), () => `${kind} ${id}`);
    }
  const marks = [...judge.clusters.values()].map(({ mark }) => mark).filter((mark) => mark !== undefined);
  judge.hold("I3 one effect per key", new Set(marks).size === marks.length, () => marks.sort().join());

  checkTold(ground, told, live, (id) => counts("receipt", (_, key) => key === id) === 1);
  for (const { id, row } of of("access"))
    judge.hold("I1 nothing without an owner", live.has(String(row["cluster"])), () => `access ${id}`);
  for (const { tenant } of [...houses, { tenant: world.deps.home.tenant }]) checkTrail(ground, rows, tenant);
  for (const { tenant } of houses) {
    for (const { id, row } of of("quota", tenant)) {
      const what = id.replace(/s$/, "");
      const used = of(what, tenant).filter((each) => each.row["ttl"] === undefined).length;
      judge.hold("I10 counters count", row["used"] === used, () => `${tenant} ${id}: ${row["used"]}, not ${used}`);
    }
    for (const { id, row } of of("token", tenant)) {
      const short = id.split("/")[1];
      const entries = of("audit", tenant).filter((each) => each.row["target"] === short);
      const ends = entries.filter((each) => ["token:revoke", "token:rotate"].includes(String(each.row["verb"]))).length;
      const ended = row["revokedAt"] !== null || row["replacedBy"] !== undefined ? 1 : 0;
      judge.hold("I9 one entry per change", ends === ended, () => `${id}: ${ends} ends`);
    }
  }
}

/** I2: whatever was answered with success is there, or something newer that was asked for. */
function checkTold(ground: Ground, told: Told, live: Map<string, Cluster>, ended: (id: string) => boolean): void {
  const { judge, world } = ground;
  for (const { id, mark } of told.created) {
    judge.hold("I2 what was made is there", live.has(id) || ended(id), () => `${id} of ${mark}`);
  }
  for (const id of told.removed) judge.hold("I2 what was removed is gone", !live.has(id) && ended(id), () => id);
  for (const { id, generation, labels } of told.updated) {
    const row = live.get(id);
    if (row === undefined) continue;
    judge.hold("I2 no wish is lost", row.generation >= generation, () => `${id} fell behind ${generation}`);
    const kept = row.generation > generation || JSON.stringify(row.spec.labels) === JSON.stringify(labels);
    judge.hold("I2 what was wished is kept", kept, () => `${id} at ${generation}`);
  }
  for (const [id, { tenant, state }] of told.members) {
    if (state === undefined) continue;
    const row = world.tables.peek(tenant, "member", id);
    const now = row === undefined ? "gone" : row["state"];
    judge.hold("I2 a member is as it was told", now === state, () => `${id} is ${String(now)}, not ${state}`);
  }
}

function checkTrail({ judge, world }: Ground, rows: Rows, tenant: string): void {
  const of = (kind: string) => (rows.get(kind) ?? []).filter((each) => each.tenant === tenant);
  const lines = of("audit")
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ row }) => JSON.stringify(Entry.parse(row)));
  const digests = of("digest")
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ row }) => row);
  const keys = (rows.get("auditKey") ?? []).map(({ row }) => row as unknown as { id: string; publicKey: string });
  const { findings } = verify({ lines, digests, keys, heads: [], at: Date.parse(world.clock.now()) + 600_000 });
  const what = (): string => `${tenant}: ${JSON.stringify(findings.slice(0, 3))}`;
  judge.hold("I9 the chain verifies", findings.length === 0, what);
}
