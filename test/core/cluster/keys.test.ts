import { expect, test } from "vitest";
import { newStand, type Stand } from "../../flow/stand.ts";
import { adminTarget, keepKey, keyNames, makeAuthorities, openKey } from "#core/cluster/keys.ts";
import { Refused } from "#core/context.ts";
import * as PKI from "#core/pki/index.ts";
import { workOf } from "#functions/deps.ts";

const days = (count: number): number => count * 86_400_000;

async function keys(stand: Stand, id: string) {
  const cluster = stand.row(id);
  if (cluster === undefined) throw new Error("there is no such cluster");
  const work = await workOf(stand.world.deps, stand.world.context(stand.ada.tenant));
  const [authorities, leaves, access] = await Promise.all([
    openKey(work, cluster, "authorities"),
    openKey(work, cluster, "leaves"),
    openKey(work, cluster, "access"),
  ]);
  return { authorities: authorities?.value, leaves, access };
}
const marks = (stand: Stand, id: string): string[] =>
  [...stand.onHost(id).values()]
    .filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet")
    .map((one) => {
      const { template } = one["spec"] as { template: { metadata: { annotations: Record<string, string> } } };
      return template.metadata.annotations["berth.dev/config"] ?? "";
    });

test("certificates are signed anew in time, by the same authorities, and every Pod takes them", async () => {
  const stand = await newStand();
  const { world, row } = stand;
  const id = await stand.make();
  const [before, pods] = [await keys(stand, id), marks(stand, id)];
  const due = Date.parse(row(id)?.lookAt ?? "");
  await world.clock.pass(due - Date.parse(world.clock.now()) - days(2));
  await world.sweep(2);
  expect(await keys(stand, id)).toEqual(before);
  await world.clock.pass(days(2));
  await world.sweep(2);
  const after = await keys(stand, id);
  expect(after.authorities).toEqual(before.authorities);
  expect(Date.parse(after.leaves?.expiresAt ?? "") - Date.parse(before.leaves?.expiresAt ?? "")).toBeGreaterThan(
    days(200),
  );
  for (const [name, pair] of Object.entries((after.leaves?.value ?? {}) as Record<string, PKI.Pair>)) {
    expect(Date.parse(PKI.expiry(pair.certificate)) - Date.parse(world.clock.now()), name).toBeGreaterThan(days(360));
    expect(pair.key, name).not.toBe(before.leaves?.value[name as "etcd"].key);
  }
  expect(after.access?.value.key).not.toBe(before.access?.value.key);
  expect(marks(stand, id).filter((mark) => pods.includes(mark))).toEqual([]);
  expect(await stand.phase(id)).toBe("Ready");
  expect(Date.parse(row(id)?.lookAt ?? "")).toBeGreaterThan(due + days(200));
  const still = stand.still(id);
  await world.round();
  expect(stand.still(id)).toEqual(still);
});

test("over three years no certificate of a cluster ever ends, and it stays ready", async () => {
  const stand = await newStand();
  const id = await stand.make();
  for (let month = 0; month < 36; month += 1) {
    await stand.world.clock.pass(days(30));
    await stand.world.sweep();
    const { leaves, access } = await keys(stand, id);
    for (const at of [leaves?.expiresAt, access?.expiresAt])
      expect(Date.parse(at ?? "") - Date.parse(stand.world.clock.now())).toBeGreaterThan(days(30));
  }
  await stand.world.round();
  expect(await stand.phase(id)).toBe("Ready");
});

test("whoever comes second with authorities, fenced off or not, keeps none: the first stay", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const cluster = stand.row(id);
  if (cluster === undefined) throw new Error("there is no such cluster");
  const before = await keys(stand, id);
  const work = await workOf(stand.world.deps, stand.world.context(stand.ada.tenant));
  const late = keepKey(work, cluster, "authorities", await makeAuthorities(work), { once: true });
  await expect(late).rejects.toMatchObject({ name: "Refused" });
  expect(await keys(stand, id)).toEqual(before);
});

test("a worker that slept through its lease can't make the keys anew", async () => {
  const stand = await newStand();
  const { world } = stand;
  const id = await stand.ask();
  let made: string | undefined;
  world.outside = async ({ table, when }) => {
    const first = table?.changes?.find(({ kind, act }) => kind === "key" && act !== "remove");
    if (when !== "before" || first === undefined || made !== undefined) return;
    // Meanwhile another did all of it.
    made = "under way";
    const [row] = [stand.row(id)];
    if (row === undefined) throw new Error("there is no such cluster");
    const work = await workOf(world.deps, world.context(stand.ada.tenant));
    const authorities = await makeAuthorities(work);
    await keepKey(work, row, "authorities", authorities, { once: true });
    made = authorities.cluster.certificate;
  };
  await world.drain();
  world.outside = undefined;
  await world.sweep(2);
  expect(stand.row(id)?.status.authority).toBe(made);
  expect(await stand.phase(id)).toBe("Ready");
});

test("keys are items of their own, sealed, and one does not pass for another", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const kept = [...stand.world.tables.rows()].filter(([key]) => key.includes("/key/"));
  expect(kept.map(([key]) => key.split("/").at(-1) ?? "").sort()).toEqual([...keyNames].sort());
  for (const [, { sealed }] of kept) expect(sealed).toMatch(/^v1\.[\w-]+\.[\w-]+\.[\w-]+$/);
  const [first, second] = kept.map(([, { sealed }]) => String(sealed));
  const binding = { tenant: stand.ada.tenant, cluster: id, name: "authorities" };
  const opened = await Promise.allSettled([first, second].map((sealed = "") => stand.world.seal.open(sealed, binding)));
  expect(opened.filter(({ status }) => status === "fulfilled").length).toBeLessThan(2);
});

test("what is remembered of a cluster is remembered of its address", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const { authorities } = await keys(stand, id);
  const cluster = stand.row(id);
  if (cluster === undefined || authorities === undefined) throw new Error("there is no such cluster");
  const work = await workOf(stand.world.deps, stand.world.context(stand.ada.tenant));
  const first = await adminTarget(work, cluster, authorities);
  const moved = { ...cluster, placement: { ...cluster.placement, port: cluster.placement.port + 1 } };
  const other = await adminTarget(work, moved, authorities);
  expect([first.server, other.server]).toEqual(
    [cluster, moved].map(({ placement: { address, port } }) => `https://${address}:${port}`),
  );
  expect(await adminTarget(work, cluster, authorities)).toBe(first);
});

test("a worker that slept until the cluster was ended keeps no key of it", async () => {
  const stand = await newStand();
  const { world } = stand;
  const id = await stand.make();
  const cluster = stand.row(id);
  if (cluster === undefined) throw new Error("there is no such cluster");
  const work = await workOf(world.deps, world.context(stand.ada.tenant));
  const made = await makeAuthorities(work);
  await stand.ada.call("DELETE", `/v1/clusters/${id}`);
  await world.drain();
  expect(stand.row(id)).toBeUndefined();
  await expect(keepKey(work, cluster, "authorities", made, { once: true })).rejects.toThrow(Refused);
  expect([...world.tables.rows()].filter(([key]) => key.includes(`/key/${id}`))).toEqual([]);
});
