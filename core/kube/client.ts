import { KubeFault, type Found, type Kube, type Manifest, type Review, type Target } from "../context.ts";
import {
  about,
  type Listed,
  logPath,
  metadataOf,
  named,
  parsed,
  queryPath,
  refOf,
  textOf,
  unlessMissing,
} from "./call.ts";
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
  const patch = async (verb: string, manifest: Manifest, resourceVersion: string, more = ""): Promise<Found> => {
    const ref = refOf(manifest);
    return await json<Found>({
      ...about(verb, ref),
      method: "PATCH",
      path: `${objectPath(ref)}?${writing}${more}`,
      type: "application/apply-patch+yaml",
      body: { ...manifest, metadata: { ...manifest.metadata, resourceVersion } },
    });
  };

  return {
    // An apply on a version that never was: it makes what is missing and is a conflict when there is something, as a
    // POST would be. But what was POSTed is owned by an "Update", and no later apply would ever take a field of it away.
    create: async (manifest, { dryRun } = {}) =>
      await patch("create", manifest, never, dryRun === true ? "&dryRun=All" : ""),

    async apply(manifest, resourceVersion) {
      if (resourceVersion === "") throw new KubeFault("invalid", "apply: without the version that was looked at");
      return await patch("apply", manifest, resourceVersion);
    },

    // A merge patch, as an apply of annotations alone would take away all else that we applied before. The uid and the
    // version in it are conditions: the server makes none of it otherwise.
    async annotate(ref, { uid, resourceVersion }, annotations) {
      if (resourceVersion === "") throw new KubeFault("invalid", "annotate: without the version that was looked at");
      return await json<Found>({
        ...about("annotate", ref),
        method: "PATCH",
        path: `${objectPath(ref)}?fieldManager=berth`,
        type: "application/merge-patch+json",
        body: { metadata: { uid, resourceVersion, annotations } },
      });
    },

    async get(ref) {
      const call = { ...about("get", ref), method: "GET", path: objectPath(ref) } as const;
      return await unlessMissing(json<Found>(call));
    },

    async list(query) {
      const call = { ...about("list", query), ...metadataOf(query, "PartialObjectMetadataList") };
      const signal = AbortSignal.timeout(timeoutMs);
      const page = (rest: Record<string, string>): Promise<Listed> =>
        json({ ...call, method: "GET", path: queryPath(query, rest) }, signal);
      const first = await page({ limit: String(pageSize) });
      const items = [...(first.items ?? [])];
      for (let next = first.metadata.continue; next; ) {
        const { items: more, metadata } = await page({ limit: String(pageSize), continue: next });
        items.push(...(more ?? []));
        next = metadata.continue;
      }
      return { items: items.map((item) => named(item, query)), resourceVersion: first.metadata.resourceVersion };
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
      const call = { ...about("watch", query), ...metadataOf(query, "PartialObjectMetadata") };
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
        for await (const { type, object } of changesIn(body, call.what, call.secret)) {
          yield { type, object: named(object, query) };
        }
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

    async logs(pod, options) {
      const signal = AbortSignal.timeout(timeoutMs);
      const call = about("logs", { apiVersion: "v1", kind: "Pod", name: pod.name, namespace: pod.namespace });
      return await textOf(
        await wire.send({ ...call, method: "GET", path: logPath(pod, options), signal }),
        call.what,
        signal,
      );
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

    review: async (review) =>
      await json<Review>({ what: review.kind, method: "POST", path: collectionPath(review), body: review }),

    pass: async (asked) => await wire.pass(asked),
  };
}
