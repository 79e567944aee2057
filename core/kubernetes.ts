// The port to Kubernetes: what one API server can be asked, in terms of this house.

/** On all that Berth makes in any Kubernetes, and how it is found again. */
export const ours = { "app.kubernetes.io/managed-by": "berth" } as const;

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
  /** Ask for metadata alone: what is found then has no spec, no data and no status. */
  metadata?: true;
}

export interface Seen {
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: Found;
}

/** A question to a server about rights: a SelfSubjectAccessReview, SelfSubjectRulesReview or SubjectAccessReview. */
export interface Review {
  apiVersion: string;
  kind: string;
  [field: string]: unknown;
}

/** One request as it is handed on. Whoever hands it on has checked all of it. */
export interface Asked {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query. */
  path: string;
  /** In lower case. What says who asks (authorization, impersonation, a proxy's users) is never sent. */
  headers: Readonly<Record<string, string>>;
  body?: Uint8Array;
  /** Ends the request and, later, its answer. */
  signal: AbortSignal;
}

/** A server's answer, whatever its status. Its body is to be read to the end, or its request aborted. */
export interface Passed {
  status: number;
  /** In lower case; of one that came several times, all of them. */
  headers: Readonly<Record<string, string>>;
  body: AsyncIterable<Uint8Array>;
}

/** One API server. Every call ends within its timeout (10 s unless said) and throws `KubeFault` only. */
export interface Kube {
  /** Makes it as field manager `berth`; a KubeFault `conflict` when it exists. With `dryRun` it is only tried. */
  create(manifest: Manifest, options?: { dryRun?: true }): Promise<Found>;
  /**
   * Server-side apply as `berth`, forced, on the version we looked at: a KubeFault `conflict` when it moved on.
   * What is gone by now is made anew, unless the manifest's metadata also carries the `uid` we saw: then `conflict`.
   */
  apply(manifest: Manifest, resourceVersion: string): Promise<Found>;
  /** Sets annotations of exactly the object and version we saw, and nothing else: a KubeFault `conflict` when it moved on. */
  annotate(
    ref: Ref,
    seen: { uid: string; resourceVersion: string },
    annotations: Record<string, string>,
  ): Promise<Found>;
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
  /** The log of one container of a Pod, the newest lines, each with its time; at most `bytes` of it. */
  logs(
    pod: { name: string; namespace: string; container: string },
    options: { lines: number; bytes: number; since?: string; previous?: boolean },
  ): Promise<string>;
  /** A ServiceAccount token by TokenRequest, bound to a Secret when one is named. */
  token(
    account: { name: string; namespace: string },
    options: { seconds: number; audiences?: string[]; secret?: { name: string; uid: string } },
  ): Promise<{ token: string; expiresAt: string }>;
  /** Asks about the rights of who asks, or of a user that it names; the answer is in `status`. */
  review(review: Review): Promise<Review>;
  /**
   * One raw request as this client's user, and its raw answer: an answer of any status is one. It has no time of its
   * own; `signal` bounds it. A KubeFault `unavailable` when there is no answer, and from the body when it breaks off.
   */
  pass(asked: Asked): Promise<Passed>;
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
