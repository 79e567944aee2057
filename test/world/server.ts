import type { Found, KubeFault } from "#core/context.ts";
import { type Nature, Objects } from "./apiserver/server.ts";
import type { Ranges } from "./apiserver/services.ts";

export type Verb =
  | "create"
  | "apply"
  | "annotate"
  | "get"
  | "list"
  | "remove"
  | "watch"
  | "ready"
  | "version"
  | "logs"
  | "token"
  | "review"
  | "pass";
const writing: Verb[] = ["create", "apply", "annotate", "remove"];

/** One call as it came in. */
export interface Call {
  verb: Verb;
  kind?: string;
  namespace?: string;
  name?: string;
}

/** What goes wrong with the calls that `match`: `before` they do anything, or `after` it happened (a lost answer). */
export interface Trouble {
  match: (call: Call) => boolean;
  fault: KubeFault;
  when: "before" | "after";
  /** How many calls it meets; every one when left out. */
  times?: number;
}

/** One API server of the world, with what may be done to it from outside. */
export interface Server {
  readonly name: string;
  /** Reads and writes around the API, as a controller or an intruder would. */
  readonly objects: Objects;
  /** What /readyz says. The rest goes on working while it is false. */
  ready: boolean;
  version: string;
  /** Whether `tick` does anything here. */
  controllers: boolean;
  /** Whether the policy of docs/host-role.yaml is in force; it holds only whom the world calls Berth. */
  fenced: boolean;
  /** Whether the Pods of a Deployment or StatefulSet get ready. */
  runs: (workload: Found) => boolean;
  troubles: Trouble[];
  readonly calls: Call[];
  count(verb: Verb): number;
  /** The log of a Pod's container, by `namespace/pod/container`; empty unless set. */
  readonly logs: Map<string, string>;
  /** How many creates, applies, annotations and removals were asked for. */
  readonly writes: number;
  /** Ends every open watch with `unavailable`. */
  cut(): void;
}

export const cuts = new WeakMap<Server, { count: number }>();

export function newServer(name: string, nature: Nature, ranges: Ranges): Server {
  const calls: Call[] = [];
  const objects = new Objects(nature, ranges);
  const cut = { count: 0 };
  const server: Server = {
    name,
    objects,
    ready: true,
    version: "v1.34.4",
    controllers: true,
    fenced: true,
    runs: () => true,
    troubles: [],
    logs: new Map(),
    calls,
    count: (verb) => calls.filter((call) => call.verb === verb).length,
    get writes() {
      return calls.filter(({ verb }) => writing.includes(verb)).length;
    },
    cut() {
      cut.count += 1;
      objects.wake();
    },
  };
  cuts.set(server, cut);
  return server;
}
