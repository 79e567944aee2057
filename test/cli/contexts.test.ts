import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { clusterID, stub, type Routes } from "./stub.ts";

const place = (name: string, id: string, projects: string[]) => ({
  cluster: id,
  name,
  server: "https://127.0.0.1:30000",
  authority: "-",
  serverName: "a.berth.internal",
  groups: [],
  projects: projects.map((each, i) => ({ id: `prj_0${i}`, name: each, groups: ["view"] })),
});
const lists: Routes = {
  "GET /v1/me/contexts": ({ query }) =>
    query.get("after") === null
      ? { body: { items: [place("red", clusterID, ["shop", "till"])], next: "more" } }
      : { body: { items: [place("blue", `cls_${"0".repeat(26)}`, ["shop"])], next: null } },
};
interface Config {
  clusters: { name: string }[];
  users: { name: string; user: { exec: { args: string[] } } }[];
  contexts: { name: string; context: { cluster: string; user: string; namespace?: string } }[];
  "current-context": string;
}

test("one kubeconfig has a context for each cluster, and one for each project on it, and holds no secret", async () => {
  const api = await stub(lists);
  const { code, out } = await api.run(["kubeconfig"]);
  const config = parse(out) as Config;
  expect(code).toBe(0);
  expect(config.contexts.map(({ name, context }) => [name, context.cluster, context.namespace])).toEqual([
    ["red", "red", undefined],
    ["shop.red", "red", "shop"],
    ["till.red", "red", "till"],
    ["blue", "blue", undefined],
    ["shop.blue", "blue", "shop"],
  ]);
  expect(config.users.map(({ user }) => user.exec.args[2])).toEqual([clusterID, `cls_${"0".repeat(26)}`]);
  expect(out).not.toMatch(/token:|client-key|PRIVATE/);
});

test("merged into what is there, the context that is current stays; where none is, it is the first", async () => {
  const api = await stub(lists);
  const file = join(api.home, ".kube", "config");
  const current = (): string => (parse(readFileSync(file, "utf8")) as Config)["current-context"];
  expect((await api.run(["kubeconfig", "--merge"])).code).toBe(0);
  expect(current()).toBe("red");
  writeFileSync(file, readFileSync(file, "utf8").replace("current-context: red", "current-context: mine"));
  expect((await api.run(["kubeconfig", "--merge"])).code).toBe(0);
  expect(current()).toBe("mine");
  expect((parse(readFileSync(file, "utf8")) as Config).contexts).toHaveLength(5);
});

test("without a right in any cluster there is no kubeconfig", async () => {
  const api = await stub({ "GET /v1/me/contexts": () => ({ body: { items: [], next: null } }) });
  expect(await api.run(["kubeconfig"])).toMatchObject({ code: 4, err: expect.stringContaining("no right") });
});
