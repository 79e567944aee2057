import { describe, expect, test } from "vitest";
import * as Audit from "#core/audit/index.ts";
import type { ID } from "#core/id.ts";
import { digest } from "#functions/cron/chain.ts";
import { verify, type Verdict } from "../../../cli/verify.ts";
import { homeTenant, newWorld, type World } from "../../world/index.ts";

/** What an owner would get of the API, checked. */
async function check(world: World, tenant: ID<"tenant">, at = Date.parse(world.clock.now())): Promise<Verdict> {
  const ctx = world.context(tenant);
  const lines: string[] = [];
  for await (const page of Audit.entries(ctx, {})) lines.push(...page.map((entry) => JSON.stringify(entry)));
  const digests: Audit.Digest[] = [];
  let after: string | undefined;
  do {
    const page = await Audit.digests(ctx, { after });
    digests.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined);
  const { head } = await Audit.digests(ctx, {});
  return verify({ lines, digests, keys: (await Audit.keys(ctx, {})).items, heads: head === null ? [] : [head], at });
}

async function note(world: World, tenant: ID<"tenant">, count: number): Promise<void> {
  const ctx = world.context(tenant);
  for (let i = 0; i < count; i += 1) {
    await world.clock.pass(1);
    await ctx.table.write(Audit.entry(ctx, { verb: "cluster:create", target: `t${i}` }));
  }
}

const marks = (world: World): number => [...world.tables.rows().values()].filter((row) => row["unsealed"]).length;
const newBook = async (count: number) => {
  const world = newWorld();
  const { tenant } = await world.tenant("red");
  await note(world, tenant, count);
  return { world, tenant };
};

test("each tenant has a chain of its own, of digests of 90 entries at most, and nothing is sealed twice", async () => {
  const { world, tenant } = await newBook(200);
  const blue = await world.tenant("blue");
  await note(world, blue.tenant, 3);
  expect(await world.digest()).toMatchObject({ digests: 4, entries: 203 });
  expect(await world.digest()).toMatchObject({ digests: 0, entries: 0, oldestSeconds: 0 });
  expect(marks(world)).toBe(0);
  expect(await check(world, tenant)).toMatchObject({ findings: [], sealed: 200, digests: 3, head: { sequence: 3 } });
  expect(await check(world, blue.tenant)).toMatchObject({ findings: [], sealed: 3, digests: 1 });
  await note(world, tenant, 1);
  await world.digest();
  const { items, head } = await Audit.digests(world.context(tenant), {});
  expect(items.map(({ id, entries }) => [id, entries.length])).toEqual([
    ["000000000001", 90],
    ["000000000002", 90],
    ["000000000003", 20],
    ["000000000004", 1],
  ]);
  expect([items[0]?.previous, head?.sequence]).toEqual([null, 4]);
});

test("an entry that comes late, with an older id, is in the next digest", async () => {
  const { world, tenant } = await newBook(1);
  const ctx = world.context(tenant);
  const late = Audit.entry(ctx, { verb: "token:create", target: "late" });
  await note(world, tenant, 2);
  await world.digest();
  await ctx.table.write(late);
  await world.digest();
  const { items } = await Audit.digests(ctx, {});
  expect(items[1]?.entries.map(({ id }) => id)).toEqual([late.id]);
  expect((items[1]?.from ?? "") < (items[0]?.to ?? "")).toBe(true);
  expect((await check(world, tenant)).findings).toEqual([]);
});

test("two sealers at once seal everything once, with one key", async () => {
  const { world, tenant } = await newBook(120);
  await Promise.all([digest(world.deps), digest(world.deps), digest(world.deps)]);
  await world.digest();
  expect(await check(world, tenant)).toMatchObject({ findings: [], sealed: 120 });
  expect((await Audit.keys(world.context(tenant), {})).items).toHaveLength(1);
});

test("a sealer that another one overtakes, between its look at the entries and at the chain, seals nothing twice", async () => {
  const { world, tenant } = await newBook(3);
  let overtaken = false;
  world.outside = async ({ table, when }) => {
    if (overtaken || when !== "after" || table?.act !== "getAll") return;
    overtaken = true;
    expect(await digest(world.deps)).toMatchObject({ entries: 3 });
  };
  expect(await world.digest()).toMatchObject({ digests: 0, entries: 0 });
  expect(await check(world, tenant)).toMatchObject({ findings: [], sealed: 3, digests: 1 });
});

test("the private key is sealed, in the home tenant's rows, and nobody is shown it", async () => {
  const { world, tenant } = await newBook(1);
  await world.digest();
  const rows = [...world.tables.rows()].filter(([key]) => key.includes("/auditKey/"));
  expect(rows.map(([key]) => key.split("/")[0])).toEqual([homeTenant]);
  expect(String(rows[0]?.[1]["sealed"])).toMatch(/^v1\./);
  const [key] = (await Audit.keys(world.context(tenant), {})).items;
  expect(Object.keys(key ?? {}).sort()).toEqual(["algorithm", "createdAt", "id", "publicKey"]);
  const bound = { tenant: homeTenant, cluster: "audit", name: key?.id ?? "" };
  const plain = await world.seal.open(String(rows[0]?.[1]["sealed"]), bound);
  expect(JSON.stringify([[...world.tables.rows()], world.lines])).not.toContain(plain);
});

describe("whatever call the sealer dies at, nothing is lost and nothing is sealed twice", async () => {
  const counted = await newBook(100);
  let calls = 0;
  counted.world.outside = ({ when }) => void (calls += when === "before" ? 1 : 0);
  await counted.world.digest();
  const moments = Array.from({ length: calls }, (_, at) => at + 1).flatMap((nth) =>
    (["before", "after"] as const).map((when) => ({ nth, when })),
  );
  test("there are calls to die at", () => expect(calls).toBeGreaterThan(10));

  test.each(moments)("$when call $nth", async ({ nth, when }) => {
    const { world, tenant } = await newBook(100);
    const numbers = new WeakMap<object, number>();
    let begun = 0;
    let dead = false;
    world.outside = (call) => {
      const one = call.table ?? call.kube ?? {};
      if (call.when === "before") numbers.set(one, (begun += 1));
      dead ||= numbers.get(one) === nth && call.when === when;
      if (dead) throw new Error("dead");
    };
    await expect(world.digest()).rejects.toThrow("not sealed");
    world.outside = undefined;
    expect(dead).toBe(true);
    await note(world, tenant, 1);
    await world.digest();
    expect(marks(world)).toBe(0);
    expect(await check(world, tenant)).toMatchObject({ findings: [], sealed: 101 });
  });
});

test("one tenant's failure does not keep the others waiting, and what waits over three minutes is an error", async () => {
  const { world, tenant } = await newBook(1);
  const blue = await world.tenant("blue");
  await note(world, blue.tenant, 1);
  world.outside = ({ table, when }) => {
    if (when === "before" && table?.act === "write" && table.keys.some((key) => key.startsWith(tenant))) {
      throw new Error("the store is away");
    }
  };
  await expect(world.digest()).rejects.toThrow("not sealed");
  expect(await check(world, blue.tenant)).toMatchObject({ sealed: 1 });
  expect(world.lines.filter(({ level }) => level === "error")).toEqual([]);
  await world.clock.pass(181_000);
  await expect(world.digest()).rejects.toThrow("not sealed");
  expect(world.lines.at(-1)).toMatchObject({ level: "error", fields: { oldestSeconds: 181 } });
  expect((await check(world, tenant)).findings).toMatchObject([{ what: "unsealed" }]);
});
