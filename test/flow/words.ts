// Requests that are almost right: made after a schema, and then spoilt. The same seed says the same again.

/** The part of JSON Schema that the API's description uses. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  minimum?: number;
  maximum?: number;
  minItems?: number;
}

const megabyte = "x".repeat(1_048_576);
const texts = [
  "",
  " ",
  "one",
  "a".repeat(40),
  "a".repeat(63),
  "a".repeat(64),
  "a".repeat(253),
  `${"a.".repeat(126)}a`,
  "A",
  "-a",
  "é",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\u202eabc",
  "😀".repeat(20),
  "İ",
  "ß",
  "null",
  "__proto__",
  "constructor",
  "toString",
  "../../etc/passwd",
  "<script>",
  "'; drop table",
  "${7*7}",
  "%s%n",
  "\r\nSet-Cookie: a=b",
  "10.0.0.0/8",
  "10.112.0.0/16",
  "0.0.0.0/0",
  "::/0",
  "10.0.0.0/33",
  "010.0.0.0/8",
  "::ffff:10.0.0.0/104",
  "1.34",
  "1.34.4",
  "1.99",
  "99999999999999999999.1",
  "2026-01-05T08:00:00Z",
  "2026-13-45T99:00:00Z",
  "9999-12-31T23:59:59.999Z",
  "a=b",
  "=",
  "http://169.254.169.254/",
  "cls_01k00000000000000000000001",
];
const numbers = [0, -0, -1, 1, 0.5, 63, 100, 101, 253, 65_535, 65_536, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, 1e-308];
const ids = [
  "x",
  ".",
  "..",
  "%",
  "a/b",
  "\u0000",
  "é😀",
  "__proto__",
  "constructor",
  "a".repeat(2_000),
  "cls_01K00000000000000000000001",
  "cls_81k00000000000000000000001",
  "tnt_01k00000000000000000000001",
  "mbr_01k00000000000000000000001",
  "hst_01k00000000000000000000001",
  "cls_01k00000000000000000000001\n",
];

export function newWords(seed: number, schemas: Record<string, Schema>) {
  let state = seed >>> 0;
  /** Mulberry32: 0 up to 1. */
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const chance = (part: number): boolean => next() < part;
  const below = (count: number): number => Math.floor(next() * count);
  const pick = <T>(of: readonly T[]): T => of[below(of.length)] as T;

  const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  const odd = (): unknown =>
    pick([
      () => null,
      () => chance(0.5),
      () => pick(numbers),
      () => pick(texts),
      () => [],
      () => ({}),
      () => Array.from({ length: pick([1, 3, 65, 2_000]) }, () => pick(texts)),
      () => JSON.parse(`{"__proto__": {"admin": true}, "constructor": ${JSON.stringify(pick(texts))}}`) as unknown,
      () => JSON.parse(deep(pick([2, 50, 1_000]))) as unknown,
    ])();

  function good(schema: Schema, depth = 0): unknown {
    if (schema.$ref !== undefined) return good(schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {}, depth);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum !== undefined) return pick(schema.enum);
    const some = schema.anyOf ?? schema.oneOf ?? schema.allOf;
    if (some !== undefined && some.length > 0) return good(pick(some), depth);
    const type = Array.isArray(schema.type) ? pick(schema.type) : schema.type;
    if (depth > 6) return null;
    switch (type) {
      case "object": {
        const known = Object.entries(schema.properties ?? {}).filter(() => chance(0.7));
        return Object.fromEntries(known.map(([name, each]) => [name, good(each, depth + 1)]));
      }
      case "array":
        return Array.from({ length: (schema.minItems ?? 0) + below(3) }, () => good(schema.items ?? {}, depth + 1));
      case "integer":
      case "number":
        return pick([schema.minimum ?? 0, schema.maximum ?? 100, 1, ...numbers]);
      case "boolean":
        return chance(0.5);
      case "null":
        return null;
      default:
        return pick(texts);
    }
  }

  /** One place of it, somewhere, becomes something else. */
  function spoilt(value: unknown): unknown {
    if (typeof value !== "object" || value === null || chance(0.25)) return odd();
    if (Array.isArray(value)) {
      const list = [...(value as unknown[])];
      list[below(list.length + 1)] = spoilt(list[0]);
      return list;
    }
    const entries = Object.entries(value);
    if (chance(0.2)) return Object.fromEntries([...entries, [pick(texts), odd()]]);
    const at = below(entries.length);
    return Object.fromEntries(
      entries.flatMap(([name, each], i) => (i !== at ? [[name, each]] : chance(0.2) ? [] : [[name, spoilt(each)]])),
    );
  }

  return {
    pick,
    chance,
    id: (): string => pick(ids),
    token: (): string | undefined => pick([undefined, "berth_x", "x".repeat(4_000), "berth__proto__"]),
    /** The text of a body. */
    body(schema: Schema): string {
      if (chance(0.004)) return JSON.stringify({ name: megabyte });
      if (chance(0.03))
        return pick(["", "{", "nul", '"', "\ufeff{}", deep(5_000), '{"a":1e999}', '{"name":"a","name":"b"}']);
      const value = good(schema);
      return JSON.stringify(chance(0.85) ? spoilt(value) : value) ?? "null";
    },
    search(known: { name: string; schema: Schema }[]): string {
      const asked = known
        .filter(() => chance(0.4))
        .map(({ name, schema }): [string, unknown] => [name, chance(0.5) ? good(schema) : odd()]);
      if (chance(0.1)) asked.push([pick(texts), odd()]);
      if (asked.length > 0 && chance(0.1)) asked.push(pick(asked));
      const plain = asked.map(([name, value]) => {
        const text = String(typeof value === "object" ? JSON.stringify(value) : value).slice(0, 4_000);
        return `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(text.toWellFormed())}`;
      });
      if (chance(0.01)) plain.push(pick(["%", "a=%ff", "=", "&&&", "limit[]=1"]));
      return plain.length === 0 ? "" : `?${plain.join("&")}`;
    },
    headers(): Record<string, string> {
      const all: Record<string, string> = {};
      if (chance(0.1))
        all["If-Match"] = pick(['"1"', "*", "W/", '"', ",,,", `"${"9".repeat(400)}"`, "x".repeat(2_000)]);
      if (chance(0.1))
        all["Idempotency-Key"] = pick(["k", "", "é", "x".repeat(300), "../x", "a/b"]) + String(below(50));
      if (chance(0.05))
        all["Content-Type"] = pick(["text/plain", "application/json;charset=utf-16", "application/x", ""]);
      if (chance(0.05)) all["Accept"] = pick(["text/html", "*/*;q=0", "x"]);
      if (chance(0.05)) all["X-Forwarded-For"] = "127.0.0.1";
      if (chance(0.02)) all["X-HTTP-Method-Override"] = "DELETE";
      return all;
    },
  };
}
