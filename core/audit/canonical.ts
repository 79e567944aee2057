import { createHash } from "node:crypto";

/** A value as JSON in one way only: names sorted, no space, what is undefined left out (as RFC 8785, for our values). */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, part]) => part !== undefined);
  const sorted = fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([name, part]) => `${JSON.stringify(name)}:${canonical(part)}`).join(",")}}`;
}

/** Hexadecimal, of the canonical form. */
export const hashOf = (value: unknown): string => createHash("sha256").update(canonical(value)).digest("hex");
