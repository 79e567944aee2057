import type * as z from "zod";
import { Fault } from "./error.ts";
import type { ID } from "./id.ts";
import type { Kube, Target } from "./kubernetes.ts";
import type { Page, PageInput } from "./page.ts";
import type { Role } from "./role.ts";

// One door to all ports: what a verb needs to know comes from here.
export * from "./kubernetes.ts";

/** Who is asking. `scopes` narrows the role (null: all of it); they are the `noun:verb` strings that `allow` takes. */
export interface Actor {
  tenant: ID<"tenant">;
  member: ID<"member"> | "system";
  role: Role;
  scopes: readonly string[] | null;
  /** The clusters and projects that its token is bound to; left out, it is not bound. */
  within?: { clusters?: readonly ID<"cluster">[]; projects?: readonly ID<"project">[] };
  token: ID<"token"> | null;
  /** Requests per second that its tenant may make; left out where none are counted. */
  rate?: number;
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
  /** Aborts when the process is told to end: who holds a lease lets go as soon as it can. */
  readonly ending?: AbortSignal;
  /** Told when a step of a row's life is done for the first time, and how long it took; for figures. */
  took?(step: string, seconds: number): void;
}

/** What spans tenants: clocks, hosts, staff. */
export interface Home {
  /** The tenant of the platform's own staff, which also owns the hosts. */
  readonly tenant: ID<"tenant">;
  /** Where home is reached, `https://…` without a slash at the end: the root of every cluster's issuer. */
  readonly url: string;
  /** Where people reach it, in the same form; left out, at `url`. */
  readonly site?: string;
  /** Hosts and CIDRs that are not public, and at which identity providers may nevertheless be; none when left out. */
  readonly privateIssuers?: readonly string[];
  table(tenant: ID<"tenant">): Table;
  /** Rows of any tenant whose `lookAt` is not after `before`, oldest first, of one shard of the due index. */
  due(shard: number, before: string, page?: PageInput): Promise<Page<Place>>;
  /** Rows of any tenant that failed too often and wait for a person, the longest first. */
  parked(page?: PageInput): Promise<Page<Place>>;
  /** Audit entries of any tenant that no digest holds yet, oldest first, of one shard; a tenant's are all in one. */
  unsealed(shard: number, before: string, page?: PageInput): Promise<Page<Place>>;
  /** The clusters whose control planes a host carries, with the digest of what was last seen of each there. */
  carried(host: ID<"host">, page?: PageInput): Promise<Page<Place & { sight?: string }>>;
  poke(tenant: ID<"tenant">, id: ID): Promise<void>;
  /** Messages that nobody could work on, up to `limit` (10 at most is told at once by the queue, so it asks again). */
  letters(limit: number): Promise<Letter[]>;
  /** Sends up to `limit` dead letters back to the queue. @returns how many were. */
  redrive(limit: number): Promise<number>;
}

/** Where a row is, in an answer that spans tenants. */
export interface Place {
  tenant: ID<"tenant">;
  id: ID;
}

/** A message that nobody could work on. Its body is told only as far as it is one of ours. */
export interface Letter {
  id: string;
  /** When it was first sent, ISO 8601 UTC. */
  sentAt: string;
  /** Why it was put away; `failed too often` when the queue did. */
  reason: string;
  /** What it names, when it can be read. */
  poke: Place | undefined;
}

// The table: rows of one tenant.

/** A kind of row: its name is part of the key, its schema is parsed at every read. */
export interface Kind<T> {
  name: string;
  schema: z.ZodType<T>;
  /**
   * The newest form of such rows that this release knows; 1 when left out. A row of a higher one was written by a newer
   * release: reading it throws `Newer`, and no write of ours lands on it.
   */
  form?: number;
}

/** A row that a newer release of Berth wrote: it is left as it is. */
export class Newer extends Fault {
  constructor(kind: string, id: string) {
    super("unavailable", `The ${kind} ${id} was written by a newer release of Berth, and is left as it is.`, {
      retryAfterSeconds: 60,
    });
    this.name = "Newer";
  }
}

export type Scalar = string | number | boolean;
/** What an attribute must be for a write to happen; all must hold. */
export type When = Record<string, Scalar | { absent: true } | { present: true } | { below: number } | { not: Scalar }>;

export interface Edit {
  /**
   * Top-level attributes; a whole attribute is replaced. Some of them place the row in a sparse index: `lookAt` (ISO)
   * in the due rows, `parkedAt` (ISO) in the parked, `unsealed` (ISO) in the entries to be sealed, `hostedOn` (a
   * host's id) in what that host carries. A row has one of the first three at most: setting one takes the others away,
   * and an edit that removes one and leaves another is refused.
   */
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
  /** The kind's `form`. */
  readonly form?: number;
  readonly row?: Record<string, unknown>;
  readonly edit?: Edit;
}

/** Which ids of a kind are listed, and in which order. */
export interface Range {
  prefix?: string;
  from?: string;
  to?: string;
  newest?: boolean;
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
  /**
   * Ids ascending (descending with `newest`). `prefix` keeps ids that begin so; `from` and `to` (both included) keep a
   * range, and can't be said together with `prefix`.
   */
  list<T>(kind: Kind<T>, page?: PageInput & Range): Promise<Page<T>>;
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
