import type * as z from "zod";
import type { Role } from "./allow.ts";
import type { ID } from "./id.ts";
import type { Page, PageInput } from "./page.ts";

/** Who is asking. `scopes` narrows the role (null: all of it); they are the `noun:verb` strings that `allow` takes. */
export interface Actor {
  tenant: ID<"tenant">;
  member: ID<"member"> | "system";
  role: Role;
  scopes: readonly string[] | null;
  token: ID<"token"> | null;
}

/** Structured lines; fields are named one by one, never whole objects, so that no secret slips in. */
export interface Log {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** One tenant's view of Berth: what every verb gets. */
export interface Context {
  readonly tenant: ID<"tenant">;
  readonly actor: Actor;
  readonly table: Table;
  readonly requestID: string;
  readonly log: Log;
  /** What spans tenants; only a noun's `home.ts` may touch it (a guard test holds that). */
  readonly home: Home;
  /** ISO 8601, UTC. */
  now(): string;
  random(bytes: number): Uint8Array;
  /** Hints that a row wants to be looked at. Never throws: a lost poke costs a minute. */
  poke(id: ID): Promise<void>;
}

/** A context that may also act on the world: the queue's consumer and the access function. */
export interface Work extends Context {
  readonly seal: Seal;
  /** A client of one Kubernetes API server. */
  kube(target: Target): Kube;
  /** Resolves after `ms`, at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What spans tenants: clocks, hosts, staff. */
export interface Home {
  /** The tenant of the platform's own staff, which also owns the hosts. */
  readonly tenant: ID<"tenant">;
  /** Where home is reached, `https://…` without a slash at the end: the root of every cluster's issuer. */
  readonly url: string;
  table(tenant: ID<"tenant">): Table;
  /** Rows of any tenant whose `lookAt` is not after `before`, oldest first, of one shard of the due index. */
  due(shard: number, before: string, page?: PageInput): Promise<Page<{ tenant: ID<"tenant">; id: ID }>>;
  poke(tenant: ID<"tenant">, id: ID): Promise<void>;
}

// The table: rows of one tenant.

/** A kind of row: its name is part of the key, its schema is parsed at every read. */
export interface Kind<T> {
  name: string;
  schema: z.ZodType<T>;
}

export type Scalar = string | number | boolean;
/** What an attribute must be for a write to happen; all must hold. */
export type When = Record<string, Scalar | { absent: true } | { present: true } | { below: number } | { not: Scalar }>;

export interface Edit {
  /** Top-level attributes; a whole attribute is replaced. `lookAt` (ISO) also places the row in the due index. */
  set?: Record<string, unknown>;
  remove?: string[];
  /** Numbers added to (absent counts as 0). */
  add?: Record<string, number>;
  when?: When;
}

/** A write that has not happened yet; it knows its tenant, so rows of two tenants may stand in one transaction. */
export interface Change {
  readonly tenant: ID<"tenant">;
  readonly kind: string;
  readonly id: string;
  readonly act: "insert" | "update" | "remove" | "check";
  readonly row?: Record<string, unknown>;
  readonly edit?: Edit;
}

/** Rows of one tenant. The tenant is the beginning of every key, so no verb can forget the filter. */
export interface Table {
  readonly tenant: ID<"tenant">;
  /** Consistent unless `stale` is allowed. A row whose `ttl` (epoch seconds) has passed is not there. */
  get<T>(kind: Kind<T>, id: string, options?: { stale?: boolean }): Promise<T | undefined>;
  /** Several rows in one consistent call (at most 100), in the order asked. */
  getAll<const K extends readonly (readonly [Kind<unknown>, string])[]>(
    keys: K,
  ): Promise<{ [I in keyof K]: K[I] extends readonly [Kind<infer T>, string] ? T | undefined : never }>;
  /** Ids ascending (descending with `newest`); `prefix` keeps ids that begin so. */
  list<T>(kind: Kind<T>, page?: PageInput & { prefix?: string; newest?: boolean }): Promise<Page<T>>;
  /** A new row; refused when one with this id exists. `row` must carry no undefined. */
  insert<T extends object>(kind: Kind<T>, id: string, row: T): Change;
  /** An edit of a row that exists (refused otherwise). */
  update<T>(kind: Kind<T>, id: string, edit: Edit): Change;
  remove<T>(kind: Kind<T>, id: string, when?: When): Change;
  check<T>(kind: Kind<T>, id: string, when: When): Change;
  /** All of them or none, up to 100. @throws Refused when a condition does not hold. */
  write(...changes: Change[]): Promise<void>;
  /** One edit, and the row as it is afterwards. @throws Refused when a condition does not hold. */
  edit<T>(kind: Kind<T>, id: string, edit: Edit): Promise<T>;
}

/** A condition of a write did not hold, and nothing was written. */
export class Refused extends Error {
  /** Which of the changes, from 0. */
  readonly index: number;
  /** The row as it stood, unparsed, when there was one. */
  readonly found: Record<string, unknown> | undefined;

  constructor(index: number, found?: Record<string, unknown>) {
    super(`the condition of change ${index} did not hold`);
    this.name = "Refused";
    this.index = index;
    this.found = found;
  }
}

// Seal: secrets at rest.

/** What a sealed text is bound to; opened with another binding, it does not open. */
export interface Binding {
  tenant: ID<"tenant">;
  cluster: string;
  name: string;
}

export interface Seal {
  seal(plain: string, binding: Binding): Promise<string>;
  /** @throws Error when the text was altered, or sealed for another binding or key. */
  open(sealed: string, binding: Binding): Promise<string>;
}

// Kubernetes.

/** Where an API server is and who we are there. PEM texts. */
export interface Target {
  /** `https://address:port` */
  server: string;
  authority: string;
  /** The name in its certificate, when it is not the server's address. */
  serverName?: string;
  user: { certificate: string; key: string } | { token: string };
}

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** An object as an API server holds it. */
export type Found = Manifest & {
  metadata: { uid: string; resourceVersion: string; creationTimestamp: string; deletionTimestamp?: string };
};

export interface Ref {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
}

/** A set of objects of one kind; without `namespace`, of the whole cluster. */
export interface Query {
  apiVersion: string;
  kind: string;
  namespace?: string;
  labels?: Record<string, string>;
}

export interface Seen {
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: Found;
}

/** One API server. Every call ends within its timeout (10 s unless said) and throws `KubeFault` only. */
export interface Kube {
  /** Makes it as field manager `berth`; a KubeFault `conflict` when it exists. */
  create(manifest: Manifest): Promise<Found>;
  /**
   * Server-side apply as `berth`, forced, on the version we looked at: a KubeFault `conflict` when it moved on.
   * What is gone by now is made anew, unless the manifest's metadata also carries the `uid` we saw: then `conflict`.
   */
  apply(manifest: Manifest, resourceVersion: string): Promise<Found>;
  get(ref: Ref): Promise<Found | undefined>;
  /** Every object of the set (in pages), and the version from which a watch can go on. */
  list(query: Query): Promise<{ items: Found[]; resourceVersion: string }>;
  /** DELETE of exactly the object we saw, in the background. Gone already is fine. */
  remove(ref: Ref, seen: { uid: string; resourceVersion?: string }): Promise<void>;
  /** Changes after `resourceVersion`, until `signal` aborts or `seconds` pass; a KubeFault `expired` when too old. */
  watch(query: Query, options: { resourceVersion: string; seconds: number; signal: AbortSignal }): AsyncIterable<Seen>;
  /** True when /readyz says ok; false on any failure. `ms` bounds it. */
  ready(ms: number): Promise<boolean>;
  /** The version it says it runs, such as `v1.34.4`. */
  version(): Promise<string>;
  /** A ServiceAccount token by TokenRequest, bound to a Secret when one is named. */
  token(
    account: { name: string; namespace: string },
    options: { seconds: number; audiences?: string[]; secret?: { name: string; uid: string } },
  ): Promise<{ token: string; expiresAt: string }>;
}

/** How an API server's answer is to be met. `unavailable`: 5xx, no connection, or no answer in time. */
export type KubeFaultKind =
  | "unauthorized"
  | "forbidden"
  | "missing"
  | "conflict"
  | "expired"
  | "invalid"
  | "throttled"
  | "unavailable";

export class KubeFault extends Error {
  readonly kind: KubeFaultKind;
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    kind: KubeFaultKind,
    message: string,
    options: { status?: number; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "KubeFault";
    this.kind = kind;
    this.status = options.status ?? 0;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
