import { expect, test } from "vitest";
import { blueID, id, project, sent, served } from "./shop.ts";
import { clusterID } from "./stub.ts";

test("clusters are added and dropped one by one; dropping shows what would go, and takes the name again", async () => {
  const api = await served();
  const third = "cls_01k0000000000000000000000c";
  expect((await api.run(["project", "add-cluster", "shop", third, "--weight", "2"])).code).toBe(0);
  expect(sent(api, "PATCH")?.body).toEqual({ places: [...project().places, { cluster: third, weight: 2 }] });
  const before = api.calls.length;
  for (const yes of [[], ["--yes", "red"], ["--yes", "shop "]]) {
    const refused = await api.run(["project", "drop-cluster", "shop", "red", ...yes]);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("red: Deployment 1: web")]);
    expect(refused.err).toContain("Secret (you may not see them)");
    expect(refused.err).not.toContain("blue:");
  }
  expect(api.calls.slice(before).some(({ method }) => method !== "GET")).toBe(false);
  expect((await api.run(["project", "drop-cluster", "shop", "red", "--yes", "shop"])).code).toBe(0);
  expect(sent(api, "PATCH")?.body).toEqual({ places: [{ cluster: blueID, weight: 3 }], confirm: "shop" });
  expect((await api.run(["project", "drop-cluster", "shop", third, "--yes", "shop"])).code).toBe(4);
});

test("openings are made and taken away by name, beside those that are there", async () => {
  const api = await served({
    "GET /v1/projects": () => ({
      body: { items: [project({ openings: [{ name: "old", direction: "egress" }] })], next: null },
    }),
  });
  const web = ["--from", "shop", "--port", "8080", "--port", "53/udp", "--pod", "app=web"];
  expect((await api.run(["project", "open", "shop", "web", ...web])).code).toBe(0);
  expect(sent(api, "PATCH")?.body).toMatchObject({
    network: {
      mode: "isolated",
      openings: [
        { name: "old" },
        {
          name: "web",
          direction: "ingress",
          peer: { project: id },
          ports: [
            { port: 8080, protocol: "TCP" },
            { port: 53, protocol: "UDP" },
          ],
          pods: { app: "web" },
        },
      ],
    },
  });
  await api.run(["project", "open", "shop", "old", "--to", "10.0.0.0/8"]);
  expect(sent(api, "PATCH")?.body).toMatchObject({
    network: { openings: [{ name: "old", direction: "egress", peer: { cidr: "10.0.0.0/8" } }] },
  });
  expect((await api.run(["project", "close", "shop", "old"])).code).toBe(0);
  expect(sent(api, "PATCH")?.body).toMatchObject({ network: { openings: [] } });
  expect((await api.run(["project", "close", "shop", "none"])).code).toBe(4);
});

test("a move and an adoption take the name again, and go to their own routes", async () => {
  const api = await served({
    [`POST /v1/projects/${id}/move`]: () => ({ body: project() }),
    [`POST /v1/projects/${id}/adopt`]: () => ({ body: project() }),
  });
  const move = ["project", "move", "shop", "--from", "red", "--to", "blue"];
  expect((await api.run(move)).code).toBe(2);
  expect((await api.run([...move, "--yes", "shop"])).code).toBe(0);
  expect(sent(api, "POST")).toMatchObject({ path: `/v1/projects/${id}/move`, headers: { "if-match": '"7"' } });
  expect(sent(api, "POST")?.body).toEqual({ from: clusterID, to: blueID, confirm: "shop" });
  expect((await api.run(["project", "adopt", "shop", "blue"])).code).toBe(2);
  expect((await api.run(["project", "adopt", "shop", "blue", "--yes", "shop"])).code).toBe(0);
  expect(sent(api, "POST")?.body).toEqual({ cluster: blueID, confirm: "shop" });
});

test("usage says what is over, and which cluster did not answer", async () => {
  const usage = {
    total: { pods: { used: "120", limit: "100", over: true } },
    complete: false,
    places: [
      { clusterName: "red", limits: { pods: { used: "120", limit: "20", over: true } } },
      { clusterName: "blue", why: "It does not answer.", limits: {} },
    ],
  };
  const api = await served({ [`GET /v1/kube/projects/${id}/usage`]: () => ({ body: usage }) });
  const { out } = await api.run(["project", "usage", "shop"]);
  expect(out).toMatch(/Used +pods 120\/100 \(over\)\n/);
  expect(out).toContain("blue: It does not answer.");
});

test("a removal shows what would go, takes the name again, and waits for the receipt", async () => {
  const receipt = {
    id,
    name: "shop",
    deletedAt: "2026-01-02T03:04:05.000Z",
    goneAt: "2026-01-02T03:05:05.000Z",
    clusters: [clusterID],
  };
  let gone = false;
  const api = await served({
    [`DELETE /v1/projects/${id}`]: () => ({ status: 202, body: project({ phase: "Deleting" }) }),
    [`GET /v1/projects/${id}`]: () => {
      if (gone) return { status: 404, body: { kind: "missing", detail: "There is no such project." } };
      gone = true;
      return { body: project({ phase: "Deleting" }) };
    },
    [`GET /v1/projects/${id}/receipt`]: () => ({ body: receipt }),
  });
  const unsaid = await api.run(["project", "delete", "shop"]);
  expect([unsaid.code, unsaid.err]).toEqual([2, expect.stringContaining("red: Deployment 1: web")]);
  expect(unsaid.err).toContain("blue: what is there can't be told: It does not answer.");
  expect((await api.run(["project", "delete", "shop", "--yes", "desk"])).code).toBe(2);
  expect(sent(api, "DELETE")).toBeUndefined();
  const done = await api.run(["project", "delete", "shop", "--yes", "shop", "--wait"]);
  expect([done.code, Object.fromEntries(sent(api, "DELETE")?.query ?? [])]).toEqual([0, { confirm: "shop" }]);
  expect(done.out).toMatch(/Removed +shop\n/);
});
