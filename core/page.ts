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
