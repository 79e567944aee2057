import { expect, test } from "vitest";
import { doorOf } from "#functions/doors.ts";

test.each([
  ["/v1/clusters", "api"],
  ["/v1/home/tenants", "api"],
  ["/v1/home/hosts", "access"],
  ["/v1/home/hosts/hst_1/check", "access"],
  ["/v1/home/hostsx", "api"],
  ["/v1/kube/clusters/cls_1/token", "access"],
  ["/v1/kubeconfig", "api"],
  ["/oidc/tnt_1/cls_1/openid/v1/jwks", "api"],
  ["/nothing", "api"],
])("%s goes to %s: the longest prefix in whole segments", (path, door) => {
  expect(doorOf(path)).toBe(door);
});
