import type { Kind } from "../context.ts";
import { Fault } from "../error.ts";
import { decodeCursor, limitDefault, limitMax, type PageInput } from "../page.ts";
import { idBytesMax, inner } from "./layout.ts";

/** A row without what the table keeps for itself. */
export function outer(item: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).filter(([name]) => !(inner as readonly string[]).includes(name)));
}

/**
 * A stored row as its kind.
 * @throws Error when it does not parse: our bug, so it names kind, id and attributes, and no value.
 */
export function parseRow<T>(kind: Kind<T>, id: string, item: Record<string, unknown>): T {
  const parsed = kind.schema.safeParse(outer(item));
  if (parsed.success) return parsed.data;
  // Only the first part of a path: deeper parts may be keys that a tenant chose.
  const names = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0] ?? "the row")))];
  throw new Error(`the row ${kind.name} ${id} does not parse: ${names.join(", ")}`);
}

/** What a list was asked for, checked. */
export interface Range {
  limit: number;
  after: string | undefined;
  prefix: string;
}

/** @throws Fault `invalid` for a limit out of bounds or a cursor that can't be of this list. */
export function rangeOf(page: PageInput & { prefix?: string } = {}): Range {
  const limit = page.limit ?? limitDefault;
  if (!Number.isInteger(limit) || limit < 1 || limit > limitMax) {
    throw new Fault("invalid", "The limit is out of bounds.", {
      errors: [{ field: "limit", message: `must be 1 to ${limitMax}` }],
    });
  }
  const prefix = page.prefix ?? "";
  const after = page.after === undefined ? undefined : decodeCursor(page.after);
  // A start outside of the asked range is an error of DynamoDB's, which would become a 500.
  if (after !== undefined && (!after.startsWith(prefix) || Buffer.byteLength(after) > idBytesMax)) {
    throw new Fault("invalid", "The cursor is not of this list.", {
      errors: [{ field: "after", message: "must be the `next` of an earlier page" }],
    });
  }
  return { limit, after, prefix };
}
