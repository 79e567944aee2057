import { KubeFault, type Found, type Kube, type Query, type Ref, type Target } from "#core/context.ts";
import { collectionPath, objectPath } from "#core/kube/kinds.ts";
import { play } from "./apiserver/controllers.ts";
import { fault, Objects, refOf, type Nature } from "./apiserver/server.ts";
import type { Ranges } from "./apiserver/services.ts";
import { issueToken, standingOf, type Standing } from "./apiserver/identity.ts";

export type Verb = "create" | "apply" | "get" | "list" | "remove" | "watch" | "ready" | "version" | "token";

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
  /** Whether the Pods of a Deployment or StatefulSet get ready. */
  runs: (workload: Found) => boolean;
  troubles: Trouble[];
  readonly calls: Call[];
  count(verb: Verb): number;
  /** How many creates, applies and removals were asked for. */
  readonly writes: number;
  /** Ends every open watch with `unavailable`. */
  cut(): void;
}

export interface KubeWorldOptions extends Nature {
  /** As the context's; bounds watches. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Which server answers a target just now; undefined when none does, or none that it trusts. By address, if left out. */
  answers?: (target: Target) => string | undefined;
  /** Who a target's user is; without an answer certificates are admins, and tokens are what the server issued. */
  who?: (target: Target, call: Call) => Standing | undefined;
  /** Awaited before every call, and after those that act: lets a scheduler interleave them, or end them by a throw. */
  gate?: (call: Call, when: Trouble["when"]) => Promise<void>;
  ranges?: Ranges;
}

/** Kubernetes API servers in memory, by name (the address, unless told), each made when it is first spoken of. */
export interface KubeWorld {
  kube(target: Target): Kube;
  server(name: string): Server;
  readonly servers: ReadonlyMap<string, Server>;
  /** One round of the controllers of every server. */
  tick(): void;
}

const rangesDefault: Ranges = { services: "10.97.0.0/24", nodePorts: [30000, 32767] };

export function newKubeWorld(options: KubeWorldOptions): KubeWorld {
  const servers = new Map<string, Server>();
  const server = (name: string): Server => {
    const found = servers.get(name) ?? newServer(name, options);
    servers.set(name, found);
    return found;
  };
  const answering = (target: Target): Server | undefined => {
    const name = options.answers === undefined ? target.server : options.answers(target);
    return name === undefined ? undefined : server(name);
  };
  return {
    servers,
    server,
    kube: (target) => newKube(() => answering(target), target, options),
    tick() {
      for (const one of servers.values()) if (one.controllers) play(one.objects, one.runs);
    },
  };
}

const cuts = new WeakMap<Server, { count: number }>();

function newServer(name: string, options: KubeWorldOptions): Server {
  const calls: Call[] = [];
  const objects = new Objects(options, options.ranges ?? rangesDefault);
  const cut = { count: 0 };
  const server: Server = {
    name,
    objects,
    ready: true,
    version: "v1.34.4",
    controllers: true,
    runs: () => true,
    troubles: [],
    calls,
    count: (verb) => calls.filter((call) => call.verb === verb).length,
    get writes() {
      return calls.filter(({ verb }) => verb === "create" || verb === "apply" || verb === "remove").length;
    },
    cut() {
      cut.count += 1;
      objects.wake();
    },
  };
  cuts.set(server, cut);
  return server;
}

function newKube(answering: () => Server | undefined, target: Target, options: KubeWorldOptions): Kube {
  const meet = (server: Server, call: Call, when: Trouble["when"]): void => {
    const trouble = server.troubles.find((one) => one.when === when && one.times !== 0 && one.match(call));
    if (trouble === undefined) return;
    if (trouble.times !== undefined) trouble.times -= 1;
    throw trouble.fault;
  };

  /** What comes before any call does something: the gate, the connection, who is asking. */
  const enter = async (call: Call): Promise<Server> => {
    await options.gate?.(call, "before");
    const server = answering();
    if (server === undefined) throw new KubeFault("unavailable", `${call.verb}: ECONNREFUSED`);
    server.calls.push(call);
    meet(server, call, "before");
    const standing = options.who?.(target, call) ?? standingOf(target, server.objects, options.now());
    if (standing === "stranger") throw new KubeFault("unauthorized", `${call.verb}: 401`, { status: 401 });
    const open = call.verb === "ready" || call.verb === "version";
    if (standing === "weak" && !open)
      throw new KubeFault("forbidden", `${call.verb} ${call.kind}: 403`, { status: 403 });
    return server;
  };

  const answer = async <T>(call: Call, act: (server: Server) => T): Promise<T> => {
    const server = await enter(call);
    const result = act(server);
    await options.gate?.(call, "after");
    meet(server, call, "after");
    return structuredClone(result);
  };

  return {
    create: async (manifest) => {
      objectPath(refOf(manifest));
      return await answer(about("create", refOf(manifest)), ({ objects }) => objects.create(manifest));
    },
    apply: async (manifest, resourceVersion) => {
      objectPath(refOf(manifest));
      if (resourceVersion === "") throw fault("invalid", 0, refOf(manifest), "without the version");
      return await answer(about("apply", refOf(manifest)), ({ objects }) => objects.apply(manifest, resourceVersion));
    },
    get: async (ref) => {
      objectPath(ref);
      return await answer(about("get", ref), ({ objects }) => objects.find(ref));
    },
    list: async (query) => {
      collectionPath(query);
      return await answer(about("list", query), ({ objects }) => ({
        items: objects.list(query),
        resourceVersion: objects.version,
      }));
    },
    remove: async (ref, seen) => {
      objectPath(ref);
      await answer(about("remove", ref), ({ objects }) => objects.remove(ref, seen));
    },
    async *watch(query, { resourceVersion, seconds, signal }) {
      collectionPath(query);
      if (signal.aborted) return;
      const server = await enter(about("watch", query));
      // It may have been aborted while it connected; then no event will come to say so.
      if (signal.aborted) return;
      const { objects } = server;
      const cut = cuts.get(server);
      const begun = cut?.count;
      const ended = new AbortController();
      const stop = (): void => {
        ended.abort();
        objects.wake();
      };
      signal.addEventListener("abort", stop, { once: true });
      void options.sleep(seconds * 1_000, ended.signal).then(stop);
      try {
        for (let version = Number(resourceVersion); !ended.signal.aborted; ) {
          const { changes, version: reached } = objects.since(query, version);
          version = reached;
          for (const change of changes) {
            yield change;
            if (ended.signal.aborted) return;
          }
          if (cut?.count !== begun || answering() !== server) {
            throw new KubeFault("unavailable", `watch ${query.kind}: the connection broke`);
          }
          if (changes.length === 0 && !ended.signal.aborted) await objects.next();
        }
      } finally {
        signal.removeEventListener("abort", stop);
        ended.abort();
      }
    },
    async ready() {
      try {
        return await answer({ verb: "ready" }, (server) => server.ready);
      } catch {
        return false;
      }
    },
    version: async () => await answer({ verb: "version" }, (server) => server.version),
    token: async (account, wanted) =>
      await answer(about("token", { apiVersion: "v1", kind: "ServiceAccount", ...account }), ({ objects }) =>
        issueToken(objects, account, wanted, options),
      ),
  };
}

function about(verb: Verb, on: Query | Ref): Call {
  return {
    verb,
    kind: on.kind,
    ...(on.namespace === undefined ? {} : { namespace: on.namespace }),
    ...("name" in on ? { name: on.name } : {}),
  };
}
