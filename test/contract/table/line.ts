import { randomBytes } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { openTable, type Tables } from "#core/table/index.ts";
import { createTable, localClient } from "../../../local/table.ts";
import { startProxy, type Trouble } from "../wire.ts";
import { begin, newTenant, refusal, thing } from "./things.ts";

/** What the real client promises when answers are lost, late or refused for a while. */
export function line(server: { endpoint: string }): void {
  const opened: Tables[] = [];
  afterAll(() => {
    for (const tables of opened) tables.close();
  });
  /** The first request of `operation` meets `trouble`, all others pass; `mine` goes through it, `calm` past it. */
  const bad = async (operation: string, trouble: Trouble, times = 1) => {
    const tableName = `t${randomBytes(6).toString("hex")}`;
    await createTable(server.endpoint, tableName);
    const proxy = await startProxy(server.endpoint);
    const [calmTables, tables] = [server.endpoint, proxy.endpoint].map((at) =>
      openTable({ tableName, now: () => begin, client: localClient(at) }),
    ) as [Tables, Tables];
    opened.push(calmTables, tables);
    const tenant = newTenant();
    const calm = calmTables.table(tenant);
    await calm.write(calm.insert(thing, "a", { name: "x", count: 1 }));
    let left = times;
    proxy.trouble = (asked) => (asked === operation && left-- > 0 ? trouble : undefined);
    proxies.push(proxy);
    return { mine: tables.table(tenant), calm, proxy };
  };
  const proxies: { stop(): Promise<void> }[] = [];
  afterAll(async () => {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
  });

  test("an insert whose reply was lost is a success, once, even when another edits the row in between", async () => {
    const { mine, calm, proxy } = await bad("PutItem", "cut");
    proxy.meanwhile = async () => void (await calm.edit(thing, "b", { set: { flag: true } }));
    await mine.write(mine.insert(thing, "b", { name: "b" }));
    expect(await calm.get(thing, "b")).toEqual({ name: "b", flag: true });
    expect(proxy.seen).toEqual(["PutItem", "PutItem"]);
  });

  test("an insert whose reply was lost, and that met another's row, is refused", async () => {
    const { mine } = await bad("PutItem", "cut");
    const cause = await refusal(mine.write(mine.insert(thing, "a", { name: "b" })));
    expect(cause.found).toEqual({ name: "x", count: 1 });
  });

  test("an edit whose reply was lost counts once and answers with the row it left", async () => {
    const { mine, calm, proxy } = await bad("UpdateItem", "cut");
    const row = await mine.edit(thing, "a", { add: { count: 1 }, when: { count: 1 } });
    expect(row).toEqual({ name: "x", count: 2 });
    expect(await calm.get(thing, "a")).toEqual({ name: "x", count: 2 });
    expect(proxy.seen).toEqual(["UpdateItem", "UpdateItem"]);
  });

  test("an edit without a condition whose reply was lost counts once", async () => {
    const { mine, calm } = await bad("UpdateItem", "cut");
    expect(await mine.edit(thing, "a", { add: { count: 1 } })).toEqual({ name: "x", count: 2 });
    expect((await calm.get(thing, "a"))?.count).toBe(2);
  });

  test("an update whose reply was lost is a success, although its own condition no longer holds", async () => {
    const { mine, calm } = await bad("UpdateItem", "cut");
    await mine.write(mine.update(thing, "a", { set: { count: 7 }, when: { count: 1 } }));
    expect((await calm.get(thing, "a"))?.count).toBe(7);
  });

  test("a sum whose reply was lost counts once, even when another edits the row in between", async () => {
    const { mine, calm, proxy } = await bad("TransactWriteItems", "cut");
    proxy.meanwhile = async () => void (await calm.edit(thing, "a", { set: { flag: true } }));
    await mine.write(mine.update(thing, "a", { add: { count: 1 } }));
    expect(await calm.get(thing, "a")).toEqual({ name: "x", count: 2, flag: true });
    expect(proxy.seen).toHaveLength(2);
  });

  test("a transaction and a conditional removal whose replies were lost are successes, once", async () => {
    const { mine, calm, proxy } = await bad("TransactWriteItems", "cut");
    await mine.write(
      mine.insert(thing, "b", { name: "b" }),
      mine.update(thing, "a", { add: { count: 1 }, when: { count: 1 } }),
    );
    expect((await calm.get(thing, "a"))?.count).toBe(2);
    let cut = true;
    proxy.trouble = () => {
      const now = cut;
      cut = false;
      return now ? "cut" : undefined;
    };
    await mine.write(mine.remove(thing, "a", { count: 2 }));
    expect(await calm.get(thing, "a")).toBeUndefined();
  });

  test.each(["throttle", "broken"] as const)("a %s passes and is tried again", async (trouble) => {
    const { mine, calm, proxy } = await bad("UpdateItem", trouble, 3);
    await mine.edit(thing, "a", { add: { count: 1 } });
    expect((await calm.get(thing, "a"))?.count).toBe(2);
    expect(proxy.seen).toEqual(Array(4).fill("UpdateItem"));
  });

  test("a transaction that was cancelled by a conflict is tried again", async () => {
    const { mine, calm, proxy } = await bad("TransactWriteItems", "conflict", 2);
    await mine.write(mine.insert(thing, "b", { name: "b" }), mine.update(thing, "a", { add: { count: 1 } }));
    expect(
      (
        await calm.getAll([
          [thing, "a"],
          [thing, "b"],
        ])
      ).map((row) => row?.name),
    ).toEqual(["x", "b"]);
    expect(proxy.seen).toHaveLength(3);
  });

  test("keys that a batch left over are asked for again", async () => {
    const { mine, proxy } = await bad("BatchGetItem", "left", 2);
    expect(
      await mine.getAll([
        [thing, "none"],
        [thing, "a"],
      ]),
    ).toEqual([undefined, { name: "x", count: 1 }]);
    expect(proxy.seen).toHaveLength(3);
  });

  test("what does not pass ends as unavailable, after eight tries and no more", async () => {
    const { mine, proxy } = await bad("GetItem", "throttle", 100);
    await expect(mine.get(thing, "a")).rejects.toMatchObject({ kind: "unavailable", retryAfterSeconds: 1 });
    expect(proxy.seen).toHaveLength(8);
  });

  test("a refusal and a bug are not tried again", async () => {
    const { mine, proxy } = await bad("none", undefined);
    await refusal(mine.write(mine.insert(thing, "a", { name: "y" })));
    await expect(mine.edit(thing, "a", { add: { name: 1 } })).rejects.toMatchObject({ name: "ValidationException" });
    expect(proxy.seen).toEqual(["PutItem", "UpdateItem"]);
  });
}
