import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blueID, id, project, sent, served } from "./shop.ts";
import { clusterID } from "./stub.ts";

test("a project is made from flags over a file, with clusters by name and weight", async () => {
  const api = await served({ "POST /v1/projects": () => ({ status: 201, body: project() }) });
  const file = join(api.home, "shop.yaml");
  writeFileSync(file, "title: From the file\nlimits: {cpu: '1', memory: 64Gi}\nplaces: [{cluster: red}]\n");
  const flags = ["--title", "The shop", "--limit", "cpu=40,pods=100", "--reserve", "20", "--default", "cpuLimit=1"];
  const made = await api.run([
    "project",
    "create",
    "shop",
    "--file",
    file,
    ...flags,
    "--cluster",
    "red",
    "--cluster",
    "blue:3",
  ]);
  expect(made.code).toBe(0);
  expect(sent(api, "POST")?.headers["idempotency-key"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(sent(api, "POST")?.body).toEqual({
    name: "shop",
    title: "The shop",
    limits: { cpu: "40", memory: "64Gi", pods: 100 },
    defaults: { cpuLimit: "1" },
    reservePercent: 20,
    places: [{ cluster: clusterID }, { cluster: blueID, weight: 3 }],
  });
  expect(made.out).toMatch(/Clusters +red: Ready, blue: Taken\n/);
  expect(made.out).toMatch(/Not ready +blue: It was there before\.\n/);
  expect(made.out).toMatch(/Shares +red cpu 8, pods 20, blue cpu 24, pods 60\n/);
});

test("what can't be read is told before anything is sent", async () => {
  const api = await served();
  const create = (...flags: string[]) => api.run(["project", "create", "shop", ...flags]);
  const all = [
    await create("--limit", "cpu"),
    await create("--cluster", ":3"),
    await create("--expires", "soon"),
    await create("--file", join(api.home, "none.yaml")),
    await create("--reserve", "a fifth"),
    await create("--pod-security", "none"),
    await api.run(["project", "move", "shop", "--from", "red"]),
    await api.run(["project", "open", "shop", "web"]),
    await api.run(["project", "open", "shop", "web", "--from", "all", "--port", "http"]),
  ];
  expect(all.map(({ code }) => code)).toEqual(all.map(() => 2));
  expect(sent(api, "POST")).toBeUndefined();
  expect(sent(api, "PATCH")).toBeUndefined();
});

test("a dry run shows the split of what would be, and makes nothing", async () => {
  const split = { places: [{ cluster: clusterID, clusterName: "red", share: { cpu: "32" } }], reserve: { cpu: "8" } };
  const api = await served({ "POST /v1/projects/split": () => ({ body: split }) });
  const made = await api.run([
    "project",
    "create",
    "shop",
    "--limit",
    "cpu=40",
    "--reserve",
    "20",
    "--cluster",
    "red",
    "--dry-run",
  ]);
  expect(made.out).toMatch(/Shares +red cpu 32\nKept back +cpu 8\n/);
  expect((await api.run(["project", "update", "shop", "--limit", "cpu=80,pods-", "--dry-run"])).code).toBe(0);
  expect(api.calls.filter(({ method }) => method !== "GET").map(({ path, body }) => [path, body])).toEqual([
    ["/v1/projects/split", { limits: { cpu: "40" }, reservePercent: 20, places: [{ cluster: clusterID }] }],
    ["/v1/projects/split", { limits: { cpu: "80" }, reservePercent: 20, places: project().places }],
  ]);
});

test("a change says what it names, on the generation that was read", async () => {
  const api = await served();
  const flags = [
    "--limit",
    "cpu=80",
    "--limit",
    "pods-",
    "--label",
    "env=test",
    "--label",
    "team-",
    "--expires",
    "never",
  ];
  expect((await api.run(["project", "update", "shop", ...flags, "--network", "open"])).code).toBe(0);
  expect(sent(api, "PATCH")).toMatchObject({ path: `/v1/projects/${id}`, headers: { "if-match": '"7"' } });
  expect(sent(api, "PATCH")?.body).toEqual({
    limits: { cpu: "80" },
    labels: { env: "test" },
    expiresAt: null,
    network: { mode: "open", openings: [] },
  });
});

test("a list is asked for by name, cluster, label and end", async () => {
  const api = await served();
  const listed = await api.run(["project", "list", "--cluster", "blue", "--label", "team=shop", "--expiring"]);
  expect(listed.out).toMatch(/shop +prj_\S+ +Degraded +red, blue +cpu 40, pods 100/);
  const query = api.calls.at(-1)?.query;
  expect(Object.fromEntries(query ?? [])).toEqual({ cluster: blueID, label: "team=shop", expiring: "true" });
  expect((await api.run(["project", "show", "shop", "-o", "json"])).out).toContain('"The shop"');
});

test("a wait shows how each cluster comes, and ends with exit 6 when its time is up", async () => {
  let looks = 0;
  const api = await served({
    [`GET /v1/projects/${id}`]: () => ({ body: project({ phase: (looks += 1) > 1 ? "Ready" : "Pending" }) }),
  });
  const ready = await api.run(["project", "get", "shop", "--wait"]);
  expect([ready.code, ready.err]).toEqual([0, expect.stringMatching(/blue .*Taken: It was there before/)]);
  looks = -1000;
  const late = await api.run(["project", "get", "shop", "--wait", "--timeout", "1s"]);
  expect([late.code, late.err]).toEqual([6, expect.stringContaining("shop is not Ready after 1 s")]);
});
