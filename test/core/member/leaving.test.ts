import { beforeEach, expect, test } from "vitest";
import * as Audit from "#core/audit/index.ts";
import type { Context } from "#core/context.ts";
import type { ID } from "#core/id.ts";
import * as Member from "#core/member/index.ts";
import * as Outbox from "#core/outbox/index.ts";
import * as Quota from "#core/quota/index.ts";
import type { Role } from "#core/role.ts";
import * as Token from "#core/token/index.ts";
import { homeTenant, newStage, type Stage } from "../../functions/stage.ts";
import { everyOrder, ordered } from "./orders.ts";

let stage: Stage;
let tenant: ID<"tenant">;
let ada: Context;
const begin = async (): Promise<void> => {
  stage = newStage();
  ({ tenant, ada } = await stage.red());
};
beforeEach(begin);
const as = async (role: Role, of = tenant): Promise<Context & { id: ID<"member"> }> => {
  const person = await stage.member(of, role);
  return { ...(await stage.enter(person.text)), id: person.member };
};
const self = (ctx: Context): ID<"member"> => ctx.actor.member as ID<"member">;
const owners = (): string[] =>
  [...stage.tables.rows()]
    .filter(([key, row]) => key.startsWith(`${tenant}/member/`) && row["role"] === "owner" && row["state"] === "active")
    .map(([, row]) => String(row["id"]));
const give = (ctx: Context, id: ID<"member">, role: "owner" | "editor" | "viewer" = "editor") =>
  Member.transfer(ctx, id, { role });
const noted = async (): Promise<number> => (await Outbox.pending(stage.context(tenant))).length;

test("ownership goes over in one write: who had it has what it asked for, and clusters are to follow", async () => {
  const bob = await as("viewer");
  const rows = stage.tables.rows().size;
  expect(await give(ada, bob.id, "viewer")).toMatchObject({ id: bob.id, role: "owner", generation: 2 });
  expect(owners()).toEqual([bob.id]);
  expect(await Member.get(bob, self(ada))).toMatchObject({ role: "viewer", generation: 2 });
  // Two entries and a note.
  expect([stage.tables.rows().size - rows, await noted()]).toEqual([3, 1]);
  const { items } = await Audit.list(stage.context(tenant), {});
  expect(items.map(({ verb, target }) => `${verb} ${target}`).sort()).toEqual([
    `member:transfer ${bob.id}`,
    `member:update ${self(ada)}`,
  ]);
  expect(Member.TransferInput.parse({})).toEqual({ role: "editor" });
});

test("nothing is handed over to oneself, to who is suspended, to another tenant's, or by who is no owner", async () => {
  const [bob, eve] = [await as("viewer"), await as("editor")];
  const blue = await stage.tenant("blue");
  await expect(give(ada, self(ada))).rejects.toMatchObject({ kind: "conflict" });
  await expect(give(ada, blue.owner.member)).rejects.toMatchObject({ kind: "missing" });
  await expect(give(eve, bob.id)).rejects.toMatchObject({ kind: "forbidden" });
  await Member.update(ada, bob.id, { state: "suspended" });
  await expect(give(ada, bob.id)).rejects.toMatchObject({ kind: "conflict" });
  expect(owners()).toEqual([self(ada)]);
});

test("the platform's staff hands over being staff, and its owners can't touch it", async () => {
  await stage.staff();
  const [staff, owner] = [await as("staff", homeTenant), await as("owner", homeTenant)];
  await expect(give(owner, staff.id)).rejects.toMatchObject({ kind: "forbidden" });
  expect(await give(staff, owner.id)).toMatchObject({ role: "staff" });
});

const leave = (ctx: Context) => Member.leave(ctx, Token.endAll);
const nothing = async (): Promise<void> => undefined;
const acts: Record<string, (ctx: Context, id: ID<"member">) => Promise<unknown>> = {
  "hand over": (ctx, id) => give(ctx, id),
  remove: (ctx, id) => Member.remove(ctx, id, {}, Token.endAll),
  demote: (ctx, id) => Member.update(ctx, id, { role: "viewer" }),
  suspend: (ctx, id) => Member.update(ctx, id, { state: "suspended" }),
  leave,
};
const pairs = Object.keys(acts).flatMap((one) => Object.keys(acts).map((other) => [one, other] as const));

// The other's whole act comes in before each call of the table that ours makes, one after the other.
test.each(pairs)(
  "while one owner does %s, the other's %s may come in anywhere: an owner is left",
  async (one, other) => {
    let points = 0;
    for (let at = 1; ; at += 1) {
      await begin();
      const bob = await as("owner");
      let calls = 0;
      let came = false;
      stage.tables.before = async () => {
        calls += 1;
        if (calls !== at) return;
        came = true;
        stage.tables.before = undefined;
        await Promise.allSettled([acts[other]?.(bob, self(ada))]);
      };
      await Promise.allSettled([acts[one]?.(ada, bob.id)]);
      stage.tables.before = undefined;
      if (!came) break;
      points += 1;
      expect(owners().length, `before call ${at}`).toBeGreaterThanOrEqual(1);
    }
    expect(points).toBeGreaterThan(1);
  },
);

// What a member holds ends by calls of its own, which only multiply the orders.
const bare: typeof acts = {
  ...acts,
  remove: (ctx, id) => Member.remove(ctx, id, {}, nothing),
  leave: (ctx) => Member.leave(ctx, nothing),
};
const close = [
  ["hand over", "hand over"],
  ["hand over", "remove"],
  ["hand over", "leave"],
  ["remove", "remove"],
  ["leave", "leave"],
] as const;
// Hundreds of orders of a whole request each, which takes long where others keep the processors.
test.each(close)(
  "whatever order the table calls of %s and %s come in, an owner is left",
  async (one, other) => {
    const runs = await everyOrder(async (order) => {
      await begin();
      const bob = await as("owner");
      const came = await ordered(
        [
          async (gate) => await bare[one]?.(gate(ada), bob.id),
          async (gate) => await bare[other]?.(gate(bob), self(ada)),
        ],
        order,
      );
      expect(owners().length, came.order.join("")).toBeGreaterThanOrEqual(1);
      return came;
    });
    expect(runs).toBeGreaterThanOrEqual(20);
  },
  60_000,
);

test("whoever is a member may leave, and takes all it has along; the last owner may not", async () => {
  const eve = await as("viewer");
  await Member.leave(eve, Token.endAll);
  await expect(Member.get(ada, eve.id)).rejects.toMatchObject({ kind: "missing" });
  expect(await noted()).toBe(1);
  await expect(leave(ada)).rejects.toMatchObject({ kind: "conflict" });
  const bob = await as("owner");
  await leave(ada);
  expect(owners()).toEqual([bob.id]);
});

test("nobody but an owner removes another", async () => {
  const [eve, bob] = [await as("editor"), await as("viewer")];
  await expect(Member.remove(eve, bob.id, {}, Token.endAll)).rejects.toMatchObject({ kind: "forbidden" });
  expect(await Member.get(ada, bob.id)).toMatchObject({ state: "active" });
});

test("a token that may do less than its member does not end its member", async () => {
  const { text } = await stage.member(tenant, "owner", ["member:write"]);
  const scoped = await stage.enter(text);
  await expect(leave(scoped)).rejects.toMatchObject({ kind: "forbidden" });
  const bound = { ...scoped, actor: { ...scoped.actor, scopes: null, within: { clusters: [] } } };
  await expect(leave(bound)).rejects.toMatchObject({ kind: "forbidden" });
  expect(owners()).toHaveLength(2);
});

test("clusters are to follow who is active, who is an owner and what one is called, and nothing else", async () => {
  const bob = await as("viewer");
  const after = async (input: Member.UpdateInput): Promise<number> => {
    const before = await noted();
    await Member.update(ada, bob.id, input);
    return (await noted()) - before;
  };
  expect(await after({ role: "editor" })).toBe(0);
  expect(await after({ role: "owner" })).toBe(1);
  expect(await after({ role: "owner" })).toBe(0);
  expect(await after({ role: "viewer" })).toBe(1);
  expect(await after({ name: "Bob 🚢" })).toBe(1);
  expect(await after({ state: "suspended" })).toBe(1);
  const before = await noted();
  await Member.remove(ada, bob.id, {}, Token.endAll);
  expect(await noted()).toBe(before);
  const eve = await as("viewer");
  await Member.remove(ada, eve.id, {}, Token.endAll);
  expect(await noted()).toBe(before + 1);
});

const identity = { issuer: "https://id.test", subject: "ada" };
const come = async (more: Partial<Member.Identity> = {}): Promise<Member.Member> => {
  const input = { name: "ada", role: "viewer", kind: "person", identity: { ...identity, ...more } } as const;
  const { member, changes } = Member.join(ada, input);
  await Quota.taking(ada, "members", changes);
  return member;
};

test("who signs in is one member per issuer and subject, and a new one after its removal", async () => {
  const first = await come();
  expect(await Member.byIdentity(ada, identity.issuer, identity.subject)).toEqual(first);
  await expect(come()).rejects.toMatchObject({ index: 0 });
  const others = [await come({ subject: "eve" }), await come({ issuer: "https://other.test" })];
  expect(new Set([first, ...others].map(({ id }) => id)).size).toBe(3);
  expect(
    await Member.byIdentity(stage.context((await stage.tenant("blue")).id), identity.issuer, "ada"),
  ).toBeUndefined();
  await Member.remove(ada, first.id, {}, Token.endAll);
  expect(await Member.byIdentity(ada, identity.issuer, identity.subject)).toBeUndefined();
  expect((await come()).id).not.toBe(first.id);
});

test("of two sign-ins at once of one who is not known yet, one makes the member", async () => {
  const results = await Promise.allSettled([come(), come(), come()]);
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const found = await Member.list(ada, { kind: "person" });
  expect(found.items.filter(({ name }) => name === "ada")).toHaveLength(1);
});
