import { beforeEach, expect, test } from "vitest";
import * as Token from "#core/token/index.ts";
import { rowID, tokenKind } from "#core/token/schema.ts";
import { tenantKind } from "#core/tenant/schema.ts";
import { memberKind } from "#core/member/schema.ts";
import { newStage, type Stage } from "../../functions/stage.ts";

let stage: Stage;
let tenant: Awaited<ReturnType<Stage["tenant"]>>;
beforeEach(async () => {
  stage = newStage();
  tenant = await stage.tenant("red");
});
const check = (text: string, options?: { fresh: boolean }) => Token.authenticate(stage.deps, text, options);
const reads = () => Object.values(stage.tables.calls).reduce((a, b) => a + b, 0);
const change = (set: Record<string, unknown>) =>
  stage.deps.home.table(tenant.id).edit(tokenKind, rowID(tenant.owner.member, tenant.owner.token.id), { set });

test("a token speaks for its member, in its tenant, with its role", async () => {
  expect(await check(tenant.owner.text)).toEqual({
    tenant: tenant.id,
    member: tenant.owner.member,
    role: "owner",
    scopes: null,
    token: tenant.owner.token.id,
    rate: 50,
  });
});

test("a cold check is one read, a warm one none, and after 10 s it is read again", async () => {
  await check(tenant.owner.text);
  await stage.clock.pass(11_000);
  const before = reads();
  await check(tenant.owner.text);
  expect(reads() - before).toBe(1);
  await check(tenant.owner.text);
  expect(reads() - before).toBe(1);
  await check(tenant.owner.text, { fresh: true });
  expect(reads() - before).toBe(2);
});

test("garbage is refused without asking the store", async () => {
  const before = reads();
  for (const text of ["", "berth_x", `${tenant.owner.text}x`]) await expect(check(text)).rejects.toThrow();
  expect(reads()).toBe(before);
});

test("every reason to refuse a token is answered with the same sentence", async () => {
  const said = new Set<string>();
  const refused = async (text: string) => {
    const fault: unknown = await check(text, { fresh: true }).catch((e: unknown) => e);
    expect(fault).toMatchObject({ name: "Fault", kind: "unauthenticated" });
    said.add((fault as Error).message);
  };
  await refused("berth_nonsense");
  const nobodys = Token.issue(stage.deps, { ...(await stage.tenant("blue")).owner.token, name: "never written" });
  await refused(nobodys.text);
  await change({ revokedAt: stage.clock.now() });
  await refused(tenant.owner.text);
  await change({ revokedAt: null, expiresAt: stage.clock.now() });
  await refused(tenant.owner.text);
  await change({ expiresAt: null, hash: "0".repeat(64) });
  await refused(tenant.owner.text);
  const table = stage.deps.home.table(tenant.id);
  const { text, member } = await stage.member(tenant.id, "viewer");
  await table.edit(tenantKind, tenant.id, { set: { state: "suspended" } });
  await refused(text);
  await table.edit(tenantKind, tenant.id, { set: { state: "active" } });
  await table.write(table.remove(memberKind, member));
  await refused(text);
  expect(said.size).toBe(1);
});

test("a revoked token is out within 10 s, and at once where credentials are issued", async () => {
  await check(tenant.owner.text);
  await change({ revokedAt: stage.clock.now() });
  await expect(check(tenant.owner.text, { fresh: true })).rejects.toThrow("valid token");
  await check((await stage.member(tenant.id, "viewer")).text);
  await stage.clock.pass(10_000);
  await expect(check(tenant.owner.text)).rejects.toThrow("valid token");
});

test("a token that expires while it is cached is refused on the dot", async () => {
  await change({ expiresAt: new Date(Date.parse(stage.clock.now()) + 3_000).toISOString() });
  await check(tenant.owner.text);
  await stage.clock.pass(2_999);
  await check(tenant.owner.text);
  await stage.clock.pass(1);
  await expect(check(tenant.owner.text)).rejects.toThrow("valid token");
});

test("the last use is noted at most once an hour, and a failing note fails no request", async () => {
  const used = async () =>
    (await stage.deps.home.table(tenant.id).get(tokenKind, rowID(tenant.owner.member, tenant.owner.token.id)))
      ?.lastUsedAt;
  await check(tenant.owner.text);
  const first = stage.clock.now();
  expect(await used()).toBe(first);
  await stage.clock.pass(59 * 60_000);
  await check(tenant.owner.text);
  expect(await used()).toBe(first);
  await stage.clock.pass(60_000);
  stage.tables.before = ({ act }) => {
    if (act === "write") throw new Error("the store is away");
  };
  await check(tenant.owner.text);
  stage.tables.before = undefined;
  expect(await used()).toBe(first);
});

test("the ids inside a text can't be swapped to reach another tenant", async () => {
  const other = await stage.tenant("blue");
  const forged = Token.issue(stage.deps, { ...other.owner.token, tenant: tenant.id });
  await expect(check(forged.text)).rejects.toThrow("valid token");
});

test("a flood of tokens does not grow the memory without bound", async () => {
  // The first of 1,001 is forgotten, so it is read again; the last is not.
  const texts = [tenant.owner.text];
  for (let i = 0; i < 1_000; i += 1) {
    const token = Token.issue(stage.deps, { ...tenant.owner.token, lastUsedAt: stage.clock.now() } as never);
    await stage.deps.home.table(tenant.id).write(...token.changes);
    texts.push(token.text);
  }
  for (const text of texts) await check(text);
  const before = reads();
  await check(texts.at(-1) ?? "");
  expect(reads()).toBe(before);
  await check(texts[0] ?? "");
  expect(reads()).toBe(before + 1);
});
