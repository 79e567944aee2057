import { encodeTime } from "ulid";
import type { Range } from "../context.ts";
import { Fault } from "../error.ts";
import { prefixes } from "../id.ts";
import type { Period } from "./schema.ts";

/** The latest moment that an id can say. */
const latest = 2 ** 48 - 1;

/**
 * The ids of all entries of a period. An entry's id begins with its time, so what is out of it is not even read.
 * @throws Fault `invalid` when it ends before it begins.
 */
export function rangeOf({ from, to }: Period): Pick<Range, "from" | "to"> {
  if (from === undefined && to === undefined) return {};
  const [first, last] = [moment(from) ?? 0, moment(to) ?? latest];
  if (first > last) {
    throw new Fault("invalid", "The period ends before it begins.", {
      errors: [{ field: "to", message: "must not be before `from`" }],
    });
  }
  return { from: idAt(first, "0"), to: idAt(last, "z") };
}

const moment = (iso: string | undefined): number | undefined =>
  iso === undefined ? undefined : Math.max(0, Date.parse(iso));
const idAt = (time: number, rest: string): string =>
  `${prefixes.audit}_${encodeTime(Math.min(time, latest)).toLowerCase()}${rest.repeat(16)}`;
