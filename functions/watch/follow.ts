// One kind of objects, followed for as long as it goes: what of their changes is worth a word is told.
import { type Found, type Kube, KubeFault, type Log, type Query } from "#core/context.ts";
import { jitter } from "#core/failure.ts";
import { stackOf } from "../log.ts";
import { type Noted, note, worth } from "./heed.ts";

export interface Following {
  /** The API server. Asked for anew at each connection, as credentials change. */
  kube(): Kube | Promise<Kube>;
  log: Pick<Log, "info" | "warn" | "error">;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  random(bytes: number): Uint8Array;
  /** Ends it. */
  signal: AbortSignal;
  /** Told of each connection that failed, in words; left out, it is logged. */
  lost?(kind: string, why: string): void;
}

export interface Ears {
  hear(object: Found, why: string): void;
  /** Told of each object as it is, before it is judged. */
  keep?(object: Found, gone: boolean): void;
  /** Told after each list, and each watch that came to its end: the server answers. */
  answered?(): void;
}

const watchSeconds = 300;
const backOffMs = 1_000;
const backOffMaxMs = 60_000;

/**
 * Lists, then watches on from there; from where it broke when it breaks, and lists again when that is too long ago.
 * Until `signal` aborts; it never throws.
 */
export async function follow(options: Following, query: Query, ears: Ears): Promise<void> {
  const { signal } = options;
  const known = new Map<string, { object: Found; noted: Noted }>();
  let version: string | undefined;
  const take = (object: Found, gone: boolean, silent = false): void => {
    const key = `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
    const noted = gone ? undefined : note(object);
    ears.keep?.(object, gone);
    const why = worth(known.get(key)?.noted, noted);
    if (noted === undefined) known.delete(key);
    else known.set(key, { object: bare(object), noted });
    if (why !== undefined && !silent) ears.hear(object, why);
  };
  const list = async (first: boolean): Promise<string> => {
    const { items, resourceVersion } = await (await options.kube()).list(query);
    const there = new Set(items.map(({ metadata }) => metadata.uid));
    for (const { object } of known.values()) if (!there.has(object.metadata.uid)) take(object, true);
    // What was there before us is as it is: the lap compares that.
    for (const item of items) take(item, false, first);
    ears.answered?.();
    return resourceVersion;
  };
  for (let failures = 0, first = true; !signal.aborted; ) {
    try {
      version ??= await list(first);
      first = false;
      const kube = await options.kube();
      const changes = kube.watch(query, { resourceVersion: version, seconds: watchSeconds, signal });
      for await (const { type, object } of changes) {
        failures = 0;
        version = object.metadata.resourceVersion;
        take({ ...object, kind: query.kind, apiVersion: query.apiVersion }, type === "DELETED");
      }
      failures = 0;
      ears.answered?.();
      // A server that ends every watch at once is not asked more than once a second.
      if (!signal.aborted) await options.sleep(backOffMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof KubeFault && error.kind === "expired") version = undefined;
      const wait = Math.min(backOffMaxMs, backOffMs * 2 ** failures++);
      const why = error instanceof KubeFault ? error.message : stackOf(error);
      if (options.lost === undefined) options.log.warn("an ear lost its host", { kind: query.kind, why });
      else options.lost(query.kind, why);
      await options.sleep(jitter(options, wait), signal);
    }
  }
}

/** What is kept of an object, so that thousands cost little: its name. */
const bare = ({ apiVersion, kind, metadata }: Found): Found => {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const kept = { name, uid, resourceVersion, creationTimestamp };
  return { apiVersion, kind, metadata: namespace === undefined ? kept : { ...kept, namespace } };
};
