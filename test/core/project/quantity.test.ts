import { describe, expect, test } from "vitest";
import { parse, print, units, unitsOf } from "#core/project/quantity.ts";

const again = (text: string): string | undefined => {
  const amount = parse(text);
  return amount === undefined ? undefined : print(amount);
};

// Compared with what kubectl 1.33 makes of each. It keeps exponents, which we write by thousands, and leading zeros.
test.each([
  ["0", "0"],
  ["0Gi", "0"],
  ["500m", "500m"],
  ["1000m", "1"],
  ["1500m", "1500m"],
  ["1.5", "1500m"],
  ["0.1", "100m"],
  ["100", "100"],
  ["1000", "1k"],
  ["1500", "1500"],
  ["1000000", "1M"],
  ["1e3", "1k"],
  ["1E3", "1k"],
  ["5e-1", "500m"],
  ["1E", "1E"],
  ["3u", "3u"],
  ["7n", "7n"],
  ["64Gi", "64Gi"],
  ["1024Mi", "1Gi"],
  ["1.5Gi", "1536Mi"],
  ["0.5Gi", "512Mi"],
  ["1023Ki", "1023Ki"],
  ["0.5Ki", "512"],
  ["0.1Ki", "102400m"],
  ["64G", "64G"],
  ["1073741824", "1073741824"],
  ["007", "7"],
  ["7Ei", "7Ei"],
])("%s is written as an API server answers it: %s", (text, canonical) => {
  expect(again(text)).toBe(canonical);
  expect(again(canonical)).toBe(canonical);
});

test.each([
  "",
  "-1",
  "+1",
  "1 Gi",
  "1GB",
  "1gi",
  "1K",
  "Gi",
  ".5",
  "5.",
  "1e",
  "1e1.5",
  "1e100",
  "0x10",
  "1_000",
  "NaN",
  "1\n",
  "1n5",
  "0.1n",
  "10E",
  "8Ei",
  "1e19",
  "9".repeat(40),
  "１",
])("%j is no quantity", (text) => {
  expect(parse(text)).toBeUndefined();
});

describe("a quantity is exact", () => {
  test("to the last of what an API server holds", () => {
    expect(again("9223372036854775807")).toBe("9223372036854775807");
    expect(parse("9223372036854775808")).toBeUndefined();
  });

  test("in the smallest parts that are given out", () => {
    const of = (text: string, unit: bigint) => unitsOf(parse(text) ?? { nanos: -1n, base: "decimal" }, unit);
    expect(of("1.5", units.milli)).toBe(1500n);
    expect(of("0.0001", units.milli)).toBeUndefined();
    expect(of("0.1Ki", units.whole)).toBeUndefined();
    expect(of("1Gi", units.whole)).toBe(1_073_741_824n);
  });
});
