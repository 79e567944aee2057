import { describe, expect, test } from "vitest";
import type { Found } from "#core/context.ts";
import { note, worth } from "#functions/watch/heed.ts";

type Entry = Record<string, unknown>;
const applied = (time: string, fieldsV1: object = { "f:data": {} }): Entry => ({
  manager: "berth",
  operation: "Apply",
  time,
  fieldsV1,
});
const by = (manager: string, time: string, more: Entry = {}): Entry => ({
  manager,
  operation: "Update",
  time,
  fieldsV1: { "f:data": { "f:x": {} } },
  ...more,
});

function object(managedFields: Entry[], more: Record<string, unknown> = {}): Found {
  const { metadata, ...rest } = more as { metadata?: object };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "one",
      namespace: "two",
      uid: "u1",
      resourceVersion: "5",
      creationTimestamp: "t0",
      managedFields,
      ...metadata,
    },
    ...rest,
  };
}
const workload = (readyReplicas: number, replicas = 1): Found =>
  object([applied("t1")], { kind: "Deployment", spec: { replicas }, status: { readyReplicas } });
const why = (before: Found | undefined, now: Found | undefined): string | undefined =>
  worth(before && note(before), now && note(now));

describe("is worth nothing", () => {
  test.each<[string, Found | undefined, Found]>([
    ["what Berth makes", undefined, object([applied("t1")])],
    ["what Berth writes anew", object([applied("t1")]), object([applied("t2", {})])],
    [
      "what Berth adds within the second of its last write",
      object([applied("t1", { "f:x": {} })]),
      object([applied("t1", { "f:x": {}, "f:y": {} })]),
    ],
    ["what another part of Berth writes", object([applied("t1")]), object([applied("t1"), by("berth-access", "t2")])],
    ["a status", object([applied("t1")]), object([applied("t1"), by("anyone", "t2", { subresource: "status" })])],
    ["a controller's work", object([applied("t1")]), object([applied("t1"), by("kube-controller-manager", "t2")])],
    [
      "a stranger's hand seen before",
      object([applied("t1"), by("eve", "t1")]),
      object([applied("t2"), by("eve", "t1")]),
    ],
    ["a stranger's hand that is taken off", object([applied("t1"), by("eve", "t1")]), object([applied("t2")])],
    ["a workload that gets ready", workload(0), workload(1)],
    ["one that was not ready before", workload(0), workload(0)],
    ["one more Pod for a moment, as in a rollout", workload(2), workload(1)],
    ["one that Berth made anew", workload(1), { ...workload(0), metadata: { ...workload(0).metadata, uid: "u2" } }],
  ])("%s", (_, before, now) => {
    expect(why(before, now)).toBeUndefined();
  });
});

test("an object that goes, or begins to, is worth a poke, once", () => {
  const ending = object([applied("t1")], { metadata: { deletionTimestamp: "t3" } });
  expect(why(object([applied("t1")]), ending)).toBe("it is being deleted");
  expect(why(ending, ending)).toBeUndefined();
  expect(why(object([applied("t1")]), undefined)).toBe("it was deleted");
});

test("a stranger's write is worth a poke, and each later one again", () => {
  const [none, once, twice] = [
    object([applied("t1")]),
    object([applied("t1"), by("eve", "t2")]),
    object([applied("t1"), by("eve", "t3")]),
  ];
  expect(why(none, once)).toBe("it was changed by eve");
  expect(why(once, twice)).toBe("it was changed by eve");
  expect(why(undefined, once)).toBe("it was changed by eve");
});

test("a field of ours that is taken away is worth a poke, though nobody's name stands there", () => {
  expect(why(object([applied("t1", { "f:data": { "f:x": {} } })]), object([applied("t1", { "f:data": {} })]))).toBe(
    "what we set was taken away",
  );
});

test("a workload that gets less ready than it asks for is worth a poke", () => {
  expect(why(workload(1), workload(0))).toBe("it is less ready than it was");
  expect(why(workload(3, 3), workload(2, 3))).toBe("it is less ready than it was");
});
