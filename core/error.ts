/** The closed list of what can go wrong for a caller, with the HTTP status of each. */
export const statuses = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  missing: 404,
  conflict: 409,
  stale: 412,
  large: 413,
  media: 415,
  reused: 422,
  limit: 429,
  unavailable: 503,
} as const;

export type FaultKind = keyof typeof statuses;

/** One thing that is wrong with one field; `field` is a path such as `podCIDRs.0`. */
export interface FieldFault {
  field: string;
  message: string;
}

/** An outcome the caller can understand and act on. Anything else that is thrown is a bug: a 500 and an alarm. */
export class Fault extends Error {
  readonly kind: FaultKind;
  readonly errors: FieldFault[];
  readonly retryAfterSeconds: number | undefined;
  /** The generation that is there, when another one was meant: the answer's ETag. */
  readonly generation: number | undefined;

  /** @param options.errors every field that is wrong, all at once. */
  constructor(
    kind: FaultKind,
    message: string,
    options: { errors?: FieldFault[]; retryAfterSeconds?: number; generation?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Fault";
    this.kind = kind;
    this.errors = options.errors ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.generation = options.generation;
  }
}

/** What is not there and what the caller may not see are one answer, to the letter. */
export const missing = (noun: string): Fault => new Fault("missing", `There is no such ${noun}.`);

/**
 * The first line of a change that was asked for on one generation.
 * @param meant left out, any.
 * @throws Fault `stale`, with the generation that is there, when another one was meant.
 */
export function unmoved(noun: string, generation: number, meant: number | undefined): void {
  if (meant === undefined || meant === generation) return;
  const message = `The ${noun} was changed meanwhile; it is at generation ${generation} now.`;
  throw new Fault("stale", message, { generation });
}
