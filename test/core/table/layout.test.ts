import { expect, test } from "vitest";
import { dueShards, shardOf } from "#core/table/index.ts";
import { keyOf, moment, tenantOf } from "#core/table/layout.ts";

const tenant = `tnt_0${"1".repeat(25)}` as const;

test("ids of one millisecond, alike but for their end, spread over all shards", () => {
  const counts = Array<number>(dueShards).fill(0);
  for (let at = 0; at < 4_000; at += 1) {
    const shard = shardOf(`cls_01k3zq9m5w${at.toString(32).padStart(16, "0")}`);
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  expect(counts.every((count) => count > 800 && count < 1_200)).toBe(true);
});

test("moments in any ISO form sort as they follow each other", () => {
  const forms = ["2027-03-01T12:00:00Z", "2027-03-01T12:00:00.5Z", "2027-03-01T14:00:01+01:00"];
  expect(forms.map(moment)).toEqual([
    "2027-03-01T12:00:00.000Z",
    "2027-03-01T12:00:00.500Z",
    "2027-03-01T13:00:01.000Z",
  ]);
  expect(() => moment("soon")).toThrow("ISO 8601");
});

test("every key begins with the tenant, and no name of a kind can break out of it", () => {
  const key = keyOf(tenant, "cluster", "x/../y");
  expect(key).toEqual({ pk: `${tenant}/cluster`, sk: "x/../y" });
  expect(tenantOf(key.pk)).toBe(tenant);
  expect(() => keyOf(tenant, "a/b", "x")).toThrow("name of a kind");
  expect(() => keyOf(tenant, "cluster", "é".repeat(513))).toThrow("1 to 1024 bytes");
});
