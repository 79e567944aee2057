import type { Change, Edit, Kind, Table, When } from "../context.ts";
import type { ID } from "../id.ts";
import { inner, keyOf, moment, ttlAttribute } from "./layout.ts";
import { placing, waits } from "./place.ts";

/** How many changes one write may hold (DynamoDB's bound). */
export const changesMax = 100;

/** The four makers of changes, bound to one tenant; they touch nothing. */
export function changesOf(tenant: ID<"tenant">): Pick<Table, "insert" | "update" | "remove" | "check"> {
  const of = <T>(kind: Kind<T>, id: string) => ({ tenant, kind: kind.name, id, form: kind.form ?? 1 });
  return {
    insert: <T extends object>(kind: Kind<T>, id: string, row: T): Change => ({
      ...of(kind, id),
      act: "insert",
      row: { ...row } as Record<string, unknown>,
    }),
    update: <T>(kind: Kind<T>, id: string, edit: Edit): Change => ({ ...of(kind, id), act: "update", edit }),
    remove: <T>(kind: Kind<T>, id: string, when?: When): Change => ({
      ...of(kind, id),
      act: "remove",
      ...(when && { edit: { when } }),
    }),
    check: <T>(kind: Kind<T>, id: string, when: When): Change => ({ ...of(kind, id), act: "check", edit: { when } }),
  };
}

/**
 * What no store may be asked for, found before anything is sent: more than 100 changes, two of one row, values that
 * are not JSON with names (undefined is refused, not stripped: a forgotten field must not vanish in silence), the table's own
 * attributes, an attribute changed twice, a `ttl` or what places a row in an index of the wrong form, a row that would
 * wait for two things.
 * @throws Error naming kind, id and attribute, never a value.
 */
export function proper(changes: readonly Change[]): void {
  if (changes.length > changesMax) throw new Error(`a write holds ${changesMax} changes at most`);
  const seen = new Set<string>();
  for (const change of changes) {
    const key = keyOf(change.tenant, change.kind, change.id);
    const place = `${change.kind} ${change.id}`;
    if (seen.has(`${key.pk}/${key.sk}`)) throw new Error(`${place} is changed twice in one write`);
    seen.add(`${key.pk}/${key.sk}`);
    if (change.row) fields(place, change.row);
    if (change.edit) edits(place, change.edit);
  }
}

function edits(place: string, edit: Edit): void {
  fields(place, edit.set ?? {});
  for (const [name, count] of Object.entries(edit.add ?? {})) {
    if (!Number.isSafeInteger(count)) throw new Error(`${place}: ${name} may only be added to in whole numbers`);
    if ((placing as readonly string[]).includes(name)) throw new Error(`${place}: ${name} is not a number`);
  }
  const names = [...Object.keys(edit.set ?? {}), ...(edit.remove ?? []), ...Object.keys(edit.add ?? {})];
  for (const name of [...names, ...Object.keys(edit.when ?? {})]) own(place, name);
  if (new Set(names).size < names.length) throw new Error(`${place}: an attribute is changed twice in one edit`);
}

function fields(place: string, row: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(row)) {
    own(place, name);
    if (!json(value)) throw new Error(`${place}: ${name} is not JSON`);
  }
  const { hostedOn, [ttlAttribute]: ttl } = row;
  const waiting = waits.filter((name) => row[name] !== undefined);
  if (waiting.length > 1) throw new Error(`${place}: waits for ${waiting.join(" and ")} at once`);
  for (const name of waiting) {
    const at = row[name];
    if (typeof at !== "string") throw new Error(`${place}: ${name} must be an ISO 8601 text`);
    moment(at);
  }
  if (hostedOn !== undefined && (typeof hostedOn !== "string" || hostedOn === "")) {
    throw new Error(`${place}: hostedOn must be the id of a host`);
  }
  // A time in milliseconds would keep the row for tens of thousands of years.
  if (ttl !== undefined && !(Number.isSafeInteger(ttl) && (ttl as number) < 1e11)) {
    throw new Error(`${place}: ttl must be whole epoch seconds`);
  }
}

function own(place: string, name: string): void {
  if (name === "" || (inner as readonly string[]).includes(name)) {
    throw new Error(`${place}: the attribute "${name}" belongs to the table`);
  }
}

/** DynamoDB has no attribute without a name, at any depth. */
function json(value: unknown): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(json);
  if (typeof value !== "object") return false;
  const base: unknown = Object.getPrototypeOf(value);
  if (base !== Object.prototype && base !== null) return false;
  return Object.entries(value).every(([name, part]) => name !== "" && json(part));
}
