import { beforeAll, describe, expect, test } from "vitest";
import { newWhole } from "./whole.ts";
import type { Manifest } from "#core/context.ts";
import type { Seen } from "#core/cluster/step.ts";
import type { Cluster } from "#core/cluster/schema.ts";
import { kubeName } from "#core/id.ts";

// What a whole cluster is made of, as the host was asked for it.

let cluster: Cluster;
let seen: Seen;
let objects: Manifest[];
const of = (kind: string): Manifest[] => objects.filter((one) => one.kind === kind);
beforeAll(async () => void ({ cluster, seen, objects } = await newWhole()));

interface Pod {
  metadata: { labels: Record<string, string>; annotations: Record<string, string> };
  spec: {
    automountServiceAccountToken: boolean;
    enableServiceLinks: boolean;
    serviceAccountName?: string;
    hostNetwork?: boolean;
    securityContext: Record<string, unknown>;
    containers: {
      name: string;
      image: string;
      command: string[];
      env?: unknown;
      resources: { requests: Record<string, string> };
      securityContext: Record<string, unknown>;
      volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
      readinessProbe?: unknown;
      livenessProbe?: unknown;
    }[];
    volumes: { name: string; secret?: { secretName: string; defaultMode: number }; configMap?: { name: string } }[];
  };
}
const workloads = (): Manifest[] => [...of("Deployment"), ...of("StatefulSet")];
const podOf = (one: Manifest): Pod => (one["spec"] as { template: Pod }).template;
const flagsOf = (name: string): string[] =>
  workloads().flatMap((one) => (one.metadata.name === name ? (podOf(one).spec.containers[0]?.command ?? []) : []));

describe("every Pod of a control plane", () => {
  test("is one of four", () => {
    const names = workloads().map(({ metadata }) => metadata.name);
    expect(names.sort()).toEqual(["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]);
  });
  test("gets no token of its host and no hint of the host's Services", () => {
    for (const { spec } of workloads().map(podOf)) {
      expect([spec.automountServiceAccountToken, spec.enableServiceLinks]).toEqual([false, false]);
      expect(spec.serviceAccountName ?? spec.hostNetwork).toBeUndefined();
    }
  });
  test("is admitted under the restricted level, which its namespace enforces", () => {
    for (const { spec } of workloads().map(podOf)) {
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      expect(spec.containers).toHaveLength(1);
      for (const { securityContext } of spec.containers)
        expect(securityContext).toMatchObject({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
    }
    expect(of("Namespace")[0]?.metadata.labels).toMatchObject({ "pod-security.kubernetes.io/enforce": "restricted" });
  });
  test("asks for CPU and memory, and is probed", () => {
    for (const { name, resources, readinessProbe, livenessProbe } of workloads().flatMap(
      (one) => podOf(one).spec.containers,
    )) {
      expect(resources.requests, name).toEqual({
        cpu: expect.stringMatching(/^\d+m$/),
        memory: expect.stringMatching(/^\d+Mi$/),
      });
      expect([readinessProbe, livenessProbe], name).not.toContain(undefined);
    }
  });
  test("runs the host's images, of the cluster's version and the etcd that goes with it", () => {
    const images = workloads().map((one) => podOf(one).spec.containers[0]?.image ?? "");
    expect(images.sort()).toEqual([
      "images.test/berth/etcd:3.6.16",
      ...["kube-apiserver", "kube-controller-manager", "kube-scheduler"].map(
        (name) => `images.test/berth/${name}:v1.34.4`,
      ),
    ]);
  });
  test("finds what it mounts, read-only, and is replaced when that changes", () => {
    for (const one of workloads()) {
      const { metadata, spec } = podOf(one);
      for (const { secret, configMap } of spec.volumes) {
        if (secret) expect(of("Secret").map((each) => each.metadata.name)).toContain(secret.secretName);
        if (secret) expect(secret.defaultMode).toBe(0o440);
        if (configMap) expect(of("ConfigMap").map((each) => each.metadata.name)).toContain(configMap.name);
      }
      const files = spec.containers[0]?.volumeMounts.filter(({ mountPath }) => mountPath.startsWith("/etc/")) ?? [];
      expect(files.length).toBeGreaterThan(0);
      expect(files.every(({ readOnly }) => readOnly === true)).toBe(true);
      expect(metadata.annotations["berth.dev/config"]).toMatch(/^[0-9a-f]{16}$/);
    }
  });
});

describe("secrets", () => {
  test("stand in Secrets and nowhere else on the host", () => {
    const keys = [
      seen.authorities?.encryption,
      ...Object.values(seen.leaves?.value ?? {}).map((pair) => pair?.key.split("\n")[2]),
    ];
    const rest = JSON.stringify(objects.filter(({ kind }) => kind !== "Secret"));
    for (const key of keys) {
      expect(key?.length).toBeGreaterThan(30);
      expect(rest).not.toContain(key);
    }
    expect(rest).not.toContain("PRIVATE KEY");
  });
  test("the host gets no more than its Pods need: of the authorities, only the one that signs machines", () => {
    const data = JSON.stringify(
      of("Secret").map((one) =>
        Object.values(one["data"] as Record<string, string>).map((text) => Buffer.from(text, "base64").toString()),
      ),
    );
    const has = (pem: string | undefined): boolean => data.includes(pem?.split("\n")[2] ?? "none");
    const { cluster: ca, front, etcd, signer } = seen.authorities ?? {};
    expect([ca?.key, signer?.privateKey].map(has)).toEqual([true, true]);
    expect([front?.key, etcd?.key].map(has)).toEqual([false, false]);
  });
});

describe("flags", () => {
  test.each([
    ["kube-apiserver", "--anonymous-auth", false],
    ["kube-apiserver", "--authorization-mode=Node,RBAC", true],
    ["kube-apiserver", "--enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs", true],
    ["kube-apiserver", "--endpoint-reconciler-type=none", true],
    ["kube-apiserver", "--min-request-timeout=300", true],
    ["kube-apiserver", "--encryption-provider-config=/etc/berth/apiserver/encryption.yaml", true],
    ["kube-apiserver", "--audit-policy-file=/etc/berth/apiserver-config/audit.yaml", true],
    ["kube-apiserver", "--service-cluster-ip-range=10.99.0.0/16", true],
    ["kube-apiserver", "--tls-min-version=VersionTLS12", true],
    ["kube-apiserver", "--profiling=false", true],
    ["etcd", "--client-cert-auth=true", true],
    ["etcd", "--peer-client-cert-auth=true", true],
    ["kube-controller-manager", "--use-service-account-credentials=true", true],
    ["kube-controller-manager", "--controllers=*,bootstrapsigner,tokencleaner", true],
    ["kube-controller-manager", "--cluster-cidr=10.200.0.0/16", true],
    ["kube-scheduler", "--profiling=false", true],
  ])("%s %s: %s", (name, flag, there) => {
    expect(flagsOf(name).some((one) => one === flag || one.startsWith(`${flag}=`))).toBe(there);
  });
  test("the issuer is home's, for this tenant and cluster; etcd is spoken to by TLS at its pinned address", () => {
    expect(flagsOf("kube-apiserver")).toContain(
      `--service-account-issuer=https://berth.test/oidc/${cluster.tenant}/${cluster.id}`,
    );
    expect(flagsOf("kube-apiserver")).toContain(`--etcd-servers=https://${cluster.status.addresses?.etcd}:2379`);
    expect(flagsOf("etcd").filter((flag) => /http:/.test(flag))).toEqual(["--listen-metrics-urls=http://0.0.0.0:2381"]);
  });
});

describe("the network", () => {
  interface Policy {
    podSelector: { matchLabels?: Record<string, string> };
    policyTypes: string[];
    ingress?: unknown[];
    egress?: { to?: { ipBlock?: { cidr: string; except: string[] } }[] }[];
  }
  const policies = (): [string, Policy][] =>
    of("NetworkPolicy").map((one) => [one.metadata.name, one["spec"] as Policy]);
  test("refuses everything to every Pod by default, both ways", () => {
    const deny = Object.fromEntries(policies())["default-deny"];
    expect(deny).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  });
  test("lets each component out to what it needs, and in where it serves", () => {
    const ways = (type: string): string[] =>
      policies()
        .filter(
          ([, { policyTypes, podSelector }]) => policyTypes.includes(type) && podSelector.matchLabels !== undefined,
        )
        .map(([, { podSelector }]) => podSelector.matchLabels?.["berth.dev/component"] ?? "");
    const all = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
    expect([...new Set(ways("Egress"))].sort()).toEqual(all);
    expect([...new Set(ways("Ingress"))].sort()).toEqual(["etcd", "kube-apiserver"]);
  });
  test("no way leads from the API server into the host: its Services, its Pods, its metadata", () => {
    const blocks = policies().flatMap(([, { egress = [] }]) =>
      egress.flatMap(({ to = [] }) => to.flatMap(({ ipBlock }) => ipBlock ?? [])),
    );
    expect(blocks).toEqual([{ cidr: "0.0.0.0/0", except: ["10.96.0.0/16", "10.244.0.0/16", "169.254.0.0/16"] }]);
  });
});

test("every object is found again by label, and is in the cluster's namespace", () => {
  for (const { kind, metadata } of objects) {
    expect(metadata.labels, `${kind} ${metadata.name}`).toMatchObject({ "berth.dev/cluster": kubeName(cluster.id) });
    if (kind !== "Namespace") expect(metadata.namespace).toBe(kubeName(cluster.id));
  }
});
