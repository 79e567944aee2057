import { createHash } from "node:crypto";
import type { ID } from "#core/id.ts";
import type { Found, Log, Query, Ref, Target } from "#core/context.ts";
import { collectionPath } from "#core/kube/kinds.ts";
import { isOf, keyOf, refOf } from "../world/apiserver/ref.ts";
import type { World } from "../world/index.ts";
import { between, type Dice } from "./dice.ts";
import type { Call, Decide, FaultKind, Met } from "./fault.ts";
import { type Judge, newJudge } from "./judge.ts";
import { type Mail, newMail } from "./mail.ts";
import type { Meet } from "./process.ts";

/** What all processes of one run share: the world, its chance, and what is noted. */
export interface Ground {
  world: World;
  dice: Dice;
  mail: Mail;
  judge: Judge;
  log: Log;
  /** The last answers of the sparse indexes. */
  indexed: Map<string, unknown>;
  /** Every fault so far. */
  met: Met[];
  points: { calls: number; struck: Set<string> };
  /** No faults any more. */
  calm: boolean;
  meets(key: string, call: Call): FaultKind | undefined;
  /** Calls `wake` at the next time that another than `by` has got ahead of it with this cluster. */
  upon(what: "overtaken" | "outwritten", cluster: string, by: string, wake: () => void): void;
  passed(what: "overtaken" | "outwritten", cluster: string, by: string): void;
  tell(line: string): void;
  /** What happened, as one text of fixed length. */
  hash(): string;
  lines: string[];
  hosts: { id: string; address: string }[];
  /** Hosts by address, and until when they are away. */
  away: Map<string, number>;
  isAway(target: Target): boolean;
  past(target: Target): { get(ref: Ref): Found | undefined; list(query: Query): Listed } | undefined;
  poke(meet: Meet, by: string, tenant: ID<"tenant">, id: ID): Promise<void>;
}
interface Listed {
  items: Found[];
  resourceVersion: string;
}

const staleMax = 6;

/** @param options.spare faults that are left out, by key. */
export function newGround(
  world: World,
  dice: Dice,
  decide: Decide,
  options: { spare?: ReadonlySet<string>; keep?: boolean; pokesLost?: boolean } = {},
): Ground {
  const trace = createHash("sha256");
  const mail = newMail(world.clock);
  const quiet = (): void => {};
  const time = (): number => Date.parse(world.clock.now());
  let waiting: { what: string; by: string; wake: () => void }[] = [];
  const ground: Ground = {
    world,
    dice,
    mail,
    judge: newJudge(world.tables, () => world.clock.now()),
    log: { info: quiet, warn: quiet, error: quiet },
    indexed: new Map(),
    met: [],
    points: { calls: 0, struck: new Set() },
    calm: false,
    lines: [],
    hosts: [],
    away: new Map(),
    meets(key, call) {
      ground.points.calls += 1;
      if (ground.calm) return undefined;
      const kind = decide(key, call);
      if (kind === undefined || options.spare?.has(key) === true) return undefined;
      ground.met.push({ key, kind, what: `${call.port} ${call.what}` });
      ground.points.struck.add(`${call.port} ${call.what}`.replaceAll(/[0-9a-hjkmnp-tv-z]{26}/g, "…"));
      ground.tell(`${key} ${call.what}: ${kind}`);
      return kind;
    },
    upon: (what, cluster, by, wake) => void waiting.push({ what: `${what} ${cluster}`, by, wake }),
    passed(what, cluster, by) {
      const those = waiting.filter((each) => each.what === `${what} ${cluster}` && each.by !== by);
      waiting = waiting.filter((each) => !those.includes(each));
      for (const { wake } of those) wake();
    },
    tell(line) {
      const said = `${world.clock.now().slice(11, 23)} ${line}`;
      trace.update(`${said}\n`);
      if (options.keep === true) ground.lines.push(said);
    },
    hash: () => trace.copy().digest("hex"),
    isAway: ({ server }) => (ground.away.get(new URL(server).hostname) ?? 0) > time(),
    past(target) {
      const name = world.serverOf(target);
      if (name === undefined) return undefined;
      const back = 1 + Math.floor(between(dice("stale", ground.points.calls), 0, staleMax));
      const then = world.kubes.server(name).objects.before(back);
      const asked = (found: Found, query: Query): Found =>
        query.metadata === true ? { apiVersion: found.apiVersion, kind: found.kind, metadata: found.metadata } : found;
      return {
        get: (ref) => structuredClone(then.find((found) => keyOf(refOf(found)) === keyOf(ref))),
        list(query) {
          collectionPath(query);
          const items = then.filter((found) => isOf(found, query)).map((found) => asked(found, query));
          const resourceVersion = String(Number(world.kubes.server(name).objects.version) - back);
          return structuredClone({ items, resourceVersion });
        },
      };
    },
    async poke(meet, by, tenant, id) {
      const key = `poke ${id} ${ground.points.calls}`;
      const send = (): void => {
        if (options.pokesLost === true && by.startsWith("door")) return;
        // Now and then by another way, so that they overtake each other.
        mail.send(tenant, id, dice("way", key) < 0.2 ? between(dice("delay", key), 10, 5_000) : 0);
      };
      const call: Call = { port: "poke", what: `poke ${id}`, writes: true };
      // A poke never throws: who pokes goes on as if it had been heard.
      await meet(call, async (kind) => void (kind !== "lost" && send())).catch(() => {});
    },
  };
  return ground;
}
