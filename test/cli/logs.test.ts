import { expect, test } from "vitest";
import { newTail } from "../../cli/logs.ts";
import { clusterID, problem, stub } from "./stub.ts";

const path = `/v1/kube/clusters/${clusterID}/logs`;
const line = (nano: number, text: string): string => `2026-01-05T08:00:00.${String(nano).padStart(9, "0")}Z ${text}\n`;

test("logs asks for what was said, and prints what comes as it is", async () => {
  const api = await stub({
    [`GET ${path}`]: () => ({ text: line(1, "one"), headers: { "content-type": "text/plain" } }),
  });
  const since = "2026-01-05T08:00:00Z";
  const said = ["--component", "etcd", "--lines", "7", "--since", since, "--previous"];
  const { code, out } = await api.run(["cluster", "logs", clusterID, ...said]);
  expect([code, out]).toEqual([0, line(1, "one")]);
  const query = Object.fromEntries(api.calls.at(-1)?.query ?? []);
  expect(query).toEqual({ component: "etcd", lines: "7", since, previous: "true" });
});

test("a follower gets each line once, over a moment without a Pod, until it is told to end", async () => {
  const ended = new AbortController();
  const texts = [line(1, "one") + line(2, "two"), undefined, line(2, "two") + line(2, "too") + line(3, "three")];
  let asked = 0;
  const api = await stub({
    [`GET ${path}`]: () => {
      const text = texts[Math.min(asked++, 2)];
      if (asked > 3) ended.abort();
      return text === undefined ? problem(409, "conflict") : { text };
    },
  });
  const run = api.run(["cluster", "logs", clusterID, "--follow"], { signal: ended.signal });
  await expect(run).rejects.toThrow(/abort/i);
  expect(api.calls[1]?.query.get("since")).toBe("2026-01-05T08:00:00.000000002Z");
}, 20_000);

test("a tail tells each line once, also those that are said twice in one moment", () => {
  const tail = newTail();
  expect(tail.add(line(1, "a") + line(2, "b"))).toBe(line(1, "a") + line(2, "b"));
  expect(tail.add(line(2, "b") + line(2, "b") + line(2, "c"))).toBe(line(2, "b") + line(2, "c"));
  expect(tail.add(line(2, "b") + line(2, "b") + line(2, "c"))).toBe("");
  expect(tail.add(line(1, "late") + line(3, "d"))).toBe(line(3, "d"));
  expect(tail.add("")).toBe("");
});

test("source ranges are set, lifted, and never both", async () => {
  const api = await stub({
    [`PATCH /v1/clusters/${clusterID}`]: () => ({ body: { id: clusterID, spec: {}, status: { conditions: [] } } }),
  });
  await api.run(["cluster", "source-ranges", clusterID, "203.0.113.0/24", "198.51.100.0/24"]);
  await api.run(["cluster", "source-ranges", clusterID, "--any"]);
  expect(api.calls.map(({ body }) => body)).toEqual([
    { sourceRanges: ["203.0.113.0/24", "198.51.100.0/24"] },
    { sourceRanges: [] },
  ]);
  expect((await api.run(["cluster", "source-ranges", clusterID])).code).toBe(2);
  expect((await api.run(["cluster", "source-ranges", clusterID, "10.0.0.0/8", "--any"])).code).toBe(2);
});

test("list sends its filters, labels each on their own", async () => {
  const api = await stub({ "GET /v1/clusters": () => ({ body: { items: [], next: null } }) });
  await api.run(["cluster", "list", "--phase", "Ready", "--label", "a=b", "--label", "c=d", "--sort", "-name"]);
  expect([...(api.calls[0]?.query ?? [])].sort(([a, b], [c, d]) => (`${a}=${b}` < `${c}=${d}` ? -1 : 1))).toEqual([
    ["label", "a=b"],
    ["label", "c=d"],
    ["phase", "Ready"],
    ["sort", "-name"],
  ]);
});
