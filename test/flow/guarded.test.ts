import { beforeEach, expect, test } from "vitest";
import { newStand, type Stand } from "./stand.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await newStand();
});
const able = {
  name: "south",
  region: "south",
  address: "192.0.2.20",
  policyEngine: "calico",
  homeRanges: ["198.51.100.0/24"],
};
const ranges = ["203.0.113.0/24", "2001:db8::/32"];

/** Who may come to the API server, as its policy says; undefined: anyone. */
function callers(id: string): string[] | undefined {
  const policy = stand.world
    .on({ address: stand.row(id)?.placement.address ?? "" })
    .objects.all()
    .find(({ kind, metadata }) => kind === "NetworkPolicy" && metadata.name === "api");
  const spec = policy?.["spec"] as { ingress: { from?: { ipBlock: { cidr: string } }[] }[] } | undefined;
  return spec?.ingress[0]?.from?.map(({ ipBlock }) => ipBlock.cidr);
}
const traffic = (id: string): unknown => {
  const service = stand.world
    .on({ address: stand.row(id)?.placement.address ?? "" })
    .objects.all()
    .find(({ kind, metadata }) => kind === "Service" && metadata.name === "apiserver");
  return (service?.["spec"] as { externalTrafficPolicy: string } | undefined)?.externalTrafficPolicy;
};

test("a guarded cluster stands where policies are enforced, and lets in its ranges, its host and home alone", async () => {
  const south = await stand.world.host(able);
  const id = await stand.make({ sourceRanges: ranges });
  expect(stand.row(id)?.placement.host).toBe(south.id);
  expect(callers(id)).toEqual([...ranges, "10.96.0.0/16", "10.244.0.0/16", "198.51.100.0/24"]);
  expect(traffic(id)).toBe("Local");
  expect((await stand.ada.get(`/v1/clusters/${id}`)).body).toMatchObject({ spec: { sourceRanges: ranges } });
});

test("ranges are set, changed and lifted later, and the policy follows each time", async () => {
  await stand.world.host(able);
  const id = await stand.make({ region: "south" });
  expect([callers(id), traffic(id)]).toEqual([undefined, "Cluster"]);
  for (const sourceRanges of [ranges, ["203.0.113.7/32"], []]) {
    expect((await stand.ada.patch(`/v1/clusters/${id}`, { sourceRanges })).status).toBe(200);
    await stand.world.drain();
    expect(await stand.phase(id)).toBe("Ready");
    expect(callers(id)?.slice(0, sourceRanges.length)).toEqual(sourceRanges.length > 0 ? sourceRanges : undefined);
    expect(traffic(id)).toBe(sourceRanges.length > 0 ? "Local" : "Cluster");
    expect(stand.row(id)).toMatchObject({ failures: 0 });
  }
});

test.each([
  ["enforces nothing", { policyEngine: null }, "network policies"],
  ["does not say where home is", { homeRanges: [] }, "Berth itself"],
])("a host that %s can't promise it: refused with the reason, and nothing is written", async (_, more, why) => {
  await stand.world.host({ ...able, ...more });
  const before = stand.world.tables.rows().size;
  const input = { name: "one", region: "south", sourceRanges: ranges };
  const refused = await stand.ada.post("/v1/clusters", input);
  expect(refused).toMatchObject({ status: 400, body: { errors: [{ field: "sourceRanges" }] } });
  expect(refused.text).toContain(why);
  expect(stand.world.tables.rows().size).toBe(before);
  const id = await stand.make({ region: "south" });
  const later = await stand.ada.patch(`/v1/clusters/${id}`, { sourceRanges: ranges });
  expect(later).toMatchObject({ status: 400, body: { errors: [{ field: "sourceRanges" }] } });
  expect((await stand.ada.patch(`/v1/clusters/${id}`, { sourceRanges: [] })).status).toBe(200);
});

test.each([[["10.0.0.1"]], [["ten"]], [["::ffff:10.0.0.0/104"]], [Array(65).fill("10.0.0.0/8")], ["10.0.0.0/8"]])(
  "%j is no list of ranges",
  async (sourceRanges) => {
    const { status, body } = await stand.ada.post("/v1/clusters", { name: "one", sourceRanges });
    expect(status).toBe(400);
    expect((body["errors"] as { field: string }[])[0]?.field).toMatch(/^sourceRanges/);
  },
);
