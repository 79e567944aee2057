import { beforeEach, describe, expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "./stand.ts";
import * as Access from "#core/access/index.ts";
import { KubeFault } from "#core/context.ts";
import type { ID } from "#core/id.ts";
import { contextOf, system, workOf } from "#functions/deps.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await newStand();
});

describe("what is in a project", () => {
  const contents = async (project: string, who = stand.ada) =>
    (await who.get(`/v1/kube/projects/${project}/contents`)).body;
  const put = (cluster: string, kind: string, name: string, namespace = "shop", apiVersion = "v1") =>
    stand.inside(cluster).objects.create({ apiVersion, kind, metadata: { name, namespace } });

  test("is told by kind and name on each cluster, without what Berth put there and without what is inside", async () => {
    const [red, blue] = [await stand.make(), await stand.make({ name: "two" })];
    const shop = await stand.space("shop", [red, blue], { limits: { pods: 5 } });
    for (let n = 0; n < 25; n += 1) put(red, "Secret", `s${String(n).padStart(2, "0")}`);
    put(red, "Deployment", "web", "shop", "apps/v1");
    put(red, "Secret", "elsewhere", "default");
    put(red, "ConfigMap", "kube-root-ca.crt");
    const told = (await contents(shop))["places"] as { kinds: { kind: string; count: number; names: string[] }[] }[];
    const there = told.map(({ kinds }) => kinds.filter(({ count }) => count > 0));
    expect(there[0]).toMatchObject([
      { kind: "Deployment", count: 1, names: ["web"] },
      { kind: "Secret", count: 25 },
    ]);
    expect(there[0]?.[1]?.names).toHaveLength(20);
    expect(there[1]).toEqual([]);
  });

  test("is told by the caller's own rights, and of a cluster that is late or another's namespace the reason", async () => {
    const { world, ada } = stand;
    const [red, blue] = [await stand.make(), await stand.make({ name: "two" })];
    stand.inside(blue).objects.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    put(blue, "Secret", "theirs");
    const shop = await stand.space("shop", [red, blue]);
    put(red, "Secret", "key");
    const bob = await world.member(ada.tenant, "viewer");
    expect(await contents(shop, bob)).toMatchObject({ places: [{ why: expect.stringContaining("no right") }, {}] });
    await stand.give(bob.member, "view", shop);
    const seen = (await contents(shop, bob))["places"] as {
      why?: string;
      kinds: { kind: string; count: number | null }[];
    }[];
    expect(seen[0]?.kinds).toContainEqual({ kind: "Secret", count: null, names: [] });
    expect(seen[0]?.kinds).toContainEqual({ kind: "Pod", count: 0, names: [] });
    expect(seen[1]).toMatchObject({ kinds: [], why: expect.stringContaining("was there before") });
    world.outside = async ({ kube, when }) => {
      if (kube?.verb === "list" && kube.namespace === "shop" && when === "before") await world.deps.sleep(60_000);
    };
    const late = await world.answered(contents(shop));
    expect(late["places"]).toMatchObject([{ why: "It has not answered within 5 s.", kinds: [] }, {}]);
  });

  test("is nothing to a stranger, and to a token that is bound to another project", async () => {
    const { world, ada } = stand;
    const red = await stand.make();
    const [shop, desk] = [await stand.space("shop", [red]), await stand.space("desk", [red])];
    const stranger = await world.tenant("blue");
    const bound = await ada.post("/v1/tokens", { name: "ci", projects: [desk] });
    expect(bound.status).toBe(201);
    const ci = world.as(String(bound.body["token"]));
    for (const what of ["contents", "usage"]) {
      expect((await stranger.get(`/v1/kube/projects/${shop}/${what}`)).status).toBe(404);
      expect((await ci.get(`/v1/kube/projects/${shop}/${what}`)).status).toBe(403);
      expect((await ci.get(`/v1/kube/projects/${desk}/${what}`)).status).toBe(200);
    }
    expect((await ci.get("/v1/projects")).body["items"]).toMatchObject([{ name: "desk" }]);
    const blue = await stand.make({ name: "two" });
    const both = await stand.space("both", [red, blue]);
    const narrow = await ada.post("/v1/tokens", { name: "narrow", projects: [both], clusters: [blue] });
    const seen = await world.as(String(narrow.body["token"])).get(`/v1/kube/projects/${both}/contents`);
    expect(seen.body["places"]).toMatchObject([{ clusterName: "two" }]);
    expect(seen.body["places"]).toHaveLength(1);
    const reader = contextOf(world.deps, { ...system(ada.tenant), scopes: ["project:read"] }, "test");
    const work = await workOf(world.deps, reader);
    await expect(Access.contents(work, both as ID<"project">)).rejects.toMatchObject({ kind: "forbidden" });
  });
});

test("usage is summed over the clusters that answer, with what is over its limit", async () => {
  const [red, blue] = [await stand.make(), await stand.make({ name: "two" })];
  const shop = await stand.space("shop", [red, blue], { limits: { cpu: "4", pods: 10, memory: "8Gi" } });
  const count = (cluster: string, used: Record<string, string>) => {
    const { objects } = stand.inside(cluster);
    const quota = objects.find({ apiVersion: "v1", kind: "ResourceQuota", name: "berth", namespace: "shop" });
    if (quota === undefined) throw new Error("it is not there");
    objects.change({ ...quota, status: { hard: (quota["spec"] as { hard: object }).hard, used } });
  };
  count(red, { "requests.cpu": "1500m", pods: "7", "requests.memory": "512Mi" });
  count(blue, { "requests.cpu": "2", pods: "1", "requests.memory": "1Gi" });
  const usage = async () => (await stand.ada.get(`/v1/kube/projects/${shop}/usage`)).body;
  expect(await usage()).toMatchObject({
    total: {
      cpu: { used: "3500m", limit: "4", over: false },
      pods: { used: "8", limit: "10", over: false },
      memory: { used: "1536Mi", limit: "8Gi", over: false },
    },
    complete: true,
    places: [
      { clusterName: "one", at: stand.world.clock.now(), limits: { pods: { used: "7", limit: "5", over: true } } },
      { clusterName: "two", limits: { pods: { used: "1", limit: "5", over: false } } },
    ],
  });
  // A limit below what is used is taken, and shown.
  await stand.does("PATCH", `/v1/projects/${shop}`, { limits: { pods: 4 } });
  expect((await usage())["total"]).toEqual({ pods: { used: "8", limit: "4", over: true } });
  const away = new KubeFault("unavailable", "connect: refused");
  stand.inside(blue).troubles.push({ match: ({ kind }) => kind === "ResourceQuota", fault: away, when: "before" });
  expect(await usage()).toMatchObject({
    complete: false,
    total: { pods: { used: "7" } },
    places: [{}, { why: "It does not answer." }],
  });
});
