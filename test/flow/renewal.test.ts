import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { kubeName } from "#core/id.ts";
import { newStand, type Stand } from "./stand.ts";

const day = 86_400_000;
const leafOf = ({ kube }: Stand, id: string): X509Certificate => {
  const ref = { apiVersion: "v1", kind: "Secret", name: "apiserver", namespace: kubeName(id) };
  const data = kube.objects.find(ref)?.["data"] as Record<string, string>;
  return new X509Certificate(Buffer.from(data["tls.crt"] ?? "", "base64").toString());
};
const templateOf = ({ kube }: Stand, id: string): unknown => {
  const ref = { apiVersion: "apps/v1", kind: "Deployment", name: "kube-apiserver", namespace: kubeName(id) };
  const spec = kube.objects.find(ref)?.["spec"] as { template: unknown } | undefined;
  return spec?.template;
};

test("a settled cluster's certificates are renewed by the sweep alone at their time, long before they end", async () => {
  const stand = await newStand();
  const { world } = stand;
  const id = await stand.make();
  const [old, template, due] = [leafOf(stand, id), templateOf(stand, id), stand.row(id)?.lookAt ?? ""];
  expect(Date.parse(due)).toBeLessThan(Date.parse(old.validTo) - 30 * day);
  await world.clock.pass(Date.parse(due) - Date.parse(world.clock.now()) - 120_000);
  await world.sweep();
  expect(leafOf(stand, id).serialNumber).toBe(old.serialNumber);
  await world.sweep(2);
  const renewed = leafOf(stand, id);
  expect(renewed.serialNumber).not.toBe(old.serialNumber);
  expect(Date.parse(renewed.validTo)).toBeGreaterThan(Date.parse(old.validTo) + 200 * day);
  // The Pods are rolled, as what they mount is another; and the API server is there, with its old authority.
  expect(templateOf(stand, id)).not.toEqual(template);
  await world.sweep(2);
  expect(await stand.phase(id)).toBe("Ready");
  const authority = new X509Certificate(stand.row(id)?.status.authority ?? "");
  expect(renewed.verify(authority.publicKey)).toBe(true);
  expect(Date.parse(stand.row(id)?.lookAt ?? "")).toBeGreaterThan(Date.parse(due) + 200 * day);
  const [lines] = [world.lines.filter(({ level }) => level === "error")];
  expect(lines).toEqual([]);
});

test("a row that is due next year is not read by the sweep", async () => {
  const stand = await newStand();
  const ids = [await stand.make(), await stand.make({ name: "two" })];
  const keys: string[] = [];
  stand.world.outside = ({ table, when }) => {
    if (when === "before") keys.push(...(table?.keys ?? []));
  };
  await stand.world.sweep();
  expect(keys.length).toBeGreaterThan(0);
  expect(keys.filter((key) => ids.some((id) => key.includes(id)))).toEqual([]);
  expect(stand.world.queue.letters).toEqual([]);
});
