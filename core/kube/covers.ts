/**
 * Whether every field that `wanted` sets is equal in `found`: what an API server added by itself is not drift.
 * Objects are compared by the fields of `wanted`, arrays element by element at the same length. `undefined` and `null`
 * set nothing; an empty object or array is equal to none at all, as servers drop such fields.
 *
 * Servers rewrite some values: a quantity comes back in its shortest form (`1000m` as `1`), `stringData` as `data`,
 * and a field set to 0, false or "" may be left out. Manifests must be written the way they come back; only the fields
 * in `droppedWhenFalse` may be asked to be false, and are so when they are not there.
 */
export function covers(found: unknown, wanted: unknown): boolean {
  if (wanted === undefined || wanted === null) return true;
  if (Array.isArray(wanted)) {
    if (found === undefined || found === null) return wanted.length === 0;
    if (!Array.isArray(found) || found.length !== wanted.length) return false;
    return wanted.every((item, index) => covers(found[index], item));
  }
  if (typeof wanted !== "object") return found === wanted;
  const fields = Object.entries(wanted).filter(([, value]) => value !== undefined && value !== null);
  if (found === undefined || found === null) return fields.length === 0;
  if (typeof found !== "object" || Array.isArray(found)) return false;
  return fields.every(([name, value]) => {
    if (!Object.hasOwn(found, name)) return (value === false && droppedWhenFalse.has(name)) || covers(undefined, value);
    return covers((found as Fields)[name], value);
  });
}

type Fields = Record<string, unknown>;

/** Not the ones whose absence means true, such as `automountServiceAccountToken`. */
const droppedWhenFalse = new Set(["publishNotReadyAddresses"]);
