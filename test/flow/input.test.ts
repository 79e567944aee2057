import { beforeEach, expect, test } from "vitest";
import { KubeFault } from "#core/context.ts";
import { newID } from "#core/id.ts";
import { newStand, type Stand } from "./stand.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await newStand();
});
const rows = (): string[] =>
  [...stand.world.tables.rows()].filter(([key]) => !key.includes("/token/")).map((row) => JSON.stringify(row));
const fields = (body: Record<string, unknown>): string[] =>
  (body["errors"] as { field: string }[]).map(({ field }) => field).sort();

const bad: [string, Record<string, unknown>, string[]][] = [
  ["a bad name", { name: "Bad Name" }, ["name"]],
  ["an unknown field", { name: "one", hurry: true }, ["hurry"]],
  ["no CIDR", { name: "one", podCIDRs: ["ten"] }, ["podCIDRs.0"]],
  ["CIDRs that overlap each other", { name: "one", serviceCIDRs: ["172.31.0.0/18"] }, ["podCIDRs.0"]],
  [
    "CIDRs that overlap the host's",
    { name: "one", serviceCIDRs: ["10.96.4.0/22"], podCIDRs: ["10.240.0.0/12"] },
    ["podCIDRs.0", "serviceCIDRs.0"],
  ],
  ["a version that is none", { name: "one", version: "latest" }, ["version"]],
  ["an unknown version", { name: "one", version: "1.99" }, ["version"]],
  ["an expired version", { name: "one", version: "1.32" }, ["version"]],
  ["a version that no host can run", { name: "one", version: "1.33" }, ["version"]],
  ["a region that is none", { name: "one", region: "nowhere" }, ["region"]],
  [
    "everything at once",
    { name: "-", hurry: true, version: "1.32", podCIDRs: ["10.112.0.0/16", "10.99.0.0/16"], labels: { "a b": "c" } },
    ["hurry", "labels.a b", "name", "podCIDRs", "podCIDRs.0", "podCIDRs.1", "version"],
  ],
  ["what only hosts can tell, at once", { name: "one", version: "1.33", region: "nowhere" }, ["region"]],
];

test.each(bad)("%s is refused with every fault and its field, and nothing is written", async (_, input, wrong) => {
  const before = rows();
  const { status, body } = await stand.ada.post("/v1/clusters", input);
  expect({ status, kind: body["kind"], fields: fields(body) }).toEqual({ status: 400, kind: "invalid", fields: wrong });
  expect(rows()).toEqual(before);
  expect(stand.world.queue.letters).toEqual([]);
});

test("an expired version is refused with the day on which it ended", async () => {
  const { body } = await stand.ada.post("/v1/clusters", { name: "one", version: "1.32.1" });
  expect(JSON.stringify(body["errors"])).toContain("2026-02-28");
});

test("a name that is taken is refused, with its field, and the first keeps it; in another tenant it is free", async () => {
  const id = await stand.ask({ name: "one" });
  const before = rows();
  expect(await stand.ada.post("/v1/clusters", { name: "one" })).toMatchObject({
    status: 409,
    body: { kind: "conflict", errors: [{ field: "name" }] },
  });
  expect(rows()).toEqual(before);
  expect((await stand.ada.get("/v1/clusters?name=one")).body).toMatchObject({ items: [{ id }] });
  const other = await stand.world.tenant("blue");
  expect((await other.post("/v1/clusters", { name: "one" })).status).toBe(201);
});

test("ten at once get ten seats and the eleventh hears that every host is full; a removal makes room", async () => {
  const names = Array.from({ length: 10 }, (_, i) => `c${i}`);
  const made = await Promise.all(names.map((name) => stand.ada.post("/v1/clusters", { name })));
  expect(made.map(({ status }) => status)).toEqual(names.map(() => 201));
  const ports = made.map(({ body }) => stand.row(String(body["id"]))?.placement.port);
  expect(new Set(ports).size).toBe(10);
  const before = rows();
  const full = await stand.ada.post("/v1/clusters", { name: "more" });
  expect(full).toMatchObject({ status: 503, body: { kind: "unavailable", detail: expect.stringContaining("full") } });
  expect(full.headers.get("retry-after")).toBe("60");
  expect(rows()).toEqual(before);
  await stand.ada.delete(`/v1/clusters/${made[3]?.body["id"]}`);
  await stand.world.drain();
  expect(stand.row(await stand.ask({ name: "more" }))?.placement.port).toBe(ports[3]);
});

test.each([{}, { version: "1.34" }, { region: "north" }, { version: "1.34.4", region: "north" }])(
  "with a host that was not well for over 3 minutes, %o is refused as a matter of time, and nothing is written",
  async (wish) => {
    const { kube, world, ada } = stand;
    kube.ready = false;
    await world.sweep(4);
    const before = rows();
    const { status, body, headers } = await ada.post("/v1/clusters", { name: "one", ...wish });
    expect([status, body["kind"], headers.get("retry-after")]).toEqual([503, "unavailable", "60"]);
    expect(body["detail"]).toMatch(/host/i);
    expect(rows()).toEqual(before);
    kube.ready = true;
    await world.sweep();
    expect(await stand.phase(await stand.make())).toBe("Ready");
  },
);

test("under 3 minutes it is accepted, and waits where everyone sees it", async () => {
  const { kube, world, conditions } = stand;
  const fault = new KubeFault("unavailable", "the host does not answer");
  kube.troubles.push({ match: () => true, fault, when: "before" });
  await world.sweep(2);
  const id = await stand.ask();
  await world.drain();
  expect(await stand.phase(id)).toBe("Pending");
  expect(conditions(id)["Retrying"]).toMatchObject({ status: "True", message: "the host does not answer" });
  kube.troubles.length = 0;
  await world.sweep(2);
  expect(await stand.phase(id)).toBe("Ready");
});

test("another tenant's id is answered like one that never was, and changes nothing", async () => {
  const id = await stand.make();
  const eve = await stand.world.tenant("blue");
  const before = stand.still(id);
  const never = newID(stand.world.deps, "cluster");
  for (const [method, path, body] of [
    ["GET", "/v1/clusters/ID", undefined],
    ["GET", "/v1/clusters/ID/kubeconfig", undefined],
    ["GET", "/v1/clusters/ID/receipt", undefined],
    ["PATCH", "/v1/clusters/ID", { labels: { mine: "now" } }],
    ["DELETE", "/v1/clusters/ID", undefined],
    ["DELETE", "/v1/clusters/ID?confirm=one", undefined],
    ["POST", "/v1/kube/clusters/ID/token", {}],
    ["POST", "/v1/kube/clusters/ID/kubeconfig", {}],
  ] as const) {
    const [theirs, none] = [id, never].map((of) => eve.call(method, path.replace("ID", of), body));
    const said = async (answer: typeof theirs): Promise<unknown> => {
      const { status, body: { requestID: _, ...rest } = {} } = (await answer) ?? {};
      return { status, rest };
    };
    expect(await said(theirs), path).toEqual(await said(none));
    expect((await theirs)?.status).toBe(404);
  }
  expect((await eve.get("/v1/clusters")).body["items"]).toEqual([]);
  expect(stand.still(id)).toEqual(before);
});

test("a message that is not ours, or newer than we are, goes to the dead letters alone", async () => {
  const { world } = stand;
  const id = await stand.ask();
  const strange = ["not ours", JSON.stringify({ tenant: stand.ada.tenant, id: "new_01k00000000000000000000001" })];
  for (const body of strange) world.queue.send(body);
  expect(await world.drain()).toEqual([]);
  expect(world.queue.dead.map(({ body }) => body)).toEqual(strange);
  expect(await stand.phase(id)).toBe("Ready");
});

test("a poke with another tenant's name on it does nothing", async () => {
  const { world } = stand;
  const id = await stand.make();
  const eve = await world.tenant("blue");
  const before = stand.still(id);
  world.queue.send(JSON.stringify({ tenant: eve.tenant, id }));
  expect(await world.drain()).toEqual([]);
  expect(stand.still(id)).toEqual(before);
});
