import { beforeEach, expect, test } from "vitest";
import * as Audit from "#core/audit/index.ts";
import type { Role } from "#core/role.ts";
import type { ID } from "#core/id.ts";
import * as Tenant from "#core/tenant/index.ts";
import * as Token from "#core/token/index.ts";
import { contextOf } from "#functions/deps.ts";
import { homeTenant, newStage, type Stage } from "../../functions/stage.ts";

let stage: Stage;
let tenant: ID<"tenant">;
beforeEach(async () => {
  stage = newStage();
  tenant = (await stage.tenant("red")).id;
});
const as = async (role: Role, scopes: string[] | null = null) => {
  const { text } = await stage.member(tenant, role, scopes);
  return contextOf(stage.deps, await Token.authenticate(stage.deps, text), "test");
};

test("nobody gives away more than it has: not beyond its role, not beyond its own token", async () => {
  const editor = await as("editor");
  await expect(Token.create(editor, { name: "x", scopes: ["audit:read"] })).rejects.toMatchObject({
    kind: "forbidden",
    errors: [{ field: "scopes", message: "audit:read is beyond your own" }],
  });
  const narrow = await as("owner", ["token:write", "cluster:read"]);
  await expect(Token.create(narrow, { name: "x", scopes: ["cluster:write"] })).rejects.toMatchObject({
    kind: "forbidden",
  });
  expect((await Token.create(narrow, { name: "x" })).scopes).toEqual(["token:write", "cluster:read"]);
  expect((await Token.create(narrow, { name: "x", scopes: ["cluster:read"] })).scopes).toEqual(["cluster:read"]);
});

test("a token ends with the day it was given", async () => {
  const { token, expiresAt } = await Token.create(await as("editor"), { name: "x", expiresInDays: 1 });
  expect(expiresAt).toBe(new Date(Date.parse(stage.clock.now()) + 86_400_000).toISOString());
  await stage.clock.pass(86_399_999);
  await Token.authenticate(stage.deps, token);
  await stage.clock.pass(1);
  await expect(Token.authenticate(stage.deps, token)).rejects.toMatchObject({ kind: "unauthenticated" });
});

test("a member sees and ends its own tokens, an owner everyone's, and others' are not there", async () => {
  const [editor, other, owner] = [await as("editor"), await as("editor"), await as("owner")];
  const mine = await Token.create(editor, { name: "mine" });
  const names = async (ctx: typeof editor) => (await Token.list(ctx, {})).items.map(({ name }) => name).sort();
  expect(await names(editor)).toEqual(["mine", "test"]);
  expect(await names(other)).toEqual(["test"]);
  expect(await names(owner)).toEqual(["mine", "test", "test", "test", "test"]);
  await expect(Token.revoke(other, mine.id)).rejects.toMatchObject({ kind: "missing" });
  // Entries of one millisecond have no order among themselves.
  await stage.clock.pass(1);
  expect((await Token.revoke(owner, mine.id)).revokedAt).toBe(stage.clock.now());
  const first = stage.clock.now();
  await stage.clock.pass(1_000);
  expect((await Token.revoke(editor, mine.id)).revokedAt).toBe(first);
  expect((await Audit.list(owner, {})).items.map(({ verb }) => verb)).toEqual(["token:revoke", "token:create"]);
});

test("an owner among the platform's staff does not end staff's tokens, as it can't change its members", async () => {
  const token = await Tenant.bootstrap(stage.deps);
  const staff = contextOf(stage.deps, await Token.authenticate(stage.deps, token), "test");
  const { text } = await stage.member(homeTenant, "owner");
  const owner = contextOf(stage.deps, await Token.authenticate(stage.deps, text), "test");
  const made = await Token.create(staff, { name: "mine" });
  await expect(Token.revoke(owner, made.id)).rejects.toMatchObject({ kind: "forbidden" });
  await Token.authenticate(stage.deps, made.token, { fresh: true });
  const own = owner.actor.token;
  if (own === null) throw new Error("no token");
  expect((await Token.revoke(staff, own)).state).toBe("revoked");
});

test("a token that is ended while it makes another makes none, and none by rotation", async () => {
  const owner = await as("owner");
  const editor = await as("editor");
  const other = await Token.create(editor, { name: "other" });
  const own = editor.actor.token;
  if (own === null) throw new Error("no token");
  for (const gain of [
    () => Token.create(editor, { name: "x" }),
    () => Token.rotate(editor, other.id, { overlapSeconds: 60 }),
    () => Token.rotate(editor, other.id, { overlapSeconds: 0 }),
  ]) {
    let once = true;
    stage.tables.before = async ({ act }) => {
      if (act !== "write" || !once) return;
      once = false;
      await Token.revoke(owner, own);
    };
    await expect(gain()).rejects.toMatchObject({ kind: "forbidden" });
  }
  const { items } = await Token.list(owner, { member: editor.actor.member as ID<"member"> });
  expect(items.map(({ name, state }) => `${name} ${state}`).sort()).toEqual(["other active", "test revoked"]);
});
