// The ear on one host: it hears what others do to what Berth made there, and pokes. Its loss costs a lap at most.
import { accessOf } from "#core/access/index.ts";
import { hostKinds } from "#core/cluster/index.ts";
import { type Found, type Kube, ours, type Place, type Query, type Target } from "#core/context.ts";
import { type ID, idNamed } from "#core/id.ts";
import { follow } from "./follow.ts";
import { listenInside } from "./inside.ts";
import { newMouth, type Speaking } from "./mouth.ts";

export interface Options extends Speaking {
  /** The host's API server. Asked for anew at each connection, as credentials change. */
  kube(): Kube | Promise<Kube>;
  /** A client of a cluster's own API server; left out, nothing is heard of what is inside of clusters. */
  inside?(target: Target): Kube | Promise<Kube>;
}

/** So many namespaces that are gone stay known: what was in them is told of within minutes, and ears live for months. */
const endedMax = 1_000;
/** Inside of so many clusters one process listens, by a connection and about 0.6 MB each. Others are left to the round. */
const insideMax = 1_000;
/** What each of many clusters that are there when it begins is called after the one before. */
const spreadMs = 20;
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
  const inner = new Map<string, { stop: AbortController; ended: Promise<void> }>();
  const leave = (namespace: string): void => {
    inner.get(namespace)?.stop.abort();
    inner.delete(namespace);
  };
  let [listing, begun] = [true, 0];
  const enter = (namespace: string, { tenant, id }: Place): void => {
    const { inside } = options;
    if (inside === undefined || inner.has(namespace) || signal.aborted) return;
    if (inner.size >= insideMax) {
      options.log.warn("too many clusters to listen in", { id });
      return;
    }
    const stop = new AbortController();
    const { log, sleep, random, kube: host } = options;
    // Whose it is, the host says: what stands inside is the tenant's to write.
    const place: Place = { tenant, id: accessOf(id as ID<"cluster">) };
    const said = { namespace, place, say: (each: Place) => mouth.say(each), delayMs: listing ? spreadMs * begun++ : 0 };
    const all = AbortSignal.any([signal, stop.signal]);
    inner.set(namespace, {
      stop,
      ended: listenInside({ log, sleep, random, host, kube: inside, signal: all, ...said }),
    });
  };
  const keep = (object: Found, gone: boolean): void => {
    const place = placeOf(object);
    // One that is gone stays known as ending, so that what went with it and is told late stays no news.
    if (place === undefined) return;
    const { name, deletionTimestamp } = object.metadata;
    const ending = gone || deletionTimestamp !== undefined;
    places.set(name, { place, ending });
    if (ending) leave(name);
    else enter(name, place);
    if (!gone) return;
    ended.push(name);
    const oldest = ended.length > endedMax ? ended.shift() : undefined;
    if (oldest !== undefined && places.get(oldest)?.ending === true) places.delete(oldest);
  };
  await Promise.all([
    mouth.speak(),
    follow(options, spaces, {
      hear,
      keep,
      answered() {
        listing = false;
        settled.resolve();
      },
    }),
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
  await Promise.all([...inner.values()].map(({ ended }) => ended));
}

function placeOf({ metadata: { labels = {} } }: Found): Place | undefined {
  const [tenant, id] = [idNamed("tenant", labels["berth.dev/tenant"]), idNamed("cluster", labels["berth.dev/cluster"])];
  return tenant === undefined || id === undefined ? undefined : { tenant, id };
}
