import { KubeFault, type Found, type Kube, type Manifest, type Query, type Ref, type Target } from "../context.ts";
import { silenceOf } from "./fault.ts";
import { collectionPath, objectPath } from "./kinds.ts";
import { changesIn } from "./watch.ts";
import { reachable } from "./reach.ts";
import { openWire, type Call } from "./wire.ts";

/** The bounds of a client's calls. */
export interface KubeOptions {
  /** How long one call may take, all pages of a list together; 10,000 when left out. */
  timeoutMs?: number;
}

const timeoutDefault = 10_000;
const pageSize = 500;
/** How much longer than asked a watch may stay open before we end it ourselves. */
const graceMs = 1_000;
/** Strict: a field that the server does not know is refused, where it would otherwise be dropped without a word. */
const writing = "fieldManager=berth&force=true&fieldValidation=Strict";
/** A version that no object ever has: etcd's first write is revision 2. */
const never = "1";

/**
 * A client of one API server. Opening it costs nothing: what is needed is loaded and connected by the first call.
 * Its faults never hold what was sent, tokens, or anything that a server says about a Secret.
 * @throws Error (not KubeFault) for a kind that is not in the table of known kinds, and for an empty name.
 */
export function openKube(target: Target, options: KubeOptions = {}): Kube {
  const wire = openWire(target);
  const timeoutMs = options.timeoutMs ?? timeoutDefault;
  const json = async <T>(call: Omit<Call, "signal">, signal = AbortSignal.timeout(timeoutMs)): Promise<T> => {
    const body = await wire.send({ ...call, signal });
    return await parsed<T>(body, call.what, signal);
  };
  const patch = async (verb: string, manifest: Manifest, resourceVersion: string): Promise<Found> => {
    const ref = refOf(manifest);
    return await json<Found>({
      ...about(verb, ref),
      method: "PATCH",
      path: `${objectPath(ref)}?${writing}`,
      type: "application/apply-patch+yaml",
      body: { ...manifest, metadata: { ...manifest.metadata, resourceVersion } },
    });
  };

  return {
    // An apply on a version that never was: it makes what is missing and is a conflict when there is something, as a
    // POST would be. But what was POSTed is owned by an "Update", and no later apply would ever take a field of it away.
    create: async (manifest) => await patch("create", manifest, never),

    async apply(manifest, resourceVersion) {
      if (resourceVersion === "") throw new KubeFault("invalid", "apply: without the version that was looked at");
      return await patch("apply", manifest, resourceVersion);
    },

    async get(ref) {
      const call = { ...about("get", ref), method: "GET", path: objectPath(ref) } as const;
      return await unlessMissing(json<Found>(call));
    },

    async list(query) {
      const call = about("list", query);
      const signal = AbortSignal.timeout(timeoutMs);
      const page = (rest: Record<string, string>): Promise<Listed> =>
        json({ ...call, method: "GET", path: queryPath(query, rest) }, signal);
      const first = await page({ limit: String(pageSize) });
      const items = [...first.items];
      for (let next = first.metadata.continue; next; ) {
        const { items: more, metadata } = await page({ limit: String(pageSize), continue: next });
        items.push(...more);
        next = metadata.continue;
      }
      // The items of a list don't say what they are.
      const { apiVersion, kind } = query;
      return {
        items: items.map((item) => ({ ...item, apiVersion, kind })),
        resourceVersion: first.metadata.resourceVersion,
      };
    },

    async remove(ref, seen) {
      const preconditions = {
        uid: seen.uid,
        ...(seen.resourceVersion === undefined ? {} : { resourceVersion: seen.resourceVersion }),
      };
      const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions, propagationPolicy: "Background" };
      await unlessMissing(json({ ...about("remove", ref), method: "DELETE", path: objectPath(ref), body }));
    },

    async *watch(query, { resourceVersion, seconds, signal }) {
      const call = about("watch", query);
      const path = queryPath(query, {
        watch: "true",
        allowWatchBookmarks: "true",
        resourceVersion,
        // Zero would mean no bound at all to the server.
        timeoutSeconds: String(Math.max(1, Math.ceil(seconds))),
      });
      if (signal.aborted) return;
      const bound = new AbortController();
      let timer = setTimeout(() => bound.abort(new DOMException("no answer", "TimeoutError")), timeoutMs);
      let answered = false;
      try {
        const ending = AbortSignal.any([signal, bound.signal]);
        const body = await wire.send({ ...call, method: "GET", path, signal: ending });
        answered = true;
        clearTimeout(timer);
        timer = setTimeout(() => bound.abort(), seconds * 1_000 + graceMs);
        yield* changesIn(body, call.what, call.secret);
      } catch (error) {
        if (signal.aborted || (answered && bound.signal.aborted)) return;
        throw silenceOf(call.what, error, bound.signal.aborted);
      } finally {
        clearTimeout(timer);
      }
    },

    async ready(ms) {
      const since = performance.now();
      if (!(await reachable(target.server, ms))) return false;
      const left = ms - (performance.now() - since);
      const call = {
        what: "ready",
        method: "GET",
        path: "/readyz",
        signal: AbortSignal.timeout(Math.max(1, Math.round(left))),
      } as const;
      try {
        await (await wire.send(call)).dump();
        return true;
      } catch (error) {
        if (error instanceof KubeFault) return false;
        throw error;
      }
    },

    async version() {
      const { gitVersion } = await json<{ gitVersion: string }>({ what: "version", method: "GET", path: "/version" });
      return gitVersion;
    },

    async token(account, { seconds, audiences, secret }) {
      const ref = { apiVersion: "v1", kind: "ServiceAccount", ...account };
      const spec = {
        expirationSeconds: seconds,
        ...(audiences === undefined ? {} : { audiences }),
        ...(secret === undefined ? {} : { boundObjectRef: { apiVersion: "v1", kind: "Secret", ...secret } }),
      };
      const { status } = await json<{ status: { token: string; expirationTimestamp: string } }>({
        ...about("token", ref),
        secret: true,
        method: "POST",
        path: `${objectPath(ref)}/token`,
        body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec },
      });
      return { token: status.token, expiresAt: status.expirationTimestamp };
    },
  };
}

interface Listed {
  metadata: { resourceVersion: string; continue?: string };
  items: Found[];
}

const refOf = ({ apiVersion, kind, metadata: { name, namespace } }: Manifest): Ref => ({
  apiVersion,
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
});

/** How a call is named in faults, and whether what is said about it may be told. */
function about(verb: string, on: Query | Ref): { what: string; secret: boolean } {
  const name = [on.namespace, "name" in on ? on.name : undefined].filter((part) => part !== undefined).join("/");
  return { what: `${verb} ${on.kind} ${name}`.trimEnd(), secret: on.kind === "Secret" };
}

function queryPath(query: Query, rest: Record<string, string>): string {
  const labels = Object.entries(query.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const search = new URLSearchParams(rest);
  if (labels.length > 0) search.set("labelSelector", labels.join(","));
  return `${collectionPath(query)}?${search.toString()}`;
}

async function parsed<T>(body: { text(): Promise<string> }, what: string, signal: AbortSignal): Promise<T> {
  const text = await body.text().catch((error: unknown) => {
    throw silenceOf(what, error, signal.aborted);
  });
  try {
    return JSON.parse(text) as T;
  } catch {
    // The parser's error quotes the text, which may hold a secret: it is not kept as the cause.
    throw new KubeFault("unavailable", `${what}: an answer that is no JSON`);
  }
}

/** Undefined when the object is not there. */
async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KubeFault && error.kind === "missing") return undefined;
    throw error;
  }
}
