import { describe, expect, test, vi } from "vitest";
import { namespaceOf } from "./plane.ts";
import type { Stack } from "./stack.ts";

interface Kept {
  kind: string;
  metadata: { name: string };
  spec?: Record<string, unknown>;
  data?: unknown;
}

/** All that `red` has on the host, as names; and what of it must never change. */
async function onHost(stack: Stack, namespace: string): Promise<Record<string, unknown>> {
  const kinds = "services,secrets,configmaps,pvc,deployments,statefulsets,networkpolicies,pdb,resourcequotas";
  const things = (await stack.things(
    kinds,
    "--namespace",
    namespace,
    "--selector",
    "app.kubernetes.io/managed-by=berth",
  )) as unknown as Kept[];
  const kept = ({ spec: { clusterIP, ports, replicas, podSelector } = {}, data }: Kept) => ({
    clusterIP,
    ports,
    replicas,
    podSelector,
    data,
  });
  return Object.fromEntries(things.map((each) => [`${each.kind} ${each.metadata.name}`, kept(each)]));
}

export const repair = (stack: Stack) =>
  describe("what strangers do to it on the host", () => {
    test("whatever was deleted or changed is put back, and kubeconfigs and data outlive it", async () => {
      const namespace = await namespaceOf(stack, "red");
      const kubeconfig = await stack.kubeconfig("red");
      await stack.kubectl(kubeconfig, "create", "configmap", "kept", "--from-literal=value=1");
      const before = await onHost(stack, namespace);
      const at = ["--namespace", namespace];
      const bad = JSON.stringify({ data: { "ca.crt": Buffer.from("of a stranger").toString("base64") } });
      await Promise.all([
        stack.host(...at, "delete", "networkpolicy", "default-deny", "to-etcd"),
        stack.host(...at, "patch", "secret", "scheduler", "--patch", bad),
        stack.host(...at, "scale", "deployment", "kube-scheduler", "--replicas=3"),
        stack.host(...at, "delete", "deployment", "kube-apiserver", "--wait=false"),
        stack.host(...at, "delete", "service", "apiserver", "--wait=false"),
      ]);
      const { id } = await stack.json("cluster", "get", "red");
      await stack.poke(id);
      await expect.poll(() => onHost(stack, namespace), { timeout: 60_000, interval: 500 }).toEqual(before);
      const answers = async () => (await stack.kubectl(kubeconfig, "get", "configmap", "kept", "-o", "name")).out;
      await expect.poll(answers, { timeout: 60_000, interval: 500 }).toBe("configmap/kept\n");
      expect((await stack.json("cluster", "get", "red", "--wait", "--timeout", "90s")).status.phase).toBe("Ready");
    });

    test("an ear hears what others change on the host, and it is put back within five seconds", async () => {
      const at = ["--namespace", await namespaceOf(stack, "red")];
      const wanted = ["deployment", "kube-scheduler", "-o", "jsonpath={.spec.replicas}"];
      // The lap comes once in fifty seconds: it could not do this three times.
      for (let time = 0; time < 3; time += 1) {
        await stack.host(...at, "scale", "deployment", "kube-scheduler", "--replicas=2");
        const since = performance.now();
        await vi.waitUntil(async () => (await stack.host(...at, "get", ...wanted)) === "1", {
          timeout: 5_000,
          interval: 100,
        });
        console.log(`put back in ${((performance.now() - since) / 1000).toFixed(1)} s`);
      }
    });

    test("the slow round finds damage that nobody told of", async () => {
      const at = ["--namespace", await namespaceOf(stack, "red")];
      await stack.host(...at, "delete", "networkpolicy", "api");
      const there = async () => (await stack.host(...at, "get", "networkpolicies", "-o", "name")).includes("/api\n");
      // Ten beats of the clock, and what the round itself takes.
      await vi.waitUntil(there, { timeout: 90_000, interval: 1000 });
    });
  });
