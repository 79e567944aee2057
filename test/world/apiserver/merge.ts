/** A JSON value of an object's field. */
export type Fields = Record<string, unknown>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * What a server-side apply makes of `live`: `wanted` laid over it, without what `before` (the last apply by the same
 * manager) set and `wanted` no longer does. Members of a list are matched by port and protocol, or by name.
 */
export function applied(live: unknown, before: unknown, wanted: unknown): unknown {
  if (isFields(wanted)) return overFields(isFields(live) ? live : {}, isFields(before) ? before : {}, wanted);
  if (Array.isArray(wanted)) return overList(list(live), list(before), wanted);
  return wanted;
}

function overFields(live: Fields, before: Fields, wanted: Fields): Fields {
  const merged: Fields = {};
  for (const [name, value] of Object.entries(live)) {
    const dropped = Object.hasOwn(before, name) && wanted[name] === undefined;
    if (dropped && isFields(value) && isFields(before[name])) {
      // Only what was ours goes; what others put into it stays.
      const rest = overFields(value, before[name], {});
      if (Object.keys(rest).length > 0) merged[name] = rest;
    } else if (!dropped) merged[name] = value;
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined) merged[name] = applied(live[name], before[name], value);
  }
  return merged;
}

function overList(live: unknown[], before: unknown[], wanted: unknown[]): unknown[] {
  return wanted.map((member) => {
    const key = keyOf(member);
    const same = (other: unknown): boolean => key !== undefined && keyOf(other) === key;
    return applied(live.find(same), before.find(same), member);
  });
}

function keyOf(member: unknown): string | undefined {
  if (!isFields(member)) return undefined;
  if (typeof member["port"] === "number") return `${member["port"]}/${String(member["protocol"] ?? "TCP")}`;
  return typeof member["name"] === "string" ? member["name"] : undefined;
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
