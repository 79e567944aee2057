import { describe, expect, test } from "vitest";
import { space, version, type Subject } from "./subject.ts";

/** Which changes of which kinds are counted. */
export function generations(subject: Subject): void {
  describe("generations", () => {
    const selector = { matchLabels: { app: "x" } };
    const template = { metadata: { labels: { app: "x" } }, spec: { containers: [{ name: "x", image: "x" }] } };
    const slice = (address: string) => ({
      addressType: "IPv4",
      endpoints: [{ addresses: [address] }],
      ports: [{ name: "https", port: 443, protocol: "TCP" }],
    });
    const resources = (storage: string) => ({ accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } });
    /** What the generation is after the making, a label more, and another spec. */
    const spec = [1, 1, 2];
    const none = [undefined, undefined, undefined];
    const cases: [string, string, unknown[], object, object][] = [
      [
        "apps/v1",
        "Deployment",
        spec,
        { spec: { replicas: 1, selector, template } },
        { spec: { replicas: 2, selector, template } },
      ],
      [
        "apps/v1",
        "StatefulSet",
        spec,
        { spec: { replicas: 1, serviceName: "x", selector, template } },
        { spec: { replicas: 2, serviceName: "x", selector, template } },
      ],
      [
        "networking.k8s.io/v1",
        "NetworkPolicy",
        spec,
        { spec: { podSelector: selector, policyTypes: ["Ingress"] } },
        { spec: { podSelector: selector, policyTypes: ["Egress"] } },
      ],
      [
        "policy/v1",
        "PodDisruptionBudget",
        spec,
        { spec: { selector, maxUnavailable: 0 } },
        { spec: { selector, maxUnavailable: 1 } },
      ],
      ["discovery.k8s.io/v1", "EndpointSlice", [1, 2, 3], slice("10.0.0.1"), slice("10.0.0.2")],
      ["v1", "ConfigMap", none, { data: { a: "1" } }, { data: { a: "2" } }],
      ["v1", "Secret", none, { data: { a: "YQ==" } }, { data: { a: "Yg==" } }],
      ["v1", "ServiceAccount", none, { automountServiceAccountToken: true }, { automountServiceAccountToken: false }],
      ["v1", "Service", none, { spec: { ports: [{ port: 80 }] } }, { spec: { ports: [{ port: 81 }] } }],
      ["v1", "ResourceQuota", none, { spec: { hard: { pods: "1" } } }, { spec: { hard: { pods: "2" } } }],
      ["v1", "PersistentVolumeClaim", none, { spec: resources("1Gi") }, { spec: resources("1Gi") }],
      [
        "rbac.authorization.k8s.io/v1",
        "Role",
        none,
        { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] },
        { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }] },
      ],
      ["coordination.k8s.io/v1", "Lease", none, { spec: { holderIdentity: "a" } }, { spec: { holderIdentity: "b" } }],
    ];

    test.each(cases)("of %s %s are %j after the making, a label more, and another spec", async (...row) => {
      const [apiVersion, kind, generations, before, after] = row;
      const namespace = await space(subject.api);
      const metadata = { name: "x", namespace };
      const made = await subject.api.create({ apiVersion, kind, metadata, ...before });
      const labelled = { ...metadata, labels: { a: "b" } };
      const second = await subject.api.apply({ apiVersion, kind, metadata: labelled, ...before }, version(made));
      const third = await subject.api.apply({ apiVersion, kind, metadata: labelled, ...after }, version(second));
      expect([made, second, third].map((one) => one.metadata["generation"])).toEqual(generations);
    });
  });
}
