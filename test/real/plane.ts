import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Stack } from "./stack.ts";

interface PodSpec {
  volumes?: { projected?: { sources: object[] } }[];
  automountServiceAccountToken?: boolean;
}
interface PodStatus {
  containerStatuses: { restartCount: number; ready: boolean }[];
}

/** What stands on the host for the cluster `red`, and inside of it. */
export const plane = (stack: Stack) =>
  describe("the control plane as it stands", () => {
    test("nothing crash-looped on the way, and no Pod holds a credential of the host", async () => {
      const pods = await stack.things("pods", "--namespace", await namespaceOf(stack, "red"));
      const components = pods.map(({ metadata }) => metadata.labels?.["berth.dev/component"]);
      expect(components).toHaveLength(4);
      expect(new Set(components)).toEqual(
        new Set(["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]),
      );
      for (const pod of pods) {
        const [spec, status] = [pod.spec as PodSpec, pod.status as PodStatus];
        expect(status.containerStatuses, pod.metadata.name).toMatchObject([{ restartCount: 0, ready: true }]);
        expect(spec.automountServiceAccountToken).toBe(false);
        expect((spec.volumes ?? []).filter(({ projected }) => projected !== undefined)).toEqual([]);
      }
    });

    test("a Secret lies encrypted in etcd's volume, where a ConfigMap lies in clear", async () => {
      const kubeconfig = await stack.kubeconfig("red");
      const [hidden, open] = [randomUUID(), randomUUID()];
      const literal = (value: string) => `--from-literal=value=${value}`;
      await stack.kubectl(kubeconfig, "create", "secret", "generic", "canary", literal(hidden));
      await stack.kubectl(kubeconfig, "create", "configmap", "canary", literal(open));
      const { out } = await stack.kubectl(kubeconfig, "get", "secret", "canary", "-o", "jsonpath={.data.value}");
      expect(Buffer.from(out, "base64").toString()).toBe(hidden);
      const data = files(join(stack.state.root, "volumes", await volumeOf(stack, "red"))).map((file) =>
        readFileSync(file),
      );
      const holds = (text: string) => data.some((bytes) => bytes.includes(text));
      expect(holds(open)).toBe(true);
      expect(holds(hidden)).toBe(false);
      expect(holds(Buffer.from(hidden).toString("base64"))).toBe(false);
    });

    test("who did what in the cluster is in its API server's log", async () => {
      const log = await stack.host("--namespace", await namespaceOf(stack, "red"), "logs", "deploy/kube-apiserver");
      const lines = log.split("\n").filter((line) => line.includes('"apiVersion":"audit.k8s.io/v1"'));
      const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      const made = {
        verb: "create",
        objectRef: expect.objectContaining({ resource: "secrets", name: "canary" }) as object,
      };
      const user = expect.objectContaining({
        username: expect.stringMatching(/^system:serviceaccount:berth-members:mbr-/) as string,
      }) as object;
      expect(events).toContainEqual(expect.objectContaining({ ...made, user }));
      expect(log).not.toMatch(/"requestObject"|"responseObject"/);
    });

    test("`berth cluster logs` shows what each part of it says, to whoever may see the cluster", async () => {
      for (const component of ["kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler"]) {
        const { code, out, err } = await stack.berth(["cluster", "logs", "red", "--component", component]);
        expect(code, err).toBe(0);
        expect(out, component).toMatch(/^\d{4}-\d\d-\d\dT\S+Z \S/);
        expect(out).not.toMatch(/PRIVATE KEY/);
      }
    });

    test("`kubernetes` inside the cluster leads to its outside address", async () => {
      const kubeconfig = await stack.kubeconfig("red");
      const { out } = await stack.kubectl(kubeconfig, "get", "endpointslices", "-n", "default", "-o", "json");
      const { items } = JSON.parse(out) as {
        items: { endpoints: { addresses: string[] }[]; ports: { port: number }[]; metadata: { name: string } }[];
      };
      const { endpoint } = (await stack.json("cluster", "get", "red")).status;
      const told = items.map(({ endpoints, ports }) => `https://${endpoints[0]?.addresses[0]}:${ports[0]?.port}`);
      expect(told).toEqual([endpoint]);
    });
  });

/** The namespace on the host that a cluster has. */
export const namespaceOf = async (stack: Stack, name: string): Promise<string> =>
  (await stack.json("cluster", "get", name)).id.replace("_", "-");

/** The PersistentVolume that a cluster's etcd has. */
export const volumeOf = async (stack: Stack, name: string): Promise<string> => {
  const claim = ["--namespace", await namespaceOf(stack, name), "get", "pvc", "data-etcd-0"];
  return stack.host(...claim, "-o", "jsonpath={.spec.volumeName}");
};

const files = (folder: string): string[] =>
  readdirSync(folder)
    .map((each) => join(folder, each))
    .flatMap((path) => (statSync(path).isDirectory() ? files(path) : [path]));
