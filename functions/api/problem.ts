import { HTTPException } from "hono/http-exception";
import * as z from "zod";
import { Fault, type FaultKind, type FieldFault, statuses } from "#core/error.ts";

const kinds = [...(Object.keys(statuses) as FaultKind[]), "internal"] as const;

/** RFC 9457, and what helps whoever meets it. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    kind: z.enum(kinds),
    requestID: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })),
  })
  .meta({
    id: "Problem",
    description: "What went wrong (RFC 9457). `errors` names every field that is wrong, by its dotted path.",
  });
export type Problem = z.output<typeof Problem>;

const titles: Record<Problem["kind"], string> = {
  invalid: "The request is not valid",
  unauthenticated: "Not authenticated",
  forbidden: "Not allowed",
  missing: "Not found",
  conflict: "In conflict with what is",
  stale: "Changed meanwhile",
  large: "Too large",
  media: "Media type not understood",
  reused: "Key used before",
  limit: "Over a limit",
  unavailable: "Not available now",
  internal: "Something went wrong here",
};

export const noSuchPage = (): Fault => new Fault("missing", "There is no such page.");
export const tooLarge = (): Fault => new Fault("large", "The body may have 64 kB at most.");

/** Every issue at once; a field that is not known is named itself, not its parent. */
export function faultOf(error: z.core.$ZodError): Fault {
  const errors = error.issues.flatMap((issue): FieldFault[] => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({ field: [...issue.path, key].join("."), message: "is not a known field" }));
    }
    return [{ field: issue.path.join("."), message: issue.message }];
  });
  const count = errors.length === 1 ? "One field is" : `${errors.length} fields are`;
  return new Fault("invalid", `${count} wrong.`, { errors });
}

/** What a caller may know of an error: all of a fault, and of anything else nothing. */
export function problemOf(error: unknown, requestID: string): Problem {
  const fault = translated(error);
  if (!(fault instanceof Fault)) {
    const detail = "Something went wrong on our side; the request id helps us to find it.";
    return shape("internal", 500, detail, requestID, []);
  }
  return shape(fault.kind, statuses[fault.kind], fault.message, requestID, fault.errors);
}

function shape(
  kind: Problem["kind"],
  status: number,
  detail: string,
  requestID: string,
  errors: FieldFault[],
): Problem {
  return { type: `urn:berth:problem:${kind}`, title: titles[kind], status, detail, kind, requestID, errors };
}

/** The framework's own refusals, all of them about what was sent. */
function translated(error: unknown): unknown {
  if (!(error instanceof HTTPException)) return error;
  if (error.status === 415) return new Fault("media", "The body must be application/json.");
  if (error.status === 413) return tooLarge();
  if (error.status === 400) {
    const errors = [{ field: "body", message: "must be JSON" }];
    return new Fault("invalid", "The body is not valid JSON.", { errors });
  }
  return error;
}
