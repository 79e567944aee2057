import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubeName } from "#core/id.ts";
import { cast } from "./rights/people.ts";
import { ask } from "./rights/server.ts";
import { newStage, type Stage } from "./rights/stage.ts";

// What a cluster's own API server writes down of its members, by the policy that tenants' clusters have.

let stage: Stage;
const [ada] = cast;
if (ada === undefined) throw new Error("there is an owner");
beforeAll(async () => {
  stage = await newStage();
});
afterAll(async () => {
  await stage?.stop();
});

interface Entry {
  level: string;
  stage: string;
  verb: string;
  requestURI: string;
  user: { username: string };
  requestObject?: unknown;
  responseObject?: unknown;
}

describe("the cluster's own audit", () => {
  const entries = async (): Promise<Entry[]> =>
    (await stage.running.read("audit.log"))
      .split("\n")
      // Behind the last line end is nothing, or a line that is being written.
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Entry);

  test("each request of a member is an entry under the name of its account, and none holds what was sent", async () => {
    const part = cast.find(({ name }) => name === "edit at project");
    if (part === undefined) throw new Error("it is in the cast");
    const walk: [method: string, path: string, body?: unknown][] = [
      ["GET", "/version"],
      ["GET", "/healthz"],
      ["GET", "/openapi/v2"],
      ["GET", "/api/v1/namespaces/red/pods"],
      ["GET", "/api/v1/namespaces/red/pods?watch=true&timeoutSeconds=1"],
      ["GET", "/api/v1/namespaces/red/secrets"],
      ["GET", "/api/v1/namespaces/kube-system/secrets"],
      [
        "POST",
        "/api/v1/namespaces/red/secrets",
        { metadata: { name: "canary" }, stringData: { canary: "canary-of-the-audit" } },
      ],
      ["PATCH", "/api/v1/namespaces/red/secrets/canary", { stringData: { canary: "canary-of-the-audit" } }],
      ["DELETE", "/api/v1/namespaces/red/secrets/canary"],
      ["POST", `/api/v1/namespaces/berth-members/serviceaccounts/${kubeName(ada.id)}/token`, { spec: {} }],
      ["POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", { spec: { namespace: "red" } }],
      ["GET", "/api/v1/nodes"],
      ["GET", "/apis/example.com/v1/widgets"],
    ];
    const mark = (path: string, at: number): string => `${path}${path.includes("?") ? "&" : "?"}walk=${at}`;
    const statuses = new Set<number>();
    for (const [at, [method, path, body]] of walk.entries())
      statuses.add((await ask(stage.as(part), method, mark(path, at), { body })).status);
    expect(statuses).toEqual(new Set([200, 201, 403]));
    const username = `system:serviceaccount:berth-members:${kubeName(part.id)}`;
    await expect
      .poll(
        async () => {
          const found = (await entries()).filter(({ stage }) => stage === "ResponseComplete");
          return walk.map(
            ([, path], at) => found.find(({ requestURI }) => requestURI === mark(path, at))?.user.username,
          );
        },
        { timeout: 10_000 },
      )
      .toEqual(walk.map(() => username));
    const all = await entries();
    const members = all.filter(({ user }) => user.username.startsWith("system:serviceaccount:berth-members:"));
    expect(members.length).toBeGreaterThan(cast.length);
    expect(new Set(members.map(({ level }) => level))).toEqual(new Set(["Metadata"]));
    const text = await stage.running.read("audit.log");
    expect(text).not.toContain("canary-of-the-audit");
    expect(text).not.toMatch(/eyJ[\w-]{20,}\./);
  });

  test("a member's name for people is on its account, under the name that the entries carry", async () => {
    for (const { id, name } of cast) {
      const account = { apiVersion: "v1", kind: "ServiceAccount", name: kubeName(id), namespace: "berth-members" };
      expect((await stage.admin.get(account))?.metadata.annotations?.["berth.dev/name"]).toBe(name);
    }
  });
});
