import { afterAll, beforeAll, expect, test } from "vitest";
import { type Found, type Kube, KubeFault, type Manifest } from "#core/context.ts";
import type { ID } from "#core/id.ts";
import { altered, drift, keyOf, openKube, refOf } from "#core/kube/index.ts";
import * as Project from "#core/project/index.ts";
import { newChance } from "../world/clock.ts";
import { type Apiserver, startApiserver } from "./apiserver.ts";

// What a project is to be on a cluster, on a real API server with Kubernetes' own controllers: it must come back as it
// was written, or it would be written for ever.

let server: Apiserver;
let kube: Kube;
beforeAll(async () => {
  server = await startApiserver();
  await server.control();
  kube = openKube(server.admin);
});
afterAll(async () => {
  await server?.stop();
});

const cluster: ID<"cluster"> = "cls_01k00000000000000000000001";
const labels = { "app.kubernetes.io/managed-by": "berth", "berth.dev/access": "acc-01k00000000000000000000001" };
const full = {
  labels: { team: "shop", env: "test" },
  limits: {
    cpu: "0.333",
    memory: "1.5Gi",
    storage: "1000G",
    pods: 1_000,
    services: 7,
    loadBalancers: 0,
    volumes: 30_000,
  },
  reservePercent: 33,
  defaults: { cpuRequest: "0.1", cpuLimit: "1000m", memoryLimit: "1024Mi" },
  pullSecret: "registry",
  network: {
    openings: [
      { name: "web", direction: "ingress", peer: { namespaces: "all" }, ports: [{ port: 80 }], pods: { app: "web" } },
      { name: "out", direction: "egress", peer: { cidr: "0.0.0.0/0" } },
      { name: "six", direction: "egress", peer: { cidr: "2001:db8::/32" }, ports: [{ port: 53, protocol: "UDP" }] },
      { name: "peer", direction: "ingress", peer: { project: "prj_01k00000000000000000000009" } },
    ],
  },
};

/** What is wanted of a project of this name and input. */
function wantedOf(name: string, input: object, more: Partial<Project.Project> = {}): Manifest[] {
  const parsed = Project.CreateInput.parse({ name, places: [{ cluster }], ...input });
  const { places, pullSecret, title = name, expiresAt: _, name: _name, ...rest } = parsed;
  const place = places[0];
  if (place === undefined) throw new Error("it is nowhere");
  const project: Project.Project = {
    id: "prj_01k00000000000000000000001",
    tenant: "tnt_01k00000000000000000000001",
    name,
    spec: { ...rest, title, ...(pullSecret && { pullSecret }) },
    places,
    generation: 1,
    revision: 1,
    createdAt: "2026-01-01T00:00:00.000Z",
    createdBy: "system",
    ...more,
  };
  return Project.objects(project, place, labels);
}

/** Writes what is wanted, on what is there; once more when a controller was quicker, as one makes the default account. */
async function write(wanted: Manifest[]): Promise<void> {
  for (const manifest of wanted) {
    for (let tries = 5; tries > 0; tries -= 1) {
      const found = await kube.get(refOf(manifest));
      const written =
        found === undefined ? kube.create(manifest) : kube.apply(manifest, found.metadata.resourceVersion);
      const moved = await written.then(
        () => false,
        (error: unknown) => {
          if (error instanceof KubeFault && error.kind === "conflict") return true;
          throw error;
        },
      );
      if (!moved) break;
    }
  }
}
async function there(wanted: Manifest[]): Promise<Map<string, Found>> {
  const found = await Promise.all(wanted.map((manifest) => kube.get(refOf(manifest))));
  return new Map(found.flatMap((one) => (one === undefined ? [] : [[keyOf(one, "inside"), one]])));
}
const apart = async (wanted: Manifest[]) => {
  const found = await there(wanted);
  return [
    ...drift(wanted, found, "inside").map(({ manifest }) => manifest.kind),
    ...altered(wanted, found, "inside").map(({ kind }) => kind),
  ];
};

test.each([
  ["with everything that can be said", full, {}],
  ["with nothing said", {}, {}],
  ["that has expired", full, { expiredAt: "2026-01-01T00:00:00.000Z" }],
  ["with an open network", { ...full, network: { ...full.network, mode: "open" } }, {}],
])("a project %s comes back as it was written", async (what, input, more) => {
  const wanted = wantedOf(what.replaceAll(" ", "-"), input, more);
  await write(wanted);
  expect(await apart(wanted)).toEqual([]);
});

test("shares of every kind come back as they were written", async () => {
  const random = newChance(5);
  const draw = (below: number): number => new DataView(random(4).buffer).getUint32(0) % below;
  const pick = <T>(list: readonly T[]): T => list[draw(list.length)] as T;
  for (let turn = 0; turn < 40; turn += 1) {
    const limits = {
      cpu: `${draw(9_999)}${pick(["", "m", ".5", "e3"])}`,
      memory: `${draw(9_999)}${pick(["", "k", "M", "G", "Ki", "Mi", "Gi", "Ti", ".5Gi"])}`,
      storage: `${draw(9_999)}${pick(["Gi", "T", "e9"])}`,
      pods: pick([draw(10), draw(5_000), 1_000 * draw(900)]),
      defaults: undefined,
    };
    const { defaults: _, ...said } = limits;
    const wanted = wantedOf("shares", { limits: said, reservePercent: draw(91) });
    await write(wanted);
    expect([said, await apart(wanted)]).toEqual([said, []]);
  }
});

test("what is not wanted any more goes with the next write, and the default account stays what it was", async () => {
  const before = wantedOf("less", full);
  await write(before);
  const account = { apiVersion: "v1", kind: "ServiceAccount", name: "default", namespace: "less" };
  const first = await kube.get(account);
  expect(first).toMatchObject({ imagePullSecrets: [{ name: "registry" }] });
  const after = wantedOf("less", { ...full, labels: { team: "shop" }, limits: { pods: 5 }, pullSecret: undefined });
  expect(await apart(after)).toEqual(["Namespace", "ResourceQuota", "ServiceAccount"]);
  await write(after);
  expect(await apart(after)).toEqual([]);
  const found = await there(after);
  expect(found.get("Namespace less")?.metadata.labels).not.toHaveProperty("env");
  expect(found.get("ResourceQuota less/berth")?.["spec"]).toEqual({ hard: { pods: "3" } });
  const last = found.get("ServiceAccount less/default");
  expect(last).not.toHaveProperty("imagePullSecrets");
  expect(last?.metadata.uid).toBe(first?.metadata.uid);
});

test("a network that somebody opens, or narrows to fewer Pods, is a difference", async () => {
  const wanted = wantedOf("opened", {});
  await write(wanted);
  const policy = wanted.find(({ kind }) => kind === "NetworkPolicy");
  if (policy === undefined) throw new Error("it is not closed");
  const spec = policy["spec"] as { ingress: object[] };
  for (const theirs of [
    { ...spec, podSelector: { matchLabels: { app: "none" } } },
    { ...spec, ingress: [...spec.ingress, {}] },
    { ...spec, ingress: [{}] },
    { ...spec, policyTypes: ["Ingress"], egress: undefined },
  ]) {
    const found = await kube.get(refOf(policy));
    await kube.apply({ ...policy, spec: theirs }, found?.metadata.resourceVersion ?? "");
    expect(await apart(wanted)).toContain("NetworkPolicy");
  }
});
