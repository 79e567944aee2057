import type { Change, Home, Kube, Place, Seal, Table, Target } from "#core/context.ts";
import type { Page } from "#core/page.ts";
import type { Deps } from "#functions/deps.ts";
import { newChance } from "../world/clock.ts";
import { type Doors, newDoors } from "../world/people.ts";
import { between } from "./dice.ts";
import { type Call, type FaultKind, faultOf } from "./fault.ts";
import type { Ground } from "./ground.ts";
import { wiredKube } from "./wire.ts";

/** One process of ours: its memory is its own, and its end is at any call to what is outside of it. */
export interface Process {
  readonly name: string;
  readonly deps: Deps;
  readonly doors: Doors;
  readonly dead: boolean;
  /** Resolves at its end; a process that has ended does not go on, whatever it was at. */
  readonly died: Promise<void>;
  kill(): void;
  /** Runs `work` of this process to its end, or to the process's own: then undefined. */
  run<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/** How a process meets what is outside: `act` has the effect, `older` answers as things were before. */
export type Meet = <T>(call: Call, act: (kind?: FaultKind) => Promise<T>, older?: () => T | undefined) => Promise<T>;

const never = <T>(): Promise<T> => new Promise<T>(() => {});

/** @param skewMs how far its clock is off. */
export function newProcess(ground: Ground, name: string, skewMs = 0): Process {
  const { world, dice } = ground;
  const { clock } = world;
  let calls = 0;
  let dead = false;
  let thawsAt = 0;
  let thaw = new AbortController();
  let end = (): void => {};
  const died = new Promise<void>((resolve) => (end = resolve));
  const kill = (): void => {
    if (!dead) ground.tell(`${name} ends`);
    dead = true;
    end();
  };
  const time = (): number => Date.parse(clock.now());

  /** A process that stands still stands still as a whole, its heartbeats too. */
  const nap = async (ms: number, signal?: AbortSignal): Promise<void> => {
    if (dead) return await never();
    await clock.sleep(ms, signal);
    while (!dead && time() < thawsAt) await clock.sleep(thawsAt - time(), thaw.signal);
    if (dead) await never();
  };

  const meet: Meet = async (call, act, older) => {
    if (dead) return await never();
    const key = `${name}#${(calls += 1)}`;
    const kind = ground.meets(key, call);
    const roll = (what: string, low: number, high: number): number => between(dice(what, key), low, high);
    await nap(roll("latency", 1, 30) + (kind === "slow" ? roll("slow", 1_000, 9_000) : 0));
    if (kind === "freezes" || kind === "overtaken" || kind === "outwritten") {
      thawsAt = time() + roll("frozen", 10_000, 150_000);
      if (kind !== "freezes") {
        thawsAt = time() + 150_000;
        ground.upon(kind, call.about ?? "", name, () => {
          thawsAt = time();
          thaw.abort();
          thaw = new AbortController();
        });
      }
      await nap(0);
    }
    if (kind === "dies before") kill();
    if (dead) return await never();
    if (kind === "fails" || kind === "throttled") throw faultOf(call, kind);
    if (kind === "late") {
      void clock.sleep(roll("late", 11_000, 120_000)).then(async () => await act().catch(() => {}));
      await nap(10_000);
      throw faultOf(call, kind);
    }
    const past = kind === "stale" ? older?.() : undefined;
    if (past !== undefined) return past;
    if (kind === "twice") await act(kind).catch(() => {});
    const done = await act(kind).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    ground.tell(`${key} ${call.what}${kind === undefined ? "" : ` (${kind})`}${"error" in done ? " refused" : ""}`);
    if (dice("reply", key) < 0.3) await nap(roll("back", 1, 30));
    if (kind === "dies after") kill();
    if (dead) return await never();
    if (kind === "answer lost") throw faultOf(call, kind);
    if ("error" in done) throw done.error;
    return done.value;
  };

  const chance = newChance(Math.floor(dice("chance", name) * 2 ** 32));
  const deps: Deps = {
    home: wiredHome(ground, meet, name),
    log: ground.log,
    meter: { count: () => {} },
    now: () => new Date(time() + skewMs).toISOString(),
    random: chance,
    sleep: nap,
    tools: async () => ({
      kube: (target: Target): Kube => wiredKube(ground, meet, name, target),
      seal: wiredSeal(world.seal, meet),
    }),
    bury: async () => {},
    limits: false,
  };
  let doors: Doors | undefined;
  return {
    name,
    deps,
    get doors() {
      return (doors ??= newDoors(deps));
    },
    get dead() {
      return dead;
    },
    died,
    kill,
    run: (work) => Promise.race([work(), died.then(() => undefined)]),
  };
}

function wiredSeal(seal: Seal, meet: Meet): Seal {
  const named = (what: string): Call => ({ port: "seal", what, writes: false });
  return {
    seal: (plain, binding) => meet(named("seal"), () => seal.seal(plain, binding)),
    open: (sealed, binding) => meet(named("open"), () => seal.open(sealed, binding)),
  };
}

const clusterOf = (changes: readonly Change[]): string | undefined =>
  changes.find(({ kind, act }) => kind === "cluster" && act !== "insert" && act !== "check")?.id;

function wiredHome(ground: Ground, meet: Meet, by: string): Home {
  const inner = ground.world.deps.home;
  const read = (what: string): Call => ({ port: "table", what, writes: false });
  const write = (what: string, about?: string): Call => ({ port: "table", what, writes: true, about });
  /** An index is behind: it answers as it did when somebody last asked the same, and at first as if nothing was there. */
  const across = async <P extends Place>(what: string, ask: () => Promise<Page<P>>): Promise<Page<P>> => {
    const older = (ground.indexed.get(what) as Page<P> | undefined) ?? { items: [], next: null };
    const page = await meet({ port: "index", what, writes: false }, ask, () => structuredClone(older));
    ground.indexed.set(what, page);
    return page;
  };
  const table: Home["table"] = (tenant) => {
    const rows: Table = inner.table(tenant);
    return {
      ...rows,
      get: (kind, id, options) => meet(read(`get ${kind.name}`), () => rows.get(kind, id, options)),
      getAll: (keys) => meet(read(`get ${keys.map(([kind]) => kind.name).join()}`), () => rows.getAll(keys)),
      list: (kind, page) => meet(read(`list ${kind.name}`), () => rows.list(kind, page)),
      write: (...changes) =>
        meet(
          write(`write ${changes.map(({ act, kind }) => `${act} ${kind}`).join()}`, clusterOf(changes)),
          async () => {
            await rows.write(...changes);
            for (const { act, kind, id } of changes)
              if (act === "remove" && kind === "cluster") ground.judge.ended(by, id);
          },
        ),
      edit: (kind, id, edit) =>
        meet(write(`edit ${kind.name}`, kind.name === "cluster" ? id : undefined), async () => {
          const row = await rows.edit(kind, id, edit);
          if (kind.name === "cluster") ground.judge.edited(by, id, edit);
          if (kind.name === "cluster" && edit.set?.["epoch"] !== undefined) ground.passed("overtaken", id, by);
          return row;
        }),
    };
  };
  return {
    ...inner,
    table,
    due: (shard, before, page) => across(`due ${shard} ${page?.after ?? ""}`, () => inner.due(shard, before, page)),
    parked: (page) => across(`parked ${page?.after ?? ""}`, () => inner.parked(page)),
    unsealed: (shard, before, page) =>
      across(`unsealed ${shard} ${page?.after ?? ""}`, () => inner.unsealed(shard, before, page)),
    carried: (host, page) => across(`carried ${host} ${page?.after ?? ""}`, () => inner.carried(host, page)),
    async poke(tenant, id) {
      await ground.poke(meet, by, tenant, id);
    },
  };
}
