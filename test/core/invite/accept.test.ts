import { beforeEach, expect, test } from "vitest";
import * as Audit from "#core/audit/index.ts";
import * as Grant from "#core/grant/index.ts";
import * as Invite from "#core/invite/index.ts";
import * as Member from "#core/member/index.ts";
import * as Outbox from "#core/outbox/index.ts";
import * as Quota from "#core/quota/index.ts";
import { secretAfter } from "#core/secret.ts";
import * as Team from "#core/team/index.ts";
import { tenantKind } from "#core/tenant/schema.ts";
import { homeTenant } from "../../functions/stage.ts";
import { dayMs, refused, self, textOf, type Inviting, newInviting } from "./inviting.ts";

let { stage, tenant, ada, invite, accept, used, count } = {} as Inviting;
beforeEach(async () => {
  ({ stage, tenant, ada, invite, accept, used, count } = await newInviting());
});

test("who has the link comes in once, with role, teams, grants and a session that works, all of it in one write", async () => {
  const team = await Team.create(ada, { name: "blue", members: [], claims: [] });
  const grants = [{ group: "view", scope: "tenant" } as const, { group: "audit", scope: "tenant" } as const];
  const made = await invite({ role: "editor", teams: [team.id], grants, name: "Bob" });
  expect(made).toMatchObject({ state: "open", role: "editor", teams: [team.id], grants, createdBy: self(ada) });
  expect(made.link).toMatch(new RegExp(`^${stage.deps.home.url}/#/invite/berth_inv_[0-9a-z]{52}_[0-9A-Za-z]{38}$`));
  expect(made.expiresAt).toBe(new Date(Date.parse(made.createdAt) + 3 * dayMs).toISOString());
  // With a counter of its own, which is only made at the first need.
  await ada.table.write(...(await Quota.limitsTo(ada, { grants: 10 })));
  expect(await used()).toMatchObject({ invites: 1, members: 1, grants: 0 });
  let writes = 0;
  stage.tables.before = ({ act }) => void (act === "write" && (writes += 1));
  const came = await accept(made.link, { name: "Bob 🚢" });
  stage.tables.before = undefined;
  expect(writes).toBe(1);
  expect(came).toMatchObject({
    tenant: { id: tenant, name: "red" },
    member: { name: "Bob 🚢", role: "editor", kind: "person" },
  });
  const bob = await stage.enter(came.token);
  expect(bob.actor).toMatchObject({ member: came.member.id, role: "editor", scopes: null });
  expect((await Team.get(ada, team.id)).members).toEqual([came.member.id]);
  const given = (await Grant.list(ada, {})).items;
  expect(given.map(({ group, scope, createdBy }) => ({ group, scope, createdBy }))).toEqual(
    expect.arrayContaining(grants.map((each) => ({ ...each, createdBy: self(ada) }))),
  );
  expect(await used()).toMatchObject({ invites: 0, members: 2, grants: 2, tokens: 1 });
  expect((await Quota.ledger(ada)).filter(({ used: a, counted }) => a !== counted)).toEqual([]);
  expect(await Invite.get(ada, made.id)).toMatchObject({ state: "accepted", acceptedBy: came.member.id });
  expect((await Outbox.pending(ada)).map(({ clusters }) => clusters)).toContain("all");
  const { items } = await Audit.list(ada, { actor: came.member.id });
  expect(items.map(({ verb }) => verb).sort()).toEqual([
    "grant:create",
    "grant:create",
    "invite:accept",
    "member:create",
    "session:create",
    "team:join",
  ]);
});

test("the text is kept nowhere and shown once", async () => {
  const made = await invite();
  const secret = textOf(made.link).slice(-38, -6);
  expect(JSON.stringify([...stage.tables.rows()])).not.toContain(secret);
  const shown = JSON.stringify([await Invite.get(ada, made.id), await Invite.list(ada, {})]);
  expect(shown).not.toContain(secret);
  expect(shown).not.toContain("hash");
  const came = await accept(made.link);
  expect(JSON.stringify([...stage.tables.rows()])).not.toContain(came.token.slice(-38));
});

test("of many who accept one invite at once, one comes in", async () => {
  const { link } = await invite();
  const results = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => accept(link, { name: `r${i}` })));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject(refused);
  expect((await Member.list(ada, {})).items).toHaveLength(2);
  expect(await used()).toMatchObject({ members: 2, invites: 0 });
});

test("wrong, altered, used, revoked and expired ones, and those of a suspended tenant, get one answer and change nothing", async () => {
  const [open, revoked, spent] = [await invite(), await invite(), await invite()];
  await Invite.revoke(ada, revoked.id);
  await accept(spent.link);
  const other = await stage.tenant("blue");
  const blue = await invite({}, await stage.enter(other.owner.text));
  await stage.deps.home.table(other.id).edit(tenantKind, other.id, { set: { state: "suspended" } });
  const before = count();
  let writes = 0;
  stage.tables.before = ({ act }) => void (act !== "get" && act !== "getAll" && (writes += 1));
  const text = textOf(open.link);
  const mixed = `berth_inv_${textOf(blue.link).slice(10, 36)}${text.slice(36)}`;
  for (const link of [revoked.link, spent.link, blue.link, mixed, `${text}x`, text.toUpperCase(), "berth_inv_", " "])
    await expect(accept(link), link).rejects.toMatchObject(refused);
  await stage.clock.pass(3 * dayMs);
  await expect(accept(open.link)).rejects.toMatchObject(refused);
  stage.tables.before = undefined;
  expect([count(), writes]).toEqual([before, 0]);
});

test("a text whose checksum is wrong asks no store, and one with another secret under right ids is refused", async () => {
  const { link } = await invite();
  const { link: other } = await invite();
  const text = textOf(link);
  let calls = 0;
  stage.tables.before = () => void (calls += 1);
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] === "0" ? "1" : "0";
    await expect(accept(text.slice(0, at) + letter + text.slice(at + 1))).rejects.toMatchObject(refused);
  }
  expect(calls).toBe(0);
  stage.tables.before = undefined;
  await expect(accept(secretAfter(stage.deps, text.slice(0, 63)))).rejects.toMatchObject(refused);
  await accept(text);
  await accept(` ${other} `);
});

test("an invite is worth no more than its maker: who is no owner any more, or gone, lets nobody in", async () => {
  const eve = await stage.member(tenant, "owner");
  const by = await stage.enter(eve.text);
  const made = await invite({}, by);
  let writes = 0;
  for (const input of [{ role: "editor" }, { role: "owner", state: "suspended" }] as const) {
    await Member.update(ada, eve.member, input);
    stage.tables.before = ({ act }) => void (act === "write" && (writes += 1));
    await expect(accept(made.link)).rejects.toMatchObject(refused);
    stage.tables.before = undefined;
  }
  expect(writes).toBe(0);
  await Member.update(ada, eve.member, { state: "active" });
  const last = await invite({}, by);
  expect((await accept(made.link)).member.role).toBe("viewer");
  await Member.remove(ada, eve.member, {}, async () => undefined);
  await expect(accept(last.link)).rejects.toMatchObject(refused);
});

test("who invited the platform's staff and is but an owner now lets none of it in", async () => {
  await stage.staff();
  const person = await stage.member(homeTenant, "staff");
  const staff = await stage.enter(person.text);
  const made = await invite({ role: "staff" }, staff);
  await Member.update(staff, person.member, { role: "owner" });
  await expect(accept(made.link)).rejects.toMatchObject(refused);
});

test("the inviter, the tenant and the invite are looked at in the write itself", async () => {
  const eve = await stage.member(tenant, "owner");
  const by = await stage.enter(eve.text);
  const table = ada.table;
  const ends: (() => Promise<unknown>)[] = [
    () => table.edit(Member.memberKind, eve.member, { set: { state: "suspended" } }),
    () => table.edit(Member.memberKind, eve.member, { set: { role: "editor" } }),
    () => table.edit(tenantKind, tenant, { set: { state: "suspended" } }),
  ];
  for (const end of ends) {
    await table.edit(Member.memberKind, eve.member, { set: { state: "active", role: "owner" } });
    const { link } = await invite({}, by);
    stage.tables.before = async ({ act }) => {
      if (act !== "write") return;
      stage.tables.before = undefined;
      await end();
    };
    const before = count();
    await expect(accept(link)).rejects.toMatchObject(refused);
    expect(count()).toBe(before);
  }
});

test("a team that is gone by then is left out; one that moves at that moment is tried again", async () => {
  const [gone, there] = [
    await Team.create(ada, { name: "gone", members: [], claims: [] }),
    await Team.create(ada, { name: "there", members: [], claims: [] }),
  ];
  const { link } = await invite({ teams: [gone.id, there.id] });
  await Team.remove(ada, gone.id, {}, async () => undefined);
  stage.tables.before = async ({ act }) => {
    if (act !== "write") return;
    stage.tables.before = undefined;
    await Team.join(ada, there.id, self(ada));
  };
  const came = await accept(link);
  expect((await Team.get(ada, there.id)).members).toEqual([self(ada), came.member.id]);
});

test("with no place for a member nobody comes in, and the invite is still good when there is", async () => {
  const { link } = await invite();
  await ada.table.write(...(await Quota.limitsTo(ada, { members: 1 })));
  await expect(accept(link)).rejects.toMatchObject({
    kind: "limit",
    message: "The limit is 1 members, and 1 are used.",
  });
  await ada.table.write(...(await Quota.limitsTo(ada, { members: 2 })));
  await accept(link);
});

test("an invite without a name needs one, and keeps being good until it is said", async () => {
  const { link } = await invite();
  const nameless = Invite.AcceptInput.parse({ invite: link });
  const knocking = { ...stage.deps, requestID: "test" };
  await expect(Invite.accept(knocking, nameless, Grant.giving)).rejects.toMatchObject({
    kind: "invalid",
    errors: [{ field: "name" }],
  });
  const named = await invite({ name: "x".repeat(100) });
  const input = Invite.AcceptInput.parse({ invite: named.link });
  expect((await Invite.accept(knocking, input, Grant.giving)).member.name).toHaveLength(100);
  await accept(link);
});
