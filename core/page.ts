import { Fault } from "./error.ts";

/** One page of a list; `next` is the cursor of the following page, null at the end. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

/** What may be asked of a list. A cursor holds only a position inside the tenant, so a forged one can't leave it. */
export interface PageInput {
  /** 1 to 100, 50 when left out. */
  limit?: number | undefined;
  after?: string | undefined;
}

export const limitDefault = 50;
export const limitMax = 100;

/** A list from its first page to its last, page by page: each is read when the one before it has been used. */
export async function* pages<T>(read: (page: PageInput) => Promise<Page<T>>): AsyncGenerator<T[], void> {
  let after: string | undefined;
  do {
    const page = await read({ limit: limitMax, after });
    yield page.items;
    after = page.next ?? undefined;
  } while (after !== undefined);
}

/** All that a list holds, in its order; for lists that are known to be short. */
export async function collect<T>(read: (page: PageInput) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for await (const some of pages(read)) items.push(...some);
  return items;
}

export const encodeCursor = (position: string): string => Buffer.from(position).toString("base64url");

/** @throws Fault `invalid` when the text never was a cursor of ours. */
export function decodeCursor(cursor: string): string {
  const position = Buffer.from(cursor, "base64url").toString();
  if (position === "" || encodeCursor(position) !== cursor) {
    throw new Fault("invalid", "The cursor is not one that a list returned.", {
      errors: [{ field: "after", message: "must be the `next` of an earlier page" }],
    });
  }
  return position;
}

/** How many rows one request may look at, however few of them it wants. */
const looksMax = 1_000;

/**
 * One page of the rows that are wanted, of a list that can't tell them apart by itself. It looks at 1,000 rows at most,
 * so a page may hold fewer than were asked for, or none, and still have a `next`: whoever follows it finds them all.
 * @param read one page of the whole list, from its cursor on, in an order that does not change.
 */
export async function sift<T>(
  read: (page: PageInput) => Promise<Page<T>>,
  keep: (row: T) => boolean,
  { limit = limitDefault, after: begin }: PageInput = {},
): Promise<Page<T>> {
  const items: T[] = [];
  let looked = 0;
  let after = begin;
  for (let size = Math.min(limitMax, looksMax); ; ) {
    const page = await read({ limit: size, after });
    const kept = page.items.filter(keep);
    const last = kept[limit - items.length - 1];
    if (kept.length > limit - items.length && last !== undefined) {
      // A cursor stands only at the end of what was read, so it is read again up to the last that there is room for.
      size = page.items.indexOf(last) + 1;
      continue;
    }
    items.push(...kept);
    looked += page.items.length;
    if (page.next === null || items.length >= limit || looked >= looksMax) return { items, next: page.next };
    after = page.next;
    size = Math.min(limitMax, looksMax - looked);
  }
}
