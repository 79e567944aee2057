import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { covers } from "#core/kube/index.ts";

const json = fc.jsonValue({ maxDepth: 4 });
const fields = fc.dictionary(fc.string(), json, { maxKeys: 5 });

describe("covers", () => {
  test("false is met by absence only where servers drop it, and absence does not mean true", () => {
    expect(covers({ spec: {} }, { spec: { publishNotReadyAddresses: false } })).toBe(true);
    expect(covers({ spec: { publishNotReadyAddresses: true } }, { spec: { publishNotReadyAddresses: false } })).toBe(
      false,
    );
    expect(covers({ spec: {} }, { spec: { automountServiceAccountToken: false } })).toBe(false);
  });

  test("every value covers itself", () => {
    fc.assert(fc.property(json, (value) => covers(structuredClone(value), value)));
  });

  test("what a server adds to objects, at any depth, is no difference", () => {
    const added = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(added);
      if (typeof value !== "object" || value === null) return value;
      return { ...Object.fromEntries(Object.entries(value).map(([key, item]) => [key, added(item)])), " more": 1 };
    };
    fc.assert(fc.property(json, (value) => covers(added(value), value)));
  });

  test("an object covers any part of it", () => {
    fc.assert(
      fc.property(fields, fc.func(fc.boolean()), (object, keep) => {
        const part = Object.fromEntries(Object.entries(object).filter(([key]) => keep(key)));
        return covers(object, part);
      }),
    );
  });

  test("one field that is another makes a difference, however deep it stands", () => {
    const path = fc.array(fc.oneof(fc.string(), fc.nat({ max: 2 })), { maxLength: 5 });
    const nested = (steps: (string | number)[], leaf: unknown): unknown =>
      steps.reduceRight<unknown>((inner, step) => {
        if (typeof step === "number") return [...Array.from({ length: step }, () => 0), inner];
        return Object.fromEntries([[step, inner]]);
      }, leaf);
    fc.assert(fc.property(path, (steps) => !covers(nested(steps, "found"), nested(steps, "wanted"))));
    fc.assert(fc.property(path, (steps) => !covers(undefined, nested(steps, "wanted"))));
  });

  test("a list is covered by its like alone: no member more, none less, none moved", () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), fc.integer(), (list, more) => {
        return !covers([...list, more], list) && !covers(list.slice(1), list);
      }),
    );
    expect(covers([1, 2], [2, 1])).toBe(false);
    expect(covers([{ a: 1, b: 2 }], [{ a: 1 }])).toBe(true);
  });

  test("nothing at all is as good as an empty object or list, and as a field that is not set", () => {
    for (const empty of [{}, [], undefined, null, { a: undefined }, { a: null }]) {
      expect(covers(undefined, empty)).toBe(true);
      expect(covers({}, { field: empty })).toBe(true);
      expect(covers({ field: null }, { field: empty })).toBe(true);
    }
    expect(covers(undefined, [{}])).toBe(false);
    expect(covers(undefined, { a: {} })).toBe(false);
    expect(covers([1], [])).toBe(false);
  });

  test("kinds of values are not mixed up", () => {
    const values = [0, "", false, {}, [], "0", 1, true, "1"];
    for (const [one, a] of values.entries()) {
      for (const [two, b] of values.entries()) expect(covers(a, b), `${one} ${two}`).toBe(one === two);
    }
  });

  test("what every object inherits is not there", () => {
    expect(covers({}, { constructor: {}.constructor })).toBe(false);
    expect(covers({}, { toString: {} })).toBe(true);
    expect(covers({}, JSON.parse('{"__proto__": {"a": 1}}'))).toBe(false);
  });
});
