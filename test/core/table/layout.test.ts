import { expect, test } from "vitest";
import { changesOf } from "#core/table/change.ts";
import { dueShards, lapOf, layout, shardOf } from "#core/table/index.ts";
import { inner, keyOf, moment, tenantOf } from "#core/table/layout.ts";
import { indexes, written } from "#core/table/place.ts";
import { kind } from "../toy.ts";

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

test("the keys of every index are the table's own attributes, and defined", () => {
  const defined: string[] = layout.AttributeDefinitions.map(({ AttributeName }) => AttributeName);
  for (const { IndexName, KeySchema } of layout.GlobalSecondaryIndexes) {
    const names = KeySchema.map(({ AttributeName }) => AttributeName);
    expect(names).toEqual([indexes[IndexName].hash, indexes[IndexName].range]);
    for (const name of names) {
      expect(inner).toContain(name);
      expect(defined).toContain(name);
    }
  }
});

test("a host's tenths are all used", () => {
  const counts = Array<number>(10).fill(0);
  for (let at = 0; at < 1_000; at += 1) {
    const tenth = lapOf(`cls_01k3zq9m5w${at.toString(32).padStart(16, "0")}`);
    counts[tenth] = (counts[tenth] ?? 0) + 1;
  }
  expect(counts.every((count) => count > 60)).toBe(true);
});

test("where a row stands follows from its own attributes", () => {
  const { insert, update } = changesOf(tenant);
  const id = "cls_01k3zq9m5w0000000000000001";
  const at = "2027-03-01T12:00:00Z";
  const dueAt = "2027-03-01T12:00:00.000Z";
  expect(written(insert(kind, id, { lookAt: at } as never)).set).toEqual({
    lookAt: at,
    dueKey: `due/${shardOf(id)}`,
    dueAt,
  });
  const tenants = ["1", "2", "3", "4", "5", "6"].map((digit) => `tnt_0${digit.repeat(25)}` as const);
  for (const each of tenants) {
    const entry = changesOf(each).insert(kind, id, { unsealed: at } as never);
    expect(written(entry).set).toMatchObject({ dueKey: `unsealed/${shardOf(each)}` });
  }
  expect(new Set(tenants.map(shardOf)).size).toBeGreaterThan(1);
  expect(written(update(kind, id, { set: { parkedAt: at } }))).toEqual({
    set: { parkedAt: at, dueKey: "parked", dueAt },
    remove: ["lookAt", "unsealed"],
    absent: [],
  });
  expect(written(update(kind, id, { remove: ["lookAt"] }))).toEqual({
    set: {},
    remove: ["lookAt", "dueKey", "dueAt"],
    absent: ["parkedAt", "unsealed"],
  });
  expect(written(update(kind, id, { set: { hostedOn: "hst_1" } })).set).toEqual({
    hostedOn: "hst_1",
    hostKey: "host/hst_1",
    lapKey: `${lapOf(id)}/${id}`,
  });
  expect(written(update(kind, id, { set: { want: 1 } }))).toEqual({ set: { want: 1 }, remove: [], absent: [] });
});
