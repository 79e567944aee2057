import { describe, expect, test } from "vitest";
import type { Found, Manifest } from "#core/context.ts";
import { kindOf, refOf, space, version, type Subject } from "./subject.ts";

/** How Services get their addresses. */
export function services(subject: Subject): void {
  describe("Services", () => {
    const service = (namespace: string, name: string, spec: object): Manifest => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace },
      spec: { selector: { app: "x" }, ...spec },
    });
    const specOf = (object: Found) =>
      object["spec"] as { clusterIP: string; ports: { port: number; nodePort?: number; protocol: string }[] };
    const ports = (nodePort?: number) => [
      { name: "https", port: 443, ...(nodePort === undefined ? {} : { nodePort }) },
    ];

    test("keep the node port they name, which nobody else gets", async () => {
      const namespace = await space(subject.api);
      const one = await subject.api.create(service(namespace, "one", { type: "NodePort", ports: ports(30005) }));
      expect(specOf(one).ports).toMatchObject([{ nodePort: 30005, protocol: "TCP", targetPort: 443 }]);
      const two = service(namespace, "two", { type: "NodePort", ports: ports(30005) });
      expect(await kindOf(subject.api.create(two))).toBe("invalid");
      await subject.api.remove(refOf(one), one.metadata);
      expect(specOf(await subject.api.create(two)).ports[0]?.nodePort).toBe(30005);
    });

    test("get an address and node ports that are free, and keep them when they change", async () => {
      const namespace = await space(subject.api);
      const manifest = service(namespace, "one", { type: "NodePort", ports: ports() });
      const one = await subject.api.create(manifest);
      const two = await subject.api.create(service(namespace, "two", { type: "NodePort", ports: ports() }));
      expect(specOf(one).clusterIP).toMatch(/^10\.97\.0\.\d+$/);
      expect(specOf(two).clusterIP).not.toBe(specOf(one).clusterIP);
      expect(specOf(two).ports[0]?.nodePort).not.toBe(specOf(one).ports[0]?.nodePort);
      const metadata = { ...manifest.metadata, labels: { a: "b" } };
      const changed = await subject.api.apply({ ...manifest, metadata }, version(one));
      expect(specOf(changed)).toEqual(specOf(one));
    });

    test("have the address they ask for, and no other later", async () => {
      const namespace = await space(subject.api);
      const clusterIP = "10.97.0.200";
      const one = await subject.api.create(service(namespace, "one", { clusterIP, ports: ports() }));
      expect(specOf(one).clusterIP).toBe(clusterIP);
      expect(await kindOf(subject.api.create(service(namespace, "two", { clusterIP, ports: ports() })))).toBe(
        "invalid",
      );
      const outside = service(namespace, "two", { clusterIP: "10.98.0.9", ports: ports() });
      expect(await kindOf(subject.api.create(outside))).toBe("invalid");
      const moved = service(namespace, "one", { clusterIP: "10.97.0.201", ports: ports() });
      expect(await kindOf(subject.api.apply(moved, version(one)))).toBe("invalid");
      const unsaid = await subject.api.apply(service(namespace, "one", { ports: ports() }), version(one));
      expect(specOf(unsaid).clusterIP).toBe(clusterIP);
      await subject.api.remove(refOf(one), { uid: one.metadata.uid });
    });

    test("a port outside of the range is refused", async () => {
      const namespace = await space(subject.api);
      const low = service(namespace, "one", { type: "NodePort", ports: ports(443) });
      expect(await kindOf(subject.api.create(low))).toBe("invalid");
    });

    test("a headless one has no address", async () => {
      const namespace = await space(subject.api);
      const one = await subject.api.create(service(namespace, "one", { clusterIP: "None", ports: ports() }));
      expect(specOf(one).clusterIP).toBe("None");
    });
  });
}
