import { isDeepStrictEqual } from "node:util";
import { KubeFault, type Found, type Manifest, type Query, type Ref, type Seen } from "#core/context.ts";
import { isCounted, withDefaults, writersOf } from "./defaults.ts";
import type { Admit } from "./fence.ts";
import { applied } from "./merge.ts";
import { checkName, fault, finalizersOf, isOf, keyOf, refOf } from "./ref.ts";
import type { Ranges } from "./services.ts";

/** Time and chance of a world. */
export interface Nature {
  /** ISO 8601 UTC. */
  now(): string;
  random(bytes: number): Uint8Array;
}

interface Version {
  uid: string;
  resourceVersion: string;
}

interface Event {
  version: number;
  before: Found | undefined;
  /** Undefined when the object is gone; then `last` is how it went. */
  after: Found | undefined;
  last: Found;
}

/** The objects of one server and their history. All of it is synchronous, so that each call happens at one moment. */
export class Objects {
  readonly #kept = new Map<string, Found>();
  /** What `berth` applied last, by object. */
  readonly #wanted = new Map<string, Manifest>();
  readonly #nature: Nature;
  readonly #ranges: Ranges;
  #events: Event[] = [];
  #version = 1;
  #oldest = 1;
  #waiting: (() => void)[] = [];

  constructor(nature: Nature, ranges: Ranges) {
    this.#nature = nature;
    this.#ranges = ranges;
    for (const name of ["default", "kube-node-lease", "kube-public", "kube-system"]) {
      this.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    }
  }

  get version(): string {
    return String(this.#version);
  }

  find(ref: Ref): Found | undefined {
    return this.#kept.get(keyOf(ref));
  }

  /** Those of the set in the order of a real list: by namespace and name. */
  list(query: Query): Found[] {
    const found = [...this.#kept.values()].filter((object) => isOf(object, query));
    return found.sort((one, other) => (keyOf(refOf(one)) < keyOf(refOf(other)) ? -1 : 1));
  }

  all(): Found[] {
    return [...this.#kept.values()];
  }

  create(manifest: Manifest, admit?: Admit, dryRun?: true): Found {
    const ref = refOf(manifest);
    checkName(ref);
    this.#checkNamespace(ref);
    if (this.find(ref) !== undefined) throw fault("conflict", 409, ref, "Conflict");
    const counted = isCounted(ref.kind) ? { generation: 1 } : {};
    const { resourceVersion: _, ...metadata } = structuredClone(manifest.metadata);
    const born = {
      uid: this.#uid(),
      creationTimestamp: this.#nature.now().replace(/\.\d+Z$/, "Z"),
      resourceVersion: "",
      ...counted,
    };
    const draft = { ...structuredClone(manifest), metadata: { ...metadata, ...born } };
    const made = withDefaults(draft, undefined, this.#others(ref), this.#ranges) as Found;
    admit?.(ref, undefined, { next: made });
    if (dryRun === true) return made;
    this.#wanted.set(keyOf(ref), structuredClone(manifest));
    return this.#keep(made);
  }

  apply(manifest: Manifest, resourceVersion: string, admit?: Admit): Found {
    const ref = refOf(manifest);
    const live = this.find(ref);
    const uid = manifest.metadata["uid"];
    if (live === undefined) {
      // As the real server does: the version alone does not keep an apply from making what is gone.
      this.#checkNamespace(ref);
      if (uid !== undefined) throw fault("conflict", 409, ref, "Conflict uid mismatch");
      return this.create(manifest, admit);
    }
    if (live.metadata.resourceVersion !== resourceVersion) throw fault("conflict", 409, ref, "Conflict");
    if (uid !== undefined && uid !== live.metadata.uid) throw fault("invalid", 422, ref, "Invalid metadata.uid");
    if ("roleRef" in manifest && !isDeepStrictEqual(manifest["roleRef"], live["roleRef"]))
      throw fault("invalid", 422, ref, "Invalid roleRef FieldValueInvalid");
    const before = this.#wanted.get(keyOf(ref));
    const wanted = { ...manifest, metadata: { ...manifest.metadata, resourceVersion } };
    const merged = structuredClone(applied(live, before, wanted)) as Manifest;
    const next = withDefaults(merged, live, this.#others(ref), this.#ranges) as Found;
    admit?.(ref, live, { next });
    this.#wanted.set(keyOf(ref), structuredClone(manifest));
    return this.change(next);
  }

  annotate(ref: Ref, seen: Version, annotations: Record<string, string>, admit?: Admit): Found {
    const live = this.find(ref);
    if (live === undefined) throw fault("missing", 404, ref, "NotFound");
    if (live.metadata.uid !== seen.uid || live.metadata.resourceVersion !== seen.resourceVersion)
      throw fault("conflict", 409, ref, "Conflict");
    const all = { ...live.metadata.annotations, ...annotations };
    const next = { ...live, metadata: { ...live.metadata, annotations: all } };
    admit?.(ref, live, { next });
    return this.change(next);
  }

  /** What was there so many changes ago: what a replica that lags behind answers. */
  before(changes: number): Found[] {
    const then = new Map(this.#kept);
    for (const { before, last } of this.#events.slice(-changes).reverse()) {
      if (before === undefined) then.delete(keyOf(refOf(last)));
      else then.set(keyOf(refOf(last)), before);
    }
    return [...then.values()];
  }

  /** Replaces an object by a changed copy, as a controller would; nothing happens when nothing differs. */
  change(object: Found): Found {
    const ref = refOf(object);
    const live = this.find(ref);
    if (live === undefined) throw new Error(`there is no ${keyOf(ref)} to change`);
    if (isDeepStrictEqual(live, object)) return live;
    const generation = Number(live.metadata["generation"] ?? 0) + (isAnother(live, object) ? 1 : 0);
    const counted = isCounted(ref.kind) ? { generation } : {};
    const changed = { ...object, metadata: { ...object.metadata, ...counted } };
    if (changed.metadata.deletionTimestamp !== undefined && finalizersOf(changed).length === 0) {
      return this.#drop(changed);
    }
    return this.#keep(changed);
  }

  remove(ref: Ref, seen: Partial<Version> & { uid: string }, admit?: Admit): void {
    const live = this.find(ref);
    if (live === undefined) return;
    if (live.metadata.uid !== seen.uid) throw fault("conflict", 409, ref, "Conflict uid");
    if (seen.resourceVersion !== undefined && seen.resourceVersion !== live.metadata.resourceVersion) {
      throw fault("conflict", 409, ref, "Conflict resourceVersion");
    }
    admit?.(ref, live, { seen });
    if (finalizersOf(live).length === 0) this.#drop(live);
    else if (live.metadata.deletionTimestamp === undefined) {
      const deletionTimestamp = this.#nature.now().replace(/\.\d+Z$/, "Z");
      const status = live.kind === "Namespace" ? { status: { phase: "Terminating" } } : {};
      this.#keep({ ...live, ...status, metadata: { ...live.metadata, deletionTimestamp } });
    }
  }

  /** History up to now can't be watched any more, as after a compaction. */
  forget(): void {
    this.#events = [];
    this.#oldest = this.#version;
  }

  /** The changes of a set after a version, and the version they reach. @throws KubeFault `expired` */
  since(query: Query, version: number): { changes: Seen[]; version: number } {
    if (version < this.#oldest) {
      throw new KubeFault("expired", `watch ${query.kind}: 410 Expired`, { status: 410 });
    }
    const changes = this.#events.filter((event) => event.version > version).flatMap((event) => changeOf(event, query));
    return { changes: structuredClone(changes), version: this.#version };
  }

  /** Resolves at the next change of anything, or when `wake` is called. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #keep(object: Found): Found {
    const key = keyOf(refOf(object));
    const before = this.#kept.get(key);
    this.#version += 1;
    const metadata = { ...object.metadata, ...writersOf(object, before, this.version, this.#nature.now()) };
    const kept = { ...object, metadata: { ...metadata, resourceVersion: this.version } };
    this.#kept.set(key, kept);
    this.#events.push({ version: this.#version, before, after: kept, last: kept });
    this.wake();
    return kept;
  }

  #drop(object: Found): Found {
    const key = keyOf(refOf(object));
    const before = this.#kept.get(key);
    this.#kept.delete(key);
    this.#wanted.delete(key);
    this.#version += 1;
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: this.version } };
    this.#events.push({ version: this.#version, before, after: undefined, last });
    this.wake();
    return last;
  }

  #checkNamespace(ref: Ref): void {
    if (ref.namespace === undefined) return;
    const space = this.find({ apiVersion: "v1", kind: "Namespace", name: ref.namespace });
    if (space === undefined) throw fault("missing", 404, ref, "NotFound namespace");
    if (space.metadata.deletionTimestamp !== undefined)
      throw fault("forbidden", 403, ref, "Forbidden being terminated");
  }

  #others({ apiVersion, kind, ...ref }: Ref): Found[] {
    const key = keyOf({ apiVersion, kind, ...ref });
    return this.list({ apiVersion, kind }).filter((other) => keyOf(refOf(other)) !== key);
  }

  #uid(): string {
    const hex = Buffer.from(this.#nature.random(16)).toString("hex");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }
}

// An EndpointSlice counts changes of its labels too.
function isAnother(then: Found, now: Found): boolean {
  const wanted = ({ metadata, status: _, ...rest }: Found): unknown =>
    now.kind === "EndpointSlice" ? [rest, metadata.labels, metadata.annotations] : rest;
  return !isDeepStrictEqual(wanted(then), wanted(now));
}

// An object whose labels change comes into a watched set or leaves it.
function changeOf({ before, after, last }: Event, query: Query): Seen[] {
  const was = before !== undefined && isOf(before, query);
  const is = after !== undefined && isOf(after, query);
  if (is) return [{ type: was ? "MODIFIED" : "ADDED", object: last }];
  return was ? [{ type: "DELETED", object: { ...before, metadata: last.metadata } }] : [];
}
