import { epochAnnotation } from "#core/cluster/fence.ts";
import type { Edit, Found, Ref, Target } from "#core/context.ts";
import type { Op, TableWorld } from "../world/table.ts";
import type { Cluster } from "#core/cluster/schema.ts";
import type { Answer } from "../world/people.ts";

/** A promise that was broken: which, and how. */
export interface Broken {
  invariant: string;
  how: string;
}

interface Known {
  tenant: string;
  name: string;
  /** Its host and port. */
  seat: string;
  /** What its client called it, whichever try made it. */
  mark: string | undefined;
  /** When its row was written, in milliseconds of the world's own clock. */
  at: number;
  generation: number;
  observedGeneration: number;
  epoch: number;
  /** Who signs for it, once that was told. */
  authority?: string;
  /** The process that holds its lease. */
  holder: string | undefined;
  gone: boolean;
}

type Row = Readonly<Record<string, unknown>>;

/** Watches every write of table and hosts, and every answer, for what must never be. */
export function newJudge(tables: TableWorld, now: () => string) {
  const broken: Broken[] = [];
  const clusters = new Map<string, Known>();
  /** The highest epoch that wrote into a namespace. */
  const landedEpochs = new Map<string, number>();
  /** What tells a tenant: its ids, and texts that only its members said. */
  const secrets = new Map<string, Set<string>>();
  let checks = 0;
  const hold = (invariant: string, holds: boolean, how: () => string): void => {
    checks += 1;
    if (!holds && broken.length < 20) broken.push({ invariant, how: `${now()} ${how()}` });
  };

  function moved(tenant: string, id: string, row: Row | undefined): void {
    const known = clusters.get(id);
    if (known === undefined) return;
    if (row === undefined) {
      known.gone = true;
      return;
    }
    hold("I6 removed is final", !known.gone, () => `${id} is there again`);
    for (const field of ["generation", "observedGeneration", "epoch"] as const) {
      const next = Number(row[field] ?? 0);
      hold(`I4 ${field} never falls`, next >= known[field], () => `${id}: ${known[field]} became ${next}`);
      known[field] = next;
    }
    const { authority, conditions } = row["status"] as Cluster["status"];
    const why = conditions.find(({ type, status }) => type === "Parked" && status === "True")?.message ?? "";
    hold("an outage parks nobody", !why.includes("does not answer"), () => `${id}: ${why}`);
    const signs = known.authority ?? authority;
    // A status that was written and not heard of may be written over; other keys never come.
    hold(
      "I3 keys are made once",
      authority === undefined || authority === signs,
      () => `${id} has other authorities than it told`,
    );
    if (signs !== undefined) known.authority = signs;
    hold("I4 nothing is observed that was not wished", known.observedGeneration <= known.generation, () => id);
    hold("I5 rows stay with their tenant", known.tenant === tenant, () => `${id} stands in ${tenant}`);
  }

  tables.after = (op: Op): void => {
    for (const change of op.changes ?? []) {
      const { tenant, kind, id, act } = change;
      if (act === "check") continue;
      const row = tables.peek(tenant, kind, id);
      if (kind === "cluster") {
        if (act === "insert") {
          const { name, spec, placement } = change.row as unknown as Cluster;
          const seat = `${placement.host}/${placement.port}`;
          const alone = [...clusters.values()].every((other) => other.gone || other.seat !== seat);
          hold("I1 a seat is one cluster's", alone, () => `${id} took ${seat} of another`);
          hold("I6 removed is final", !clusters.has(id), () => `${id} was made twice`);
          const start = {
            at: Date.parse(now()),
            generation: 0,
            observedGeneration: 0,
            epoch: 0,
            holder: undefined,
            gone: false,
          };
          clusters.set(id, { tenant, name, mark: spec.labels["mark"], seat, ...start });
          tell(tenant, id);
        }
        moved(tenant, id, row);
      }
      if (kind === "quota" && row !== undefined && Number(change.edit?.add?.["used"] ?? 0) > 0) {
        const { used, limit } = row as { used: number; limit?: number };
        hold("I10 quotas are kept", used <= (limit ?? 1_000), () => `${tenant} has ${used} ${id} of ${limit}`);
      }
      if (kind === "member" && act === "insert") tell(tenant, id);
    }
  };

  function tell(tenant: string, ...texts: string[]): void {
    const known = secrets.get(tenant) ?? new Set([tenant]);
    for (const text of texts) known.add(text);
    secrets.set(tenant, known);
  }

  /** A project's namespace goes only when its row says so of that place. Its name is never given twice in a run. */
  function spaceErased(name: string, server: string): void {
    const seat = new URL(server).port;
    for (const [key, row] of tables.rows()) {
      if (!key.includes("/project/") || row["name"] !== name) continue;
      const places = row["places"] as { cluster: string; leavingAt?: string }[];
      const stays = places.some(
        ({ cluster, leavingAt }) =>
          leavingAt === undefined && clusters.get(cluster)?.seat.endsWith(`/${seat}`) === true,
      );
      hold("I2 no project loses its namespace unasked", !stays, () => `${name} at ${server}`);
    }
  }

  return {
    broken,
    clusters,
    hold,
    tell,
    /** A process has edited a row. While another holds its lease, it may say no more than that it was there. */
    edited(by: string, id: string, edit: Edit): void {
      const known = clusters.get(id);
      // What people wish is written by doors, whoever holds the lease.
      if (known === undefined || by.startsWith("door") || Object.keys(edit.set ?? {}).join() === "dirty") return;
      const takes = edit.set?.["epoch"] !== undefined;
      const free = takes || known.holder === undefined || known.holder === by;
      hold("I4 who lost a lease writes no more", free, () => `${by} wrote ${id}, which ${known.holder} holds`);
      known.holder = takes ? by : edit.remove?.includes("holder") === true ? undefined : known.holder;
    },
    /** A process has ended a row for good. */
    ended(by: string, id: string): void {
      const holder = clusters.get(id)?.holder;
      hold("I4 who lost a lease ends nothing", holder === by, () => `${by} ended ${id}, which ${holder} holds`);
    },
    /** We have removed an object of a host. What holds a cluster's data goes only when that was asked for. */
    erased({ kind, name, namespace = name }: Ref, { server }: Pick<Target, "server">): void {
      if (kind === "Namespace" && !name.startsWith("cls-")) spaceErased(name, server);
      if (!["Namespace", "PersistentVolumeClaim"].includes(kind) || !namespace.startsWith("cls-")) return;
      const id = namespace.replace("-", "_");
      const tenant = clusters.get(id)?.tenant ?? "";
      const row = tables.peek(tenant, "cluster", id) as Cluster | undefined;
      const asked = row === undefined || row.deletedAt !== undefined;
      hold("I2 what lives keeps its data", asked, () => `${kind} ${namespace}/${name} of a living cluster was removed`);
    },
    get checks() {
      return checks;
    },
    /** A write of ours took effect on an API server. */
    landed({ server }: Target, made: Found): void {
      const { namespace = made.metadata.name, annotations } = made.metadata;
      const epoch = annotations?.[epochAnnotation];
      if (epoch === undefined || !namespace.startsWith("cls-")) return;
      const place = `${server} ${namespace}`;
      const before = landedEpochs.get(place) ?? 0;
      hold("I4 no older epoch writes after a newer one", Number(epoch) >= before, () => {
        return `${made.kind} ${namespace}/${made.metadata.name}: ${epoch} after ${before}`;
      });
      landedEpochs.set(place, Math.max(before, Number(epoch)));
    },
    /** What a member of a tenant was answered. */
    answered(tenant: string, answer: Answer, about: string): void {
      const headers = [...answer.headers.values()].join("\n");
      for (const [other, texts] of secrets) {
        if (other === tenant) continue;
        for (const text of texts) {
          const seen = answer.text.includes(text) || headers.includes(text);
          hold("I5 no byte of another tenant", !seen, () => `${about} told ${tenant} of ${text} of ${other}`);
        }
      }
    },
  };
}
export type Judge = ReturnType<typeof newJudge>;
