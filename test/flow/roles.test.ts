import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand } from "./stand.ts";
import * as Group from "#core/group/index.ts";
import { kubeName } from "#core/id.ts";

test("each role in a cluster holds the rules of its group and no other, for projects and for what is beside them", async () => {
  const stand = await newStand();
  const { ada, world } = stand;
  const id = await stand.make();
  const shop = await stand.space("shop", [id]);
  const { body } = await ada.post("/v1/members", { name: "bob", kind: "robot", role: "viewer" });
  const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list"] }];
  const clusterRules = [{ apiGroups: [""], resources: ["nodes"], verbs: ["get"] }];
  const own = String((await ada.post("/v1/groups", { name: "own", rules, clusterRules })).body["id"]);
  const groups = [...(["admin", "edit", "view", "audit"] as const), own];
  for (const scope of [shop, id])
    for (const group of groups) await stand.does("POST", "/v1/grants", { subject: body["id"], group, scope });
  await world.drain();
  const told: Record<string, { rules: object[]; clusterRules: object[] }> = {
    ...Group.builtin,
    [own]: { rules, clusterRules },
  };
  const rulesOf = (name: string): unknown => stand.kept(id).get(`ClusterRole ${name}`)?.["rules"];
  for (const group of groups) {
    const [name, wanted] = [`berth:${kubeName(group)}`, told[group]];
    expect(rulesOf(name), name).toEqual(wanted?.rules.length === 0 ? undefined : wanted?.rules);
    expect(rulesOf(`${name}-cluster`), name).toEqual(
      wanted?.clusterRules.length === 0 ? undefined : wanted?.clusterRules,
    );
  }
  const wild = stand.names(id, "ClusterRole").filter((name) => JSON.stringify(rulesOf(name)).includes('"*"'));
  expect(wild).toEqual(["berth:owner"]);
});
