import { expect, test } from "vitest";
import { kubeName } from "#core/id.ts";
import { newStand } from "./stand.ts";

test("removal leaves nothing on the host and in the table but a receipt that says so", async () => {
  const { world, ada, make, onHost, row } = await newStand();
  const rows = new Set(world.tables.rows().keys());
  const id = await make();
  const there = [...onHost(id).keys()];
  const going = await ada.delete(`/v1/clusters/${id}?confirm=one`);
  expect(going).toMatchObject({ status: 202, body: { generation: 2, status: { phase: "Deleting" } } });
  await world.drain();
  expect([...onHost(id)]).toEqual([]);
  expect(row(id)).toBeUndefined();
  const receipt = await ada.get(`/v1/clusters/${id}/receipt`);
  expect(receipt).toMatchObject({ status: 200, body: { id, name: "one", remaining: [] } });
  const removed = receipt.body["removed"] as string[];
  expect(removed).toHaveLength(there.length);
  expect(removed).toContain(`Namespace ${kubeName(id)}`);
  expect(Date.parse(String(receipt.body["goneAt"]))).toBeGreaterThanOrEqual(
    Date.parse(String(going.body["deletedAt"])),
  );
  const left = [...world.tables.rows().keys()].filter((key) => !rows.has(key) && !key.includes("/audit/"));
  // The counter of the tenant's clusters was made with the first, and is no trace of it.
  expect(left).toEqual([`${ada.tenant}/quota/clusters`, `${ada.tenant}/receipt/${id}`]);
  expect(world.tables.rows().get(`${ada.tenant}/quota/clusters`)).toEqual({ what: "clusters", used: 0 });
});

test("what is gone is answered like what never was, by every route", async () => {
  const { world, ada, make } = await newStand();
  const id = await make();
  await ada.delete(`/v1/clusters/${id}`);
  await world.drain();
  const never = "cls_01k00000000000000000000001";
  for (const [method, rest, body] of [
    ["GET", "", undefined],
    ["GET", "?wait=1", undefined],
    ["PATCH", "", { labels: {} }],
    ["DELETE", "", undefined],
    ["GET", "/kubeconfig", undefined],
    ["POST", "/token", {}],
  ] as const) {
    const path = (of: string): string => `/v1/${rest === "/token" ? "kube/" : ""}clusters/${of}${rest}`;
    const [gone, none] = [await ada.call(method, path(id), body), await ada.call(method, path(never), body)];
    const said = ({ status, body: { requestID: _, ...problem } }: typeof gone): unknown => ({ status, problem });
    expect(said(gone), path(id)).toEqual(said(none));
    expect(gone.status).toBe(404);
  }
  expect((await ada.get("/v1/clusters")).body).toEqual({ items: [], next: null });
});

test("its name and its seat are free again; the new one has other keys and an etcd of its own", async () => {
  const stand = await newStand();
  const { world, ada, row } = stand;
  const first = await stand.make();
  const { port } = row(first)?.placement ?? {};
  const { authority } = row(first)?.status ?? {};
  const before = stand.inside(first);
  await ada.delete(`/v1/clusters/${first}`);
  expect(await ada.post("/v1/clusters", { name: "one" })).toMatchObject({ status: 409, body: { kind: "conflict" } });
  await world.drain();
  const id = await stand.make();
  expect(row(id)?.status.authority).not.toBe(authority);
  expect(stand.inside(id)).not.toBe(before);
  const ports = [row(id)?.placement.port];
  for (let i = 1; i < 10; i += 1) ports.push(row(await stand.ask({ name: `n${i}` }))?.placement.port);
  expect([new Set(ports).size, ports.includes(port)]).toEqual([10, true]);
});

test("a protected cluster is not removed, and nothing of it is touched", async () => {
  const { world, ada, make, still } = await newStand();
  const id = await make({ deletionProtection: true });
  const before = still(id);
  expect(await ada.delete(`/v1/clusters/${id}`)).toMatchObject({
    status: 409,
    body: { errors: [{ field: "deletionProtection" }] },
  });
  await world.round();
  expect(still(id)).toEqual(before);
  await ada.patch(`/v1/clusters/${id}`, { deletionProtection: false });
  expect((await ada.delete(`/v1/clusters/${id}`)).status).toBe(202);
});

test("a cluster that never came up is removed like any other", async () => {
  const { world, kube, ada, ask, phase, onHost } = await newStand();
  kube.runs = () => false;
  const id = await ask();
  await world.drain();
  await ada.delete(`/v1/clusters/${id}`);
  await world.drain();
  expect([await phase(id), [...onHost(id)]]).toEqual([404, []]);
});

test("one that was not begun is removed with an empty list, and its keys are not made", async () => {
  const { world, ada, ask } = await newStand();
  const id = await ask();
  await ada.delete(`/v1/clusters/${id}`);
  await world.drain();
  expect((await ada.get(`/v1/clusters/${id}/receipt`)).body).toMatchObject({ removed: [], remaining: [] });
  expect([...world.tables.rows().keys()].filter((key) => key.includes("/key/"))).toEqual([]);
});

test.each([1, 5, 15, 30, 45, 60, 70, 80, 90, 97])(
  "asked for when %i %% of the making is done, removal wins and leaves nothing",
  async (percent) => {
    const calm = await newStand();
    let all = 0;
    await calm.ask();
    calm.world.outside = ({ when }) => void (when === "before" && (all += 1));
    await calm.world.drain();
    const nth = Math.ceil((all * percent) / 100);
    const { world, ada, ask, onHost } = await newStand();
    const id = await ask();
    let calls = 0;
    let answered: Promise<{ status: number }> | undefined;
    world.outside = async ({ when }) => {
      if (when !== "before" || ++calls !== nth) return;
      world.outside = undefined;
      await (answered = ada.delete(`/v1/clusters/${id}`));
    };
    await world.drain();
    world.outside = undefined;
    await world.drain();
    await world.sweep(2);
    expect((await answered)?.status).toBe(202);
    expect([...onHost(id)]).toEqual([]);
    expect((await ada.get(`/v1/clusters/${id}/receipt`)).body).toMatchObject({ id, remaining: [] });
    expect([...world.tables.rows().keys()].filter((key) => /\/(key|seat|clusterName)\//.test(key))).toEqual([]);
  },
);

test("while it is being removed it can't be changed, and a second removal changes nothing", async () => {
  const { world, ada, make, row } = await newStand();
  const id = await make();
  const first = await ada.delete(`/v1/clusters/${id}`);
  await world.clock.pass(5_000);
  const before = row(id);
  expect(await ada.patch(`/v1/clusters/${id}`, { labels: { a: "b" } })).toMatchObject({ status: 409 });
  expect(await ada.delete(`/v1/clusters/${id}`)).toMatchObject({
    status: 202,
    body: { deletedAt: first.body["deletedAt"] },
  });
  expect(row(id)).toEqual(before);
});

test("removal waits for what holds on, tells what, and ends when that lets go", async () => {
  const { world, kube, ada, make, phase, conditions, onHost } = await newStand();
  const id = await make();
  const held = { apiVersion: "v1", kind: "ConfigMap", name: "held", namespace: kubeName(id) };
  const { name, namespace } = held;
  const labels = { "berth.dev/cluster": kubeName(id), "app.kubernetes.io/managed-by": "berth" };
  kube.objects.create({ ...held, metadata: { name, namespace, labels, finalizers: ["stranger.example/hold"] } });
  await ada.delete(`/v1/clusters/${id}`);
  await world.drain();
  await world.sweep(2);
  expect(await phase(id)).toBe("Deleting");
  expect(conditions(id)["Removed"]?.message).toMatch(/^2 of \d+ objects are left on the host\.$/);
  const found = kube.objects.find(held);
  if (found === undefined) throw new Error("it should be held");
  kube.objects.change({ ...found, metadata: { ...found.metadata, finalizers: [] } });
  await world.sweep(2);
  expect([await phase(id), [...onHost(id)]]).toEqual([404, []]);
});

test("a cluster is removed although its own API server is dead", async () => {
  const { world, kube, ada, make, phase } = await newStand();
  const id = await make();
  kube.runs = () => false;
  world.tick();
  await ada.delete(`/v1/clusters/${id}`);
  await world.drain();
  expect(await phase(id)).toBe(404);
});
