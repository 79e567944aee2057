import { expect, test } from "vitest";
import * as Member from "#core/member/index.ts";
import { newStage } from "../../functions/stage.ts";

test("a member is found in its own tenant and in no other", async () => {
  const stage = newStage();
  const [red, blue] = [await stage.tenant("red"), await stage.tenant("blue")];
  const mine = await Member.get(stage.context(red.id), red.owner.member);
  expect(mine).toMatchObject({ tenant: red.id, role: "owner" });
  await expect(Member.get(stage.context(blue.id), red.owner.member)).rejects.toMatchObject({ kind: "missing" });
  expect((await Member.list(stage.context(blue.id), {})).items.map(({ id }) => id)).toEqual([blue.owner.member]);
});
