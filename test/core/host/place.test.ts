import { beforeEach, expect, test } from "vitest";
import { Refused } from "#core/context.ts";
import * as Host from "#core/host/index.ts";
import { binding } from "#core/host/home.ts";
import { credentialKind } from "#core/host/schema.ts";
import { homeTenant, newStage, type Stage } from "../../functions/stage.ts";

let stage: Stage;
let ctx: ReturnType<Stage["context"]>;
beforeEach(async () => {
  stage = newStage();
  ctx = stage.context((await stage.tenant("red")).id);
});
const cluster = "cls_01k00000000000000000000000" as const;
const place = (wish: { region?: string; version?: string } = {}) => Host.place(ctx, { ...wish, cluster });
const take = async () => {
  const placed = await place();
  await ctx.table.write(placed.seat);
  return placed;
};
const why = (wish: { region?: string; version?: string }) => place(wish).catch((fault: unknown) => fault);

test("a seat is one of the lowest free ports, never one twice, and a freed one can be had again", async () => {
  const host = await stage.host({ ports: { from: 30_000, to: 30_019 } });
  const taken = new Set<number>();
  for (let left = 20; left > 0; left--) {
    const { port } = await take();
    const free = Array.from({ length: 20 }, (_, i) => 30_000 + i).filter((each) => !taken.has(each));
    expect(free.slice(0, 16)).toContain(port);
    taken.add(port);
  }
  expect(await why({})).toMatchObject({ kind: "unavailable", message: "Every host is full." });
  await ctx.table.write(Host.freeSeat(ctx, host.id, 30_007));
  const [one, other] = await Promise.all([place(), place()]);
  expect([one.port, other.port]).toEqual([30_007, 30_007]);
  await ctx.table.write(one.seat);
  await expect(ctx.table.write(other.seat)).rejects.toThrow(Refused);
  expect((await Host.seats(stage.deps.home, host.id)).map(({ port }) => port)).toEqual(
    [...taken].sort((a, b) => a - b),
  );
});

test("the emptiest of the fitting hosts is chosen, by region and version", async () => {
  const north = await stage.host();
  const south = await stage.host({ name: "south", region: "south", versions: ["1.36.3"], ports: { from: 1, to: 2 } });
  const wide = await stage.host({ name: "wide", ports: { from: 1, to: 9 } });
  expect((await place()).host.id).toBe(wide.id);
  expect((await place({ region: "south" })).host.id).toBe(south.id);
  expect((await place({ version: "1.36.3" })).host.id).toBe(south.id);
  for (let i = 0; i < 7; i += 1) await take();
  expect((await place({ region: "north" })).host.id).toBe(north.id);
});

test("why there is no place is said: no such host, none that is well, all full", async () => {
  expect(await why({ region: "north" })).toMatchObject({ message: "There is no host for the region north." });
  await stage.host();
  await stage.host({ name: "leaving", state: "draining", versions: ["1.36.3"] });
  expect(await why({ version: "1.36.3" })).toMatchObject({ message: "There is no host for version 1.36.3." });
  await stage.clock.pass(180_000);
  expect((await place()).host.name).toBe("north");
  await stage.clock.pass(1);
  expect(await why({})).toMatchObject({ kind: "unavailable", message: "No host is healthy.", retryAfterSeconds: 60 });
  expect(await Host.offers(ctx)).toEqual([]);
});

test("seats beyond one page of the list count too", async () => {
  await stage.host({ ports: { from: 30_000, to: 30_149 } });
  for (let i = 0; i < 150; i += 1) await take();
  expect(await why({})).toMatchObject({ message: "Every host is full." });
});

test("a host's credentials open for that host alone, and are read once a minute", async () => {
  const { seal } = await stage.deps.tools();
  const work = { ...ctx, seal };
  const [host, other] = [await stage.host(), await stage.host({ name: "other" })];
  const target = { server: "https://192.0.2.1:6443", authority: "PEM", user: { token: "t" } };
  const sealed = await seal.seal(JSON.stringify(target), binding(homeTenant, host.id));
  const table = stage.deps.home.table(homeTenant);
  await table.write(
    table.insert(credentialKind, host.id, { sealed }),
    table.insert(credentialKind, other.id, { sealed }),
  );
  expect(await Host.target(work, host.id)).toEqual(target);
  await expect(Host.target(work, other.id)).rejects.toThrow("authenticate");
  await expect(Host.target(work, "hst_01k00000000000000000000000")).rejects.toMatchObject({ kind: "missing" });
  const before = stage.tables.calls.get;
  await Host.target(work, host.id);
  expect(stage.tables.calls.get).toBe(before);
  await stage.clock.pass(60_000);
  await Host.target(work, host.id);
  expect(stage.tables.calls.get).toBe(before + 1);
});
