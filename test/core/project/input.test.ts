import { expect, test } from "vitest";
import * as Project from "#core/project/index.ts";

test.each([
  [{ name: "Shop" }, "name"],
  [{ name: "kube-system" }, "name"],
  [{ name: "default" }, "name"],
  [{ name: "berth-members" }, "name"],
  [{ name: "a".repeat(64) }, "name"],
  [{ name: "shop", title: " " }, "title"],
  [{ name: "shop", labels: { "berth.dev/project": "x" } }, "labels.berth.dev/project"],
  [
    { name: "shop", labels: { "pod-security.kubernetes.io/enforce": "privileged" } },
    "labels.pod-security.kubernetes.io/enforce",
  ],
  [{ name: "shop", labels: { "kubernetes.io/metadata.name": "kube-system" } }, "labels.kubernetes.io/metadata.name"],
  [{ name: "shop", limits: { cpu: "40 cores" } }, "limits.cpu"],
  [{ name: "shop", limits: { cpu: "0.0001" } }, "limits.cpu"],
  [{ name: "shop", limits: { memory: "1.5" } }, "limits.memory"],
  [{ name: "shop", limits: { memory: "-1Gi" } }, "limits.memory"],
  [{ name: "shop", limits: { pods: 1.5 } }, "limits.pods"],
  [{ name: "shop", limits: { gpus: 1 } }, "limits"],
  [{ name: "shop", reservePercent: 91 }, "reservePercent"],
  [{ name: "shop", podSecurity: "none" }, "podSecurity"],
  [
    { name: "shop", network: { openings: [{ name: "web", direction: "ingress", peer: { cidr: "10.0.0.0" } }] } },
    "network.openings.0.peer",
  ],
  [
    { name: "shop", network: { openings: [{ name: "web", direction: "in", peer: { namespaces: "all" } }] } },
    "network.openings.0.direction",
  ],
  [{ name: "shop", pullSecret: "../x" }, "pullSecret"],
  [{ name: "shop", expiresAt: "tomorrow" }, "expiresAt"],
  [{ name: "shop", places: [{ cluster: "north" }] }, "places.0.cluster"],
  [{ name: "shop", places: [{ cluster: "cls_01k00000000000000000000001", weight: -1 }] }, "places.0.weight"],
  [{ name: "shop", places: Array(2).fill({ cluster: "cls_01k00000000000000000000001" }) }, "places"],
])("%j is refused by its field", (input, field) => {
  const issues = Project.CreateInput.safeParse(input).error?.issues.map(({ path, message }) => [
    path.join("."),
    message,
  ]);
  expect(issues?.map(([path]) => path)).toEqual([field]);
  expect(issues?.[0]?.[1]).toMatch(/\w+ \w+/);
});
