import { KubeFault, type KubeFaultKind } from "../context.ts";

/** An answer that is no success. */
export interface Refusal {
  status: number;
  /** The `Retry-After` header, in seconds. */
  retryAfter: string | undefined;
  text: string;
}

/** What Kubernetes says of a failure; only the fields that we use. */
interface Status {
  code?: number;
  reason?: string;
  message?: string;
  details?: { name?: string; retryAfterSeconds?: number; causes?: { field?: string; reason?: string }[] };
}

const kinds: Record<number, KubeFaultKind> = {
  401: "unauthorized",
  403: "forbidden",
  404: "missing",
  408: "unavailable",
  409: "conflict",
  410: "expired",
  429: "throttled",
};
const messageMax = 300;

/** The `Status` in an answer; empty when there is none, as proxies in between answer what they like. */
function statusIn(text: string): Status {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "kind" in value && value.kind === "Status"
      ? (value as Status)
      : {};
  } catch {
    return {};
  }
}

/**
 * The fault that an answer means.
 * A server's message may quote the values that it refuses. So it is kept only where it speaks of names and users
 * (not for 400, 401, 413 or 422, of which only the fields' paths are told), and never in calls about secrets.
 * @param what the call in words, such as `get Service cls-1/etcd`.
 */
export function faultOf(what: string, refusal: Refusal, secret: boolean): KubeFault {
  const { status } = refusal;
  const { reason, message, details } = statusIn(refusal.text);
  // Without an object's name it is not an object that is missing: the server does not serve that kind (yet), or
  // somebody in between answered. Taken for "gone", it would let a removal pass that never happened.
  const stray = status === 404 && details?.name === undefined;
  // An apply with a field that the schema does not know is answered by 500, though it can never succeed.
  const untyped = status === 500 && message?.startsWith("failed to create typed patch object") === true;
  const fields = (details?.causes ?? []).map((cause) => [cause.field, cause.reason].filter(Boolean).join(" "));
  const telling = [403, 404, 409, 410, 429].includes(status) || (status >= 500 && !untyped);
  const said = secret ? undefined : telling ? message?.slice(0, messageMax) : fields.slice(0, 8).join(", ");
  const retryAfterSeconds = seconds(refusal.retryAfter) ?? details?.retryAfterSeconds;
  return new KubeFault(
    stray ? "unavailable" : untyped ? "invalid" : kindOf(status),
    [`${what}: ${status}`, reason, said].filter(Boolean).join(" "),
    {
      status,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    },
  );
}

/** The fault of a call that got no answer. Of the cause only its code is told, as messages may quote what was sent. */
export function silenceOf(what: string, cause: unknown, timedOut: boolean): KubeFault {
  if (cause instanceof KubeFault) return cause;
  const code = timedOut ? "no answer in time" : codeOf(cause);
  return new KubeFault("unavailable", `${what}: ${code}`, { cause });
}

function kindOf(status: number): KubeFaultKind {
  const kind = kinds[status];
  if (kind !== undefined) return kind;
  return status >= 400 && status < 500 ? "invalid" : "unavailable";
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "failed";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

function seconds(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : undefined;
}
