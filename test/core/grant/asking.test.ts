import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newGround } from "./ground.ts";
import * as Grant from "#core/grant/index.ts";

test("what others ask, and what one was given, is not counted among one's own requests that wait", async () => {
  const ground = await newGround();
  const [bob, eve] = [await ground.as("viewer"), await ground.as("viewer")];
  const groups = ["admin", "edit", "view", "audit", "owner"] as const;
  const scopes = [ground.shop, ground.blog, ground.north, ground.south] as const;
  const asked = [];
  for (const scope of scopes)
    for (const group of groups) asked.push(await Grant.request(bob, { group, scope, reason: "to work" }));
  const more = { group: "view", scope: "tenant", reason: "to look" } as const;
  expect(await Grant.request(eve, more)).toMatchObject({ state: "requested" });
  await expect(Grant.request(bob, more)).rejects.toMatchObject({ kind: "limit" });
  await Grant.approve(ground.ada, asked[0]?.id ?? "grt_none");
  expect(await Grant.request(bob, more)).toMatchObject({ state: "requested" });
});
