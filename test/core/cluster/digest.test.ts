import { expect, test } from "vitest";
import { sightOf } from "#core/cluster/digest.ts";
import type { Found } from "#core/context.ts";

const found = (kind: string, metadata: object = {}, rest: object = {}): Found => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "one", uid: "u1", resourceVersion: "7", creationTimestamp: "", generation: 1, ...metadata },
  ...rest,
});
const moves = (kind: string, metadata: object): boolean => sightOf([found(kind)]) !== sightOf([found(kind, metadata)]);

test("metadata alone gives the same digest, in any order, without Pods", () => {
  const [secret, set] = [found("Secret", {}, { data: { a: "1" } }), found("StatefulSet", {}, { status: {} })];
  const { apiVersion, kind, metadata } = secret;
  expect(sightOf([set, found("Pod"), secret])).toBe(sightOf([{ apiVersion, kind, metadata }, set]));
});

test.each(["Secret", "ConfigMap", "Service", "PersistentVolumeClaim"])("each write to a %s shows", (kind) => {
  expect(moves(kind, { resourceVersion: "8" })).toBe(true);
});

test.each(["Deployment", "StatefulSet", "NetworkPolicy", "PodDisruptionBudget"])(
  "of a %s what is wanted shows, and its status does not",
  (kind) => {
    expect(moves(kind, { resourceVersion: "8" })).toBe(false);
    expect(moves(kind, { generation: 2 })).toBe(true);
  },
);

test.each(["Namespace", "ResourceQuota"])("of a %s who writes it shows, except for its status", (kind) => {
  const entry = { manager: "berth", operation: "Apply", time: "2026-01-01T00:00:00Z", fieldsV1: {} };
  const status = { ...entry, manager: "controller", subresource: "status" };
  const of = (...managedFields: object[]): string => sightOf([found(kind, { managedFields, resourceVersion: "9" })]);
  expect(of(entry, status)).toBe(of(entry));
  expect(of(entry, { ...entry, manager: "stranger" })).not.toBe(of(entry));
  expect(of({ ...entry, time: "2026-01-01T00:00:01Z" })).not.toBe(of(entry));
});

test.each(["Secret", "Namespace", "Deployment"])("another %s of the same name shows, and so does its end", (kind) => {
  expect(moves(kind, { uid: "u2" })).toBe(true);
  expect(moves(kind, { deletionTimestamp: "2026-01-01T00:00:00Z" })).toBe(true);
});
