import { describe, expect, test } from "vitest";
import { covers } from "#core/kube/index.ts";
import type { ID } from "#core/id.ts";
import type { Manifest } from "#core/kubernetes.ts";
import { objects, wantedNote } from "#core/project/manifests.ts";
import { CreateInput, type Project } from "#core/project/schema.ts";

const cluster = (n: number): ID<"cluster"> => `cls_01k${String(n).padStart(23, "0")}`;
const labels = { "app.kubernetes.io/managed-by": "berth", "berth.dev/access": "acc-1" };
const own = { ...labels, "berth.dev/project": "prj-01k00000000000000000000001" };

function project(input: object = {}, more: Partial<Project> = {}): Project {
  const asked = { name: "shop", places: [{ cluster: cluster(1) }, { cluster: cluster(2), weight: 3 }], ...input };
  const { name, places, title = name, pullSecret, expiresAt: _, ...spec } = CreateInput.parse(asked);
  return {
    id: "prj_01k00000000000000000000001",
    tenant: "tnt_01k00000000000000000000001",
    name,
    spec: { ...spec, title, ...(pullSecret && { pullSecret }) },
    places,
    generation: 1,
    revision: 1,
    createdAt: "2026-01-01T00:00:00.000Z",
    createdBy: "mbr_01k00000000000000000000001",
    ...more,
  };
}
const made = (of: Project, n = 1): Map<string, Manifest> => {
  const place = of.places.find((each) => each.cluster === cluster(n));
  if (place === undefined) throw new Error("it is not there");
  return new Map(objects(of, place, labels).map((one) => [`${one.kind} ${one.metadata.name}`, one]));
};
const policy = (of: Project, name: string) => made(of).get(`NetworkPolicy ${name}`)?.["spec"];

test("a project is a namespace with Pod Security, an account, and nothing open, all under our labels", () => {
  const all = made(project({ labels: { team: "shop" }, podSecurity: "baseline" }));
  expect([...all.keys()]).toEqual(["Namespace shop", "ServiceAccount default", "NetworkPolicy berth-isolated"]);
  const [space, ...inside] = [...all.values()];
  const security = Object.fromEntries(
    ["enforce", "audit", "warn"].flatMap((mode) => [
      [`pod-security.kubernetes.io/${mode}`, "baseline"],
      [`pod-security.kubernetes.io/${mode}-version`, "latest"],
    ]),
  );
  expect(space?.metadata.labels).toEqual({ ...own, team: "shop", ...security });
  for (const one of inside) expect(one.metadata).toMatchObject({ namespace: "shop", labels: own });
});

describe("the quota", () => {
  const limits = {
    cpu: "40",
    memory: "64Gi",
    storage: "1Ti",
    pods: 4_000,
    services: 8,
    loadBalancers: 0,
    volumes: 12,
  };
  test("is the place's share, as an API server answers it", () => {
    const all = project({ limits, reservePercent: 50 });
    const hard = (n: number) => made(all, n).get("ResourceQuota berth")?.["spec"];
    expect(hard(1)).toEqual({
      hard: {
        "requests.cpu": "5",
        "requests.memory": "8Gi",
        "requests.storage": "128Gi",
        pods: "500",
        services: "1",
        "services.loadbalancers": "0",
        persistentvolumeclaims: "2",
      },
    });
    expect(hard(2)).toMatchObject({ hard: { "requests.cpu": "15", pods: "1500", persistentvolumeclaims: "4" } });
    expect(made(project({ limits: { pods: 4_000 } }), 1).get("ResourceQuota berth")?.["spec"]).toEqual({
      hard: { pods: "1k" },
    });
  });

  test("of an expired project lets no Pod start, also where nothing was limited", () => {
    const expired = { expiredAt: "2026-01-01T00:00:00.000Z" };
    expect(made(project({}, expired)).get("ResourceQuota berth")?.["spec"]).toEqual({ hard: { pods: "0" } });
    const spec = made(project({ limits: { cpu: "4", pods: 40 } }, expired)).get("ResourceQuota berth")?.["spec"];
    expect(spec).toEqual({ hard: { "requests.cpu": "1", pods: "0" } });
  });
});

describe("the defaults of containers", () => {
  const limitRange = (defaults: object) => made(project({ defaults })).get("LimitRange berth")?.["spec"];
  test("say all that an API server would fill in", () => {
    expect(limitRange({ cpuRequest: "0.1", cpuLimit: "1000m", memoryLimit: "1024Mi" })).toEqual({
      limits: [
        {
          type: "Container",
          default: { cpu: "1", memory: "1Gi" },
          defaultRequest: { cpu: "100m", memory: "1Gi" },
        },
      ],
    });
    expect(limitRange({ cpuRequest: "1" })).toEqual({ limits: [{ type: "Container", defaultRequest: { cpu: "1" } }] });
    expect(limitRange({})).toBeUndefined();
  });

  test("are refused where they contradict each other, by the field", () => {
    const faults = CreateInput.safeParse({ name: "shop", defaults: { cpuRequest: "2", cpuLimit: "1500m" } }).error
      ?.issues;
    expect(faults?.map(({ path, message }) => [path.join("."), message])).toEqual([
      ["defaults.cpuRequest", "must not be above the limit"],
    ]);
  });
});

describe("the network", () => {
  test("lets through its own namespace and names, and nothing else", () => {
    expect(policy(project(), "berth-isolated")).toEqual({
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [{ podSelector: {} }] }],
      egress: [
        { to: [{ podSelector: {} }] },
        {
          to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }],
          ports: [
            { protocol: "UDP", port: 53 },
            { protocol: "TCP", port: 53 },
          ],
        },
      ],
    });
  });

  test("opens by name, each opening one way and for its Pods and ports alone", () => {
    const openings = [
      {
        name: "web",
        direction: "ingress",
        peer: { project: "prj_01k00000000000000000000002" },
        pods: { "app.kubernetes.io/name": "web" },
        ports: [{ port: 8080 }],
      },
      { name: "out", direction: "egress", peer: { cidr: "0.0.0.0/0" } },
      { name: "metrics", direction: "ingress", peer: { namespaces: "all" } },
      { name: "office", direction: "ingress", peer: { cidr: "0.0.0.0/0" } },
    ];
    const all = project({ network: { openings } });
    expect(policy(all, "berth-open-web")).toEqual({
      podSelector: { matchLabels: { "app.kubernetes.io/name": "web" } },
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { "berth.dev/project": "prj-01k00000000000000000000002" } } }],
          ports: [{ protocol: "TCP", port: 8080 }],
        },
      ],
    });
    // All addresses do not mean the one at which a cloud gives out its machines' credentials.
    expect(policy(all, "berth-open-out")).toEqual({
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.0.0/16"] } }] }],
    });
    expect(policy(all, "berth-open-metrics")).toMatchObject({ ingress: [{ from: [{ namespaceSelector: {} }] }] });
    expect(policy(all, "berth-open-office")).toMatchObject({
      ingress: [{ from: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }],
    });
  });

  test("of an open project has no policy, as an opening would shut out all else", () => {
    const openings = [{ name: "out", direction: "egress", peer: { cidr: "0.0.0.0/0" } }];
    const kinds = [...made(project({ network: { mode: "open", openings } })).values()].map(({ kind }) => kind);
    expect(kinds).not.toContain("NetworkPolicy");
  });
});

test("the default account stays wanted when its pull secret is taken away, and is then another to look at", () => {
  const [named, bare] = [{ pullSecret: "registry" }, {}].map((input) =>
    made(project(input)).get("ServiceAccount default"),
  );
  expect(named).toMatchObject({ imagePullSecrets: [{ name: "registry" }] });
  expect(bare).not.toHaveProperty("imagePullSecrets");
  expect(covers({ ...named }, bare)).toBe(false);
});

test("what is not wanted any more is a difference, though nothing that is wanted is missing", () => {
  const [before, after] = [{ team: "shop", env: "test" }, { team: "shop" }].map((labels) => made(project({ labels })));
  const [old, now] = [before?.get("Namespace shop"), after?.get("Namespace shop")];
  expect(old?.metadata.annotations?.[wantedNote]).toMatch(/^[0-9a-f]{16}$/);
  expect(covers(old, now)).toBe(false);
  expect(covers(old, made(project({ labels: { team: "shop", env: "test" } })).get("Namespace shop"))).toBe(true);
});

test("of a place that is leaving nothing is wanted", () => {
  const all = project();
  const places = all.places.map((place) => ({ ...place, leavingAt: "2026-01-01T00:00:00.000Z" }));
  expect(made({ ...all, places }).size).toBe(0);
});

test("what a project's labels say never stands in place of our own", () => {
  const asked = project();
  const labels = { "berth.dev/project": "prj-other", "pod-security.kubernetes.io/enforce": "privileged", team: "shop" };
  const space = made({ ...asked, spec: { ...asked.spec, labels } }).get("Namespace shop");
  expect(space?.metadata.labels).toMatchObject({
    ...own,
    team: "shop",
    "pod-security.kubernetes.io/enforce": "restricted",
  });
});
