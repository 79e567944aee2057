/** How the command ends. `--help` documents these numbers, so scripts may rely on them. */
export const exits = { ok: 0, fault: 1, usage: 2, unauthenticated: 3, missing: 4, conflict: 5, timeout: 6 } as const;
export type Exit = keyof typeof exits;

/** One thing that is wrong with one field of what was sent. */
export interface FieldLine {
  field: string;
  message: string;
}

/** An end that the caller can understand. Anything else that is thrown is a bug of ours. */
export class Stop extends Error {
  readonly exit: Exit;
  readonly fields: readonly FieldLine[];

  constructor(exit: Exit, message: string, options: { fields?: readonly FieldLine[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Stop";
    this.exit = exit;
    this.fields = options.fields ?? [];
  }
}

const byStatus: Record<number, Exit> = {
  401: "unauthenticated",
  404: "missing",
  408: "timeout",
  409: "conflict",
  412: "conflict",
  422: "conflict",
  503: "timeout",
  504: "timeout",
};

/** The end that an HTTP status stands for. */
export const exitOf = (status: number): Exit => byStatus[status] ?? "fault";
