// What must hold whenever a stack is at rest, whatever was done to it before.
import { expect } from "vitest";
import { lap } from "#functions/cron/survey.ts";
import { round } from "#functions/cron/visit.ts";
import { paths } from "../../local/settings.ts";
import { nothingElse } from "./restart.ts";
import { Second } from "./second.ts";
import type { Cluster, Stack } from "./stack.ts";

interface Kept {
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    annotations?: Record<string, string>;
    managedFields?: { manager: string; time: string; subresource?: string }[];
  };
}

const kinds =
  "namespaces,services,secrets,configmaps,pvc,deployments,statefulsets,networkpolicies,poddisruptionbudgets,resourcequotas";

/** Each thing of Berth's on the host: which one it is, under which epoch it was written, and when Berth did. */
export async function hands(stack: Stack): Promise<Record<string, { uid: string; epoch: number; times: string[] }>> {
  const managed = ["--selector", "app.kubernetes.io/managed-by=berth", "--show-managed-fields"];
  const things = (await stack.things(kinds, "--all-namespaces", ...managed)) as unknown as Kept[];
  const of = ({ metadata: { uid, annotations, managedFields = [] } }: Kept) => ({
    uid,
    epoch: Number(annotations?.["berth.dev/epoch"] ?? "-1"),
    times: managedFields.filter(({ manager }) => manager.startsWith("berth")).map(({ time }) => time),
  });
  const name = ({ kind, metadata }: Kept) => `${metadata.namespace ?? metadata.name} ${kind} ${metadata.name}`;
  return Object.fromEntries(things.map((each) => [name(each), of(each)]));
}

/** Nothing is lost, doubled or left over; who did what can be proved; and going round changes nothing. */
export async function inOrder(stack: Stack): Promise<void> {
  await nothingElse(stack);
  const { items } = await stack.api<{ items: Cluster[] }>("GET", "/v1/clusters?limit=100");
  const endpoints = items.map(({ status }) => status.endpoint);
  expect(new Set(endpoints).size).toBe(items.length);
  const staff = { BERTH_TOKEN_FILE: paths(stack.state).staffToken };
  const hosts = JSON.parse((await stack.berth(["host", "list", "-o", "json"], staff)).out) as {
    items: { seats: { taken: number } }[];
  };
  expect(hosts.items.map(({ seats }) => seats.taken)).toEqual([items.length]);
  const { items: quotas } = await stack.json<{ items: { what: string; used: number }[] }>("quota");
  expect(quotas.find(({ what }) => what === "clusters")?.used).toBe(items.length);
  const verified = await stack.berth(["audit", "verify"]);
  expect(verified.code, verified.out + verified.err).toBe(0);
  const second = await Second.open(stack);
  try {
    const before = [await second.rows(), await hands(stack)];
    await lap(second.deps);
    for (const turn of [0, 1, 2]) await round(second.deps, turn);
    expect(second.pokes).toEqual([]);
    expect([await second.rows(), await hands(stack)]).toEqual(before);
  } finally {
    second.close();
  }
}
