import { beforeEach, expect, test } from "vitest";
import * as Audit from "#core/audit/index.ts";
import * as Invite from "#core/invite/index.ts";
import { inviteKind } from "#core/invite/schema.ts";
import * as Member from "#core/member/index.ts";
import * as Team from "#core/team/index.ts";
import { homeTenant } from "../../functions/stage.ts";
import { dayMs, type Inviting, newInviting } from "./inviting.ts";

let { stage, tenant, ada, invite, accept, used } = {} as Inviting;
beforeEach(async () => {
  ({ stage, tenant, ada, invite, accept, used } = await newInviting());
});

test("nobody invites above its own role or scopes, and nobody but an owner invites", async () => {
  await expect(invite({ role: "staff" })).rejects.toMatchObject({ kind: "forbidden", errors: [{ field: "role" }] });
  await stage.staff();
  const owner = await stage.enter((await stage.member(homeTenant, "owner")).text);
  await expect(invite({ role: "staff" }, owner)).rejects.toMatchObject({ kind: "forbidden" });
  const { id } = await invite();
  for (const role of ["editor", "viewer"] as const) {
    const weak = await stage.enter((await stage.member(tenant, role)).text);
    await expect(invite({}, weak)).rejects.toMatchObject({ kind: "forbidden" });
    for (const act of [() => Invite.list(weak, {}), () => Invite.get(weak, id), () => Invite.revoke(weak, id)])
      await expect(act()).rejects.toMatchObject({ kind: "forbidden" });
  }
  const scoped = await stage.enter((await stage.member(tenant, "owner", ["invite:write"])).text);
  await expect(invite({ role: "viewer" }, scoped)).rejects.toMatchObject({
    kind: "forbidden",
    errors: [{ field: "role", message: "is beyond your token's scopes" }],
  });
});

test("a token that may invite brings in no team and no grant that it may not change itself", async () => {
  const nouns = ["tenant", "member", "team", "token", "group", "grant", "project", "version", "cluster", "quota"];
  const viewer = nouns.map((noun) => `${noun}:read`);
  const scopes = [...viewer, "grant:request", "cluster:access", "invite:write"];
  const scoped = await stage.enter((await stage.member(tenant, "owner", scopes)).text);
  const team = await Team.create(ada, { name: "blue", members: [], claims: [] });
  await invite({}, scoped);
  await expect(invite({ teams: [team.id] }, scoped)).rejects.toMatchObject({ kind: "forbidden" });
  await expect(invite({ grants: [{ group: "view", scope: "tenant" }] }, scoped)).rejects.toMatchObject({
    kind: "forbidden",
  });
});

test("what is another tenant's comes with no invite, and each field is named", async () => {
  const blue = await stage.enter((await stage.tenant("blue")).owner.text);
  const team = await Team.create(blue, { name: "t", members: [], claims: [] });
  await expect(invite({ teams: [team.id] })).rejects.toMatchObject({ kind: "missing", errors: [{ field: "teams.0" }] });
  const nowhere = `cls_${"0".repeat(26)}` as const;
  const strange = [{ group: "view", scope: "tenant" } as const, { group: "view", scope: nowhere } as const];
  await expect(invite({ grants: strange })).rejects.toMatchObject({
    kind: "missing",
    errors: [{ field: "grants.1.scope" }],
  });
  const { id } = await invite();
  for (const act of [() => Invite.get(blue, id), () => Invite.revoke(blue, id)])
    await expect(act()).rejects.toMatchObject({ kind: "missing", message: "There is no such invite." });
});

test("one that nobody accepts is over at its time, holds no place any more, and is gone 90 days later", async () => {
  const { id } = await invite({ expiresInDays: 1 });
  expect(await Invite.expire(ada, id)).toBe("waiting");
  await stage.clock.pass(dayMs);
  expect(await Invite.get(ada, id)).toMatchObject({ state: "expired" });
  await stage.sweep();
  await Invite.expire(ada, id);
  expect(await used()).toMatchObject({ invites: 0 });
  expect((await Audit.list(ada, { verb: "invite:expired" })).items).toHaveLength(1);
  expect(await Invite.expire(ada, id)).toBe("gone");
  expect((await ada.table.get(inviteKind, id))?.lookAt).toBeUndefined();
  await stage.clock.pass(91 * dayMs);
  await expect(Invite.get(ada, id)).rejects.toMatchObject({ kind: "missing" });
  expect(await Invite.expire(ada, id)).toBe("gone");
});

test("a list keeps those in a state, and revoking twice, or what was accepted, is harmless", async () => {
  const [open, revoked, spent] = [await invite(), await invite(), await invite()];
  expect(await Invite.revoke(ada, revoked.id)).toMatchObject({ state: "revoked" });
  await Invite.revoke(ada, revoked.id);
  await accept(spent.link);
  expect(await Invite.revoke(ada, spent.id)).toMatchObject({ state: "accepted" });
  expect(await used()).toMatchObject({ invites: 1 });
  for (const [state, id] of [
    ["open", open.id],
    ["revoked", revoked.id],
    ["accepted", spent.id],
  ] as const)
    expect((await Invite.list(ada, { state })).items.map((each) => each.id)).toEqual([id]);
});

test("who was an owner when it knocked and is none when it writes invites nobody", async () => {
  const eve = await stage.member(tenant, "owner");
  const was = await stage.enter(eve.text);
  await Member.update(ada, eve.member, { role: "viewer" });
  await expect(invite({}, was)).rejects.toMatchObject({ kind: "forbidden" });
});
