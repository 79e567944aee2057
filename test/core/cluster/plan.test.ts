import { beforeAll, describe, expect, test } from "vitest";
import type { Stand } from "../../flow/stand.ts";
import { newWhole } from "./whole.ts";
import { sightOf } from "#core/cluster/digest.ts";
import { plan } from "#core/cluster/plan.ts";
import type { Seen, Step } from "#core/cluster/step.ts";
import type { Cluster } from "#core/cluster/schema.ts";
import { kubeName } from "#core/id.ts";

let stand: Stand;
let cluster: Cluster;
let seen: Seen;
beforeAll(async () => void ({ stand, cluster, seen } = await newWhole()));

describe("plan", () => {
  const now = (): string => stand.world.clock.now();
  const kinds = (steps: Step[]): string[] =>
    steps.flatMap((step) =>
      step.do === "put"
        ? step.waves.flat().map(({ manifest }) => `${manifest.kind} ${manifest.metadata.name}`)
        : [step.do],
    );

  test("is a function: the same row, sight and time give the same plan; for what is whole, nothing to do", () => {
    const first = plan(cluster, seen, now());
    expect(plan(cluster, seen, now())).toEqual(first);
    expect([first.steps, first.awaits]).toEqual([[], []]);
    expect(first.conditions.every(({ status }) => status === "True")).toBe(true);
  });
  test("in a namespace that is going nothing is made: it is waited for", () => {
    const space = seen.objects.get(`Namespace ${kubeName(cluster.id)}`);
    if (space === undefined) throw new Error("it has no namespace");
    const going = { ...space, metadata: { ...space.metadata, deletionTimestamp: now() } };
    const objects = new Map([[`Namespace ${kubeName(cluster.id)}`, going]]);
    const { steps, awaits } = plan(cluster, { ...seen, objects, ready: false, inside: undefined }, now());
    expect(steps).toEqual([]);
    expect(awaits).toContain("its namespace to end");
  });
  test("without anything seen, begins with authorities and ground at once", () => {
    const { steps, awaits } = plan(
      { ...cluster, status: { conditions: [] } },
      {
        ...seen,
        authorities: undefined,
        leaves: undefined,
        access: undefined,
        objects: new Map(),
        ready: false,
        inside: undefined,
      },
      now(),
    );
    expect(kinds(steps)).toEqual([
      "authorities",
      `Namespace ${kubeName(cluster.id)}`,
      "Service etcd",
      "Service apiserver",
      "PersistentVolumeClaim data-etcd-0",
      "ConfigMap apiserver-config",
    ]);
    expect(awaits).toEqual([]);
  });
  test("what is ending is not mended but waited for, by name", () => {
    const ending = new Map(seen.objects);
    const etcd = ending.get("StatefulSet etcd");
    if (etcd === undefined) throw new Error("there is no etcd");
    ending.set("StatefulSet etcd", { ...etcd, spec: {}, metadata: { ...etcd.metadata, deletionTimestamp: now() } });
    const { steps, awaits } = plan(cluster, { ...seen, objects: ending }, now());
    expect(kinds(steps)).toEqual([]);
    expect(awaits).toContain("StatefulSet etcd to end");
  });
  test("a repaired Service asks for its old address and node port", () => {
    const without = new Map([...seen.objects].filter(([key]) => key !== "Service apiserver"));
    const [step] = plan(cluster, { ...seen, objects: without }, now()).steps;
    const manifest = step?.do === "put" ? step.waves[0]?.[0]?.manifest : undefined;
    expect(manifest?.["spec"]).toMatchObject({
      clusterIP: cluster.status.addresses?.apiserver,
      ports: [{ nodePort: cluster.placement.port }],
    });
  });
  test("a later lease stamps the namespace before it writes to the host, and only if it has to write there", () => {
    const later = { ...cluster, epoch: cluster.epoch + 1 };
    expect(plan(later, seen, now()).steps).toEqual([]);
    const without = new Map([...seen.objects].filter(([key]) => key !== "Service apiserver"));
    const found = seen.objects.get(`Namespace ${kubeName(cluster.id)}`);
    const access = { expiresAt: now() };
    const { steps } = plan(later, { ...seen, access, objects: without }, now());
    expect(steps).toEqual([{ do: "stamp", found }, { do: "access" }]);
    const gone = { ...later, deletedAt: now(), status: { ...later.status, inventory: ["all"] } };
    expect(plan(gone, seen, now()).steps).toEqual([{ do: "stamp", found }]);
  });
  test("what is seen is told as a digest, Pods apart", () => {
    const { sight } = plan(cluster, seen, now());
    expect(sight).toBe(sightOf([...seen.objects.values()].reverse()));
    const without = new Map([...seen.objects].filter(([key]) => key !== "Secret etcd"));
    expect(plan(cluster, { ...seen, objects: without }, now()).sight).not.toBe(sight);
  });
  test("the time of the next look is before the first certificate ends", () => {
    const { lookAt = "" } = plan(cluster, seen, now());
    expect(Date.parse(lookAt)).toBeGreaterThan(Date.parse(now()));
    for (const expiresAt of [seen.leaves?.expiresAt, seen.access?.expiresAt])
      expect(Date.parse(expiresAt ?? "") - Date.parse(lookAt)).toBeGreaterThan(80 * 86_400_000);
  });
});
