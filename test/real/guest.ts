import { once } from "node:events";
import { chmodSync, copyFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leftovers } from "./machine.ts";
import { type Cluster, Stack } from "./stack.ts";

/** Another stack, whose host is a Kubernetes of the user's own: here the first stack's. It has one port to give. */
export const guest = (stack: Stack) =>
  describe("a stack on a host of the user's own, without root", () => {
    const own = new Stack({ rootless: true });
    const file = join(own.people, "host.kubeconfig");
    const flags = () =>
      `--no-cluster --host-kubeconfig ${file} --host-images berth.local --host-storage-class berth-local
      --host-ports 32000-32000 --host-version 1.34.4 --host-service-cidr 10.96.0.0/16 --host-pod-cidr 10.244.0.0/16`.split(
        /\s+/,
      );
    beforeAll(() => {
      own.open();
      copyFileSync(stack.hostKubeconfig, file);
      chmodSync(file, 0o644);
    });
    afterAll(async () => {
      await own.remove();
    });

    test("a port that is taken is named, with the way to go on, and that way works", async () => {
      const other = createServer().listen(0, "127.0.0.1");
      await once(other, "listening");
      const { port } = other.address() as AddressInfo;
      const { code, err } = await own.start(...flags(), "--port", String(port));
      other.close();
      expect(code).toBe(1);
      expect(err).toMatch(new RegExp(`port ${port}\\b.* of 127.0.0.1 is in use by another program`));
      const way = /npm start -- (--port \d+)/.exec(err)?.[1]?.split(" ") ?? [];
      const out = await own.up(...flags(), ...way);
      expect(out).toContain("Berth is up.");
      expect(own.url).toMatch(new RegExp(`:${way[1]}$`));
    });

    test("its clusters stand on that host; when it is full it says so, and a removed one's seat serves the next", async () => {
      const made = await own.json("cluster", "create", "green", "--wait");
      expect(made.status.endpoint).toMatch(/:32000$/);
      const { out, err } = await stack.kubectl(
        await own.kubeconfig("green", "--token"),
        "get",
        "namespaces",
        "-o",
        "name",
      );
      expect(err).toBe("");
      expect(out).toContain("namespace/kube-system");
      const refused = await own.berth(["cluster", "create", "teal"]);
      expect(refused.code).toBe(6);
      expect(refused.err).toMatch(/full/);
      expect((await own.berth(["cluster", "delete", "green", "--yes", "--wait"])).code).toBe(0);
      const next = await own.api<Cluster>("POST", "/v1/clusters", { name: "teal" });
      expect((await own.berth(["cluster", "delete", next.id, "--yes", "--wait"])).code).toBe(0);
      const namespaces = await stack.things("namespaces", "--selector", "app.kubernetes.io/managed-by=berth");
      const ids = new Set([made.id, next.id].map((id) => id.replace("_", "-")));
      expect(namespaces.filter(({ metadata }) => ids.has(metadata.name))).toEqual([]);
    });

    test("it is ended without root too, and leaves no process", async () => {
      const { code, err } = await own.start("down");
      expect(code, err).toBe(0);
      expect(await leftovers(own.state)).toEqual([]);
    });
  });
