import { describe, expect, test } from "vitest";
import { placeOf } from "#core/access/path.ts";

const fine: [string, object | undefined][] = [
  ["/version", undefined],
  ["/api", undefined],
  ["/api/v1", undefined],
  ["/apis", undefined],
  ["/apis/apps", undefined],
  ["/apis/apps/v1", undefined],
  ["/openapi/v3/apis/apps/v1", undefined],
  ["/healthz", undefined],
  ["/livez", undefined],
  ["/readyz/etcd", undefined],
  ["/api/v1/pods", { group: "", version: "v1", plural: "pods" }],
  ["/api/v1/namespaces", { group: "", version: "v1", plural: "namespaces" }],
  ["/api/v1/namespaces/shop", { group: "", version: "v1", plural: "namespaces", namespace: "shop", name: "shop" }],
  [
    "/api/v1/namespaces/shop/status",
    { group: "", version: "v1", plural: "namespaces", namespace: "shop", name: "shop", subresource: "status" },
  ],
  ["/api/v1/namespaces/shop/pods", { group: "", version: "v1", plural: "pods", namespace: "shop" }],
  [
    "/api/v1/namespaces/shop/pods/one/log",
    { group: "", version: "v1", plural: "pods", namespace: "shop", name: "one", subresource: "log" },
  ],
  [
    "/apis/apps/v1/namespaces/shop/deployments/web/scale",
    { group: "apps", version: "v1", plural: "deployments", namespace: "shop", name: "web", subresource: "scale" },
  ],
  [
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node",
    { group: "rbac.authorization.k8s.io", version: "v1", plural: "clusterroles", name: "system:node" },
  ],
  // Named as what can't be opened: the names are a thing's, not a subresource's.
  [
    "/api/v1/namespaces/shop/pods/proxy",
    { group: "", version: "v1", plural: "pods", namespace: "shop", name: "proxy" },
  ],
  ["/api/v1/namespaces/exec/pods", { group: "", version: "v1", plural: "pods", namespace: "exec" }],
];

test.each(fine)("%s is read as a server reads it", (path, resource) => {
  expect(placeOf(path)).toEqual({ path, ...(resource && { resource }) });
});

test("what is encoded and need not be, goes on as it is meant", () => {
  const { path, resource } = placeOf("/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode");
  expect([path, resource?.name]).toEqual([
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node",
    "system:node",
  ]);
  expect(placeOf("/api/v1/%70ods").resource?.plural).toBe("pods");
});

const base = "/api/v1/namespaces/shop";
const tricks = [
  [
    "",
    "/",
    "//",
    "api",
    "/apj/v1/pods",
    "/metrics",
    "/logs",
    "/debug/pprof",
    "/ui",
    "/.well-known/openid-configuration",
  ],
  ["/openid/v1/jwks", "/API/v1/pods", "/api/", "/api//v1/pods", "//api/v1/pods", "/api/v1/pods/", `${base}/`],
  ["/./api", "/../api", "/api/../version", "/api/v1/./pods", "/api/v1/..", `${base}/../kube-system/secrets`],
  ["/api/v1/%2e/pods", "/api/v1/%2e%2e/pods", `${base}/%2E%2E/kube-system/secrets`, `${base}/.%2e/x`, `${base}/%2e./x`],
  [`${base}%2f..%2fkube-system/secrets`, `${base}/%2f`, "/api%2fv1%2fpods", `${base}%2Fsecrets`, `${base}/a%5cb`],
  [
    `${base}\\..\\kube-system`,
    "\\api\\v1",
    `${base}/a\\b`,
    `${base}/%252e%252e/kube-system`,
    `${base}/%25`,
    `${base}/%2`,
  ],
  [`${base}/%`, `${base}/%zz`, `${base}/%00`, `${base}/a%00b`, `${base}/%0a`, `${base}/%0d%0aHost:x`, `${base}/%20`],
  [
    `${base}/a b`,
    `${base}/a\tb`,
    `${base}/a\nb`,
    `${base}/é`,
    `${base}/%c3%a9`,
    `${base}/%c0%ae%c0%ae/x`,
    `${base}/\u2024\u2024`,
  ],
  [
    `${base}/%3fwatch=true`,
    `${base}/a?b`,
    `${base}/a#b`,
    `${base}/%23`,
    `${base}/\u0000`,
    `${base}/%7f`,
    `${base}/a\u200bb`,
  ],
  [
    "/api/v1/watch/pods",
    "/api/v1/watch/namespaces/shop/secrets",
    "/apis/apps/v1/watch/deployments",
    "/api/v1/proxy/nodes/a",
  ],
  [
    `${base}/pods/a/log/b`,
    `${base}/pods/a/b/c/d`,
    `/api/v1/${"a".repeat(4_200)}`,
    "/http://elsewhere.test/api",
    "/@elsewhere.test/api",
  ],
].flat();

test.each(tricks)("%j is no path that goes on", (path) => {
  expect(() => placeOf(path)).toThrow(expect.objectContaining({ kind: "invalid" }));
});

test("there are as many tricks as was promised", () => expect(new Set(tricks).size).toBeGreaterThanOrEqual(60));

describe("what would open a connection", () => {
  const pod = `${base}/pods/web`;
  test.each(
    [
      ["exec", "attach", "portforward", "proxy"].map((sub) => `${pod}/${sub}`),
      [
        `${pod}/proxy/admin`,
        `${pod}/proxy/a/b/c`,
        `${base}/services/https:web:443/proxy`,
        `${base}/services/web/proxy/x`,
      ],
      ["/api/v1/nodes/one/proxy", "/api/v1/nodes/one/proxy/exec/shop/web", "/api/v1/nodes/one%3a10250/proxy/run"],
      [`${pod}/%65xec`, `${pod}/p%72oxy`, `${base}/pods/web:80/proxy`, "/apis/x.test/v1/things/one/proxy"],
    ].flat(),
  )("%s is refused, with where to go instead", (path) => {
    expect(() => placeOf(path)).toThrow(/use kubectl with a kubeconfig/);
  });
});
