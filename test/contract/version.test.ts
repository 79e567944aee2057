import { expect, test } from "vitest";
import { kube } from "../../local/source.ts";
import { imagesOf } from "../../local/version.ts";

test("a version's images are those that a host has not from its start", () => {
  expect(imagesOf("1.34.4")).toEqual([]);
  expect(imagesOf("1.35.4")).toEqual([{ name: "kube", version: "1.35.4" }]);
  expect(imagesOf("1.36.3")).toEqual([
    { name: "etcd", version: "3.7.3" },
    { name: "kube", version: "1.36.3" },
  ]);
});

test("a version outside of the catalogue is refused with what there is, and one that ended with the day", () => {
  expect(() => imagesOf("1.35.5")).toThrow("there is no version 1.35.5 in the catalogue, which has 1.33.13");
  expect(() => imagesOf("1.32.1")).toThrow("ended the minor of 1.32.1 on 2026-02-28");
});

test("Kubernetes' staging modules are taken from beside it, in the same minor and patch", () => {
  const theirs = [
    "module k8s.io/kubernetes",
    "go 1.25.0",
    "require (",
    "\tgithub.com/spf13/cobra v1.10.0",
    ")",
    "replace (",
    "\tk8s.io/api => ./staging/src/k8s.io/api",
    "\tk8s.io/kubelet => ./staging/src/k8s.io/kubelet",
    ")",
  ].join("\n");
  const ours = kube("1.35.4", theirs);
  expect(ours).toContain("\ngo 1.25.0\n");
  expect(ours).toContain("k8s.io/kubernetes v1.35.4");
  expect(ours.match(/=> k8s\.io\/\S+ v0\.35\.4/g)).toHaveLength(2);
  expect(() => kube("1.99.0", "module k8s.io/kubernetes\n")).toThrow("not as we know them");
});
