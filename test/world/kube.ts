import { KubeFault, type Found, type Kube, type Query, type Ref, type Target } from "#core/context.ts";
import { collectionPath, objectPath } from "#core/kube/kinds.ts";
import { play } from "./apiserver/controllers.ts";
import { type Admit, fenceOf } from "./apiserver/fence.ts";
import { fault, refOf } from "./apiserver/ref.ts";
import type { Nature } from "./apiserver/server.ts";
import type { Ranges } from "./apiserver/services.ts";
import { answerOf, status } from "./apiserver/http.ts";
import { issueToken, standingOf, type Standing } from "./apiserver/identity.ts";
import { allows, reviewed, type User, wantedOf } from "./apiserver/rbac.ts";
import { type Call, cuts, newServer, type Server, type Trouble, type Verb } from "./server.ts";

export type { Call, Server, Trouble, Verb } from "./server.ts";

export interface KubeWorldOptions extends Nature {
  /** As the context's; bounds watches. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Which server answers a target just now; undefined when none does, or none that it trusts. By address, if left out. */
  answers?: (target: Target) => string | undefined;
  /** Who a target's user is; without an answer certificates are admins, and tokens are what the server issued. */
  who?: (target: Target) => Standing | undefined;
  /** Whether a target's user is Berth on a host: whom the fence holds. Nobody, when left out. */
  isBerth?: (target: Target) => boolean;
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
    const found = servers.get(name) ?? newServer(name, options, options.ranges ?? rangesDefault);
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

function newKube(answering: () => Server | undefined, target: Target, options: KubeWorldOptions): Kube {
  const meet = (server: Server, call: Call, when: Trouble["when"]): void => {
    const trouble = server.troubles.find((one) => one.when === when && one.times !== 0 && one.match(call));
    if (trouble === undefined) return;
    if (trouble.times !== undefined) trouble.times -= 1;
    throw trouble.fault;
  };

  /** What comes before any call does something: the gate, the connection, who is asking. */
  const meeting = async (call: Call): Promise<{ server: Server; user: User | "admin" | "weak" }> => {
    await options.gate?.(call, "before");
    const server = answering();
    if (server === undefined) throw new KubeFault("unavailable", `${call.verb}: ECONNREFUSED`);
    server.calls.push(call);
    meet(server, call, "before");
    const user = options.who?.(target) ?? standingOf(target, server.objects, options.now());
    if (user === "stranger") throw new KubeFault("unauthorized", `${call.verb}: 401`, { status: 401 });
    return { server, user };
  };

  /** And whether who is asking may, by the server's own bindings. */
  const enter = async (call: Call, on?: Query | Ref): Promise<Server> => {
    const { server, user } = await meeting(call);
    const may = (): boolean =>
      on === undefined ||
      (user !== "weak" && wantedOf(call.verb, on).every((one) => allows(server.objects, user as User, one)));
    if (user !== "admin" && !may()) {
      throw new KubeFault("forbidden", `${call.verb} ${call.kind}: 403`, { status: 403 });
    }
    return server;
  };

  const answer = async <T>(verb: Verb, on: Query | Ref | undefined, act: (server: Server) => T): Promise<T> => {
    const call = on === undefined ? { verb } : about(verb, on);
    const server = await enter(call, on);
    const result = act(server);
    await options.gate?.(call, "after");
    meet(server, call, "after");
    return structuredClone(result);
  };

  const admitOf = ({ fenced, objects }: Server): Admit | undefined =>
    fenced && options.isBerth?.(target) === true ? fenceOf(objects) : undefined;

  return {
    create: async (manifest, { dryRun } = {}) => {
      objectPath(refOf(manifest));
      return await answer("create", refOf(manifest), (server) =>
        server.objects.create(manifest, admitOf(server), dryRun),
      );
    },
    apply: async (manifest, resourceVersion) => {
      objectPath(refOf(manifest));
      if (resourceVersion === "") throw fault("invalid", 0, refOf(manifest), "without the version");
      return await answer("apply", refOf(manifest), (server) =>
        server.objects.apply(manifest, resourceVersion, admitOf(server)),
      );
    },
    annotate: async (ref, seen, annotations) => {
      objectPath(ref);
      if (seen.resourceVersion === "") throw fault("invalid", 0, ref, "without the version");
      return await answer("annotate", ref, (server) =>
        server.objects.annotate(ref, seen, annotations, admitOf(server)),
      );
    },
    get: async (ref) => {
      objectPath(ref);
      return await answer("get", ref, ({ objects }) => objects.find(ref));
    },
    list: async (query) => {
      collectionPath(query);
      return await answer("list", query, ({ objects }) => ({
        items: objects.list(query).map((found) => asAsked(found, query)),
        resourceVersion: objects.version,
      }));
    },
    remove: async (ref, seen) => {
      objectPath(ref);
      await answer("remove", ref, (server) => server.objects.remove(ref, seen, admitOf(server)));
    },
    async *watch(query, { resourceVersion, seconds, signal }) {
      collectionPath(query);
      if (signal.aborted) return;
      const server = await enter(about("watch", query), query);
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
            yield { ...change, object: asAsked(change.object, query) };
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
        return await answer("ready", undefined, (server) => server.ready);
      } catch {
        return false;
      }
    },
    version: async () => await answer("version", undefined, (server) => server.version),
    logs: async (pod, { lines, bytes }) =>
      await answer("logs", { apiVersion: "v1", kind: "Pod", ...pod }, ({ objects, logs }) => {
        const ref = { apiVersion: "v1", kind: "Pod", name: pod.name, namespace: pod.namespace };
        if (objects.find(ref) === undefined) throw fault("missing", 404, ref, "NotFound");
        const kept = (logs.get(`${pod.namespace}/${pod.name}/${pod.container}`) ?? "").split(/(?<=\n)/);
        return kept.slice(-lines).join("").slice(0, bytes);
      }),
    token: async (account, wanted) =>
      await answer("token", { apiVersion: "v1", kind: "ServiceAccount", ...account }, ({ objects }) =>
        issueToken(objects, account, wanted, options),
      ),
    async review(review) {
      const { server, user } = await meeting({ verb: "review", kind: review.kind });
      if (user === "weak" || (user !== "admin" && !review.kind.startsWith("Self"))) {
        throw new KubeFault("forbidden", `review ${review.kind}: 403`, { status: 403 });
      }
      return structuredClone(reviewed(server.objects, user, review));
    },
    async pass(asked) {
      const call: Call = { verb: "pass", name: `${asked.method} ${asked.path}` };
      const met = await unlessAborted(meeting(call), asked.signal).catch((error: unknown) => {
        if (error instanceof KubeFault && error.status === 401) return undefined;
        throw error;
      });
      if (met === undefined) return status(401, "Unauthorized", "Unauthorized");
      const { server, user } = met;
      const cut = cuts.get(server);
      const begun = cut?.count;
      const known = user === "weak" ? { user: "weak", groups: [] } : user;
      const whole = (): boolean => cut?.count === begun && answering() === server;
      const passed = answerOf(server, known, asked, { sleep: options.sleep, whole });
      await unlessAborted(Promise.resolve(options.gate?.(call, "after")), asked.signal);
      meet(server, call, "after");
      return passed;
    },
  };
}

/** A wire gives up at once when it is told to. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    const end = (): void => reject(new KubeFault("unavailable", "the answer: given up"));
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
  });
  return await Promise.race([work, aborted]);
}

const asAsked = (found: Found, query: Query): Found =>
  query.metadata === true ? { apiVersion: found.apiVersion, kind: found.kind, metadata: found.metadata } : found;

function about(verb: Verb, on: Query | Ref): Call {
  return {
    verb,
    kind: on.kind,
    ...(on.namespace === undefined ? {} : { namespace: on.namespace }),
    ...("name" in on ? { name: on.name } : {}),
  };
}
