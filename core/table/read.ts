import { type Kind, Newer, type Range } from "../context.ts";
import { Fault } from "../error.ts";
import { decodeCursor, limitDefault, limitMax, type PageInput } from "../page.ts";
import { idBytesMax, inner } from "./layout.ts";

/** A row without what the table keeps for itself. */
export function outer(item: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).filter(([name]) => !(inner as readonly string[]).includes(name)));
}

/** Whether a newer release than this one wrote the row. */
export const newer = (item: Record<string, unknown>, form = 1): boolean =>
  typeof item["form"] === "number" && item["form"] > form;

/**
 * A stored row as its kind.
 * @throws Newer when it is of a higher form than the kind's.
 * @throws Error when it does not parse: our bug, so it names kind, id and attributes, and no value.
 */
export function parseRow<T>(kind: Kind<T>, id: string, item: Record<string, unknown>): T {
  if (newer(item, kind.form)) throw new Newer(kind.name, id);
  const parsed = kind.schema.safeParse(outer(item));
  if (parsed.success) return parsed.data;
  // Only the first part of a path: deeper parts may be keys that a tenant chose.
  const names = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0] ?? "the row")))];
  throw new Error(`the row ${kind.name} ${id} does not parse: ${names.join(", ")}`);
}

/** DynamoDB sorts by UTF-8 bytes, which is not how JavaScript compares texts. */
export const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What a list was asked for, checked. */
export interface Asked {
  limit: number;
  after: string | undefined;
  prefix: string;
  from: string | undefined;
  to: string | undefined;
}

/**
 * @throws Fault `invalid` for a limit out of bounds or a cursor that can't be of this list.
 * @throws Error for a range that no list has: our bug.
 */
export function rangeOf(page: PageInput & Range = {}): Asked {
  const limit = page.limit ?? limitDefault;
  if (!Number.isInteger(limit) || limit < 1 || limit > limitMax) {
    throw new Fault("invalid", "The limit is out of bounds.", {
      errors: [{ field: "limit", message: `must be 1 to ${limitMax}` }],
    });
  }
  const { prefix = "", from, to } = page;
  if (prefix !== "" && (from ?? to) !== undefined) throw new Error("a list has a prefix or a range, not both");
  for (const end of [from, to]) {
    if (end === "" || Buffer.byteLength(end ?? "") > idBytesMax) throw new Error("an end of a range is no id");
  }
  const after = page.after === undefined ? undefined : decodeCursor(page.after);
  // A start outside of the asked range is an error of DynamoDB's, which would become a 500.
  if (after !== undefined && !(after.startsWith(prefix) && within(after, from, to))) {
    throw new Fault("invalid", "The cursor is not of this list.", {
      errors: [{ field: "after", message: "must be the `next` of an earlier page" }],
    });
  }
  return { limit, after, prefix, from, to };
}

const within = (id: string, from = id, to = id): boolean =>
  Buffer.byteLength(id) <= idBytesMax && bytewise(from, id) <= 0 && bytewise(id, to) <= 0;
