// The ear on one host: it hears what others do to what Berth made there, and pokes. Its loss costs a lap at most.
import { hostKinds } from "#core/cluster/index.ts";
import { type Found, type Kube, KubeFault, ours, type Place, type Query } from "#core/context.ts";
import { jitter } from "#core/failure.ts";
import { idNamed } from "#core/id.ts";
import { stackOf } from "../log.ts";
import { type Noted, note, worth } from "./heed.ts";
import { newMouth, type Speaking } from "./mouth.ts";

export interface Options extends Speaking {
  /** The host's API server. Asked for anew at each connection, as credentials change. */
  kube(): Kube | Promise<Kube>;
}

const watchSeconds = 300;
/** So many namespaces that are gone stay known: what was in them is told of within minutes, and ears live for months. */
const endedMax = 1_000;
const backOffMs = 1_000;
const backOffMaxMs = 60_000;
/** To hear one get less ready, its status is needed; of all others the metadata is enough. */
const full = ["Deployment", "StatefulSet"];

/** Listens until `signal` aborts; it never throws. Secrets are left out: to list them is to be able to read them. */
export async function listen(options: Options): Promise<void> {
  const { signal } = options;
  const mouth = newMouth(options);
  /** Where each namespace's cluster is, and whether it is going: what goes with it is no news. */
  const places = new Map<string, { place: Place; ending: boolean }>();
  const ended: string[] = [];
  const hear = (object: Found, why: string): void => {
    const isSpace = object.kind === "Namespace";
    const known = places.get((isSpace ? object.metadata.name : object.metadata.namespace) ?? "");
    if (known === undefined || (known.ending && !isSpace)) return;
    options.log.info("heard", { ...known.place, kind: object.kind, name: object.metadata.name, why });
    mouth.say(known.place);
  };
  const kinds = hostKinds.filter(([, kind]) => kind !== "Secret" && kind !== "Namespace");
  const spaces: Query = { apiVersion: "v1", kind: "Namespace", labels: ours, metadata: true };
  const settled = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => settled.resolve(), { once: true });
  const keep = (object: Found, gone: boolean): void => {
    const place = placeOf(object);
    // One that is gone stays known as ending, so that what went with it and is told late stays no news.
    if (place === undefined) return;
    const { name, deletionTimestamp } = object.metadata;
    places.set(name, { place, ending: gone || deletionTimestamp !== undefined });
    if (!gone) return;
    ended.push(name);
    const oldest = ended.length > endedMax ? ended.shift() : undefined;
    if (oldest !== undefined && places.get(oldest)?.ending === true) places.delete(oldest);
  };
  await Promise.all([
    mouth.speak(),
    follow(options, spaces, { hear, keep, listed: () => settled.resolve() }),
    // Without the namespaces nobody knows whose the rest is.
    settled.promise.then(() =>
      Promise.all(
        kinds.map(([apiVersion, kind]) => {
          const query: Query = { apiVersion, kind, labels: ours };
          return follow(options, full.includes(kind) ? query : { ...query, metadata: true }, { hear });
        }),
      ),
    ),
  ]);
}

interface Ears {
  hear(object: Found, why: string): void;
  /** Told of each object as it is, before it is judged. */
  keep?(object: Found, gone: boolean): void;
  listed?(): void;
}

/** Lists, then watches on from there; from where it broke when it breaks, and lists again when that is too long ago. */
async function follow(options: Options, query: Query, ears: Ears): Promise<void> {
  const { signal, log } = options;
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
    ears.listed?.();
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
      // A server that ends every watch at once is not asked more than once a second.
      if (!signal.aborted) await options.sleep(backOffMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof KubeFault && error.kind === "expired") version = undefined;
      const wait = Math.min(backOffMaxMs, backOffMs * 2 ** failures++);
      const why = error instanceof KubeFault ? error.message : stackOf(error);
      log.warn("an ear lost its host", { kind: query.kind, why });
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

function placeOf({ metadata: { labels = {} } }: Found): Place | undefined {
  const [tenant, id] = [idNamed("tenant", labels["berth.dev/tenant"]), idNamed("cluster", labels["berth.dev/cluster"])];
  return tenant === undefined || id === undefined ? undefined : { tenant, id };
}
