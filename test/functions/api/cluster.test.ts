import { beforeEach, describe, expect, test } from "vitest";
import { clusterKind } from "#core/cluster/schema.ts";
import { nameKind } from "#core/cluster/store.ts";
import type { ID } from "#core/id.ts";
import { generationIn } from "#functions/api/page.ts";
import { newStage, type Stage } from "../stage.ts";

let stage: Stage;
let owner: ReturnType<Stage["as"]>;
let tenant: ID<"tenant">;
beforeEach(async () => {
  stage = newStage();
  const red = await stage.tenant("red");
  tenant = red.id;
  owner = stage.as(red.owner.text);
});

describe("conditions", () => {
  let path: string;
  beforeEach(async () => {
    await stage.host();
    path = `/v1/clusters/${(await owner("POST", "/v1/clusters", { name: "one" })).body["id"]}`;
  });
  const protect = (match: string, to = true) => owner("PATCH", path, { deletionProtection: to }, { "If-Match": match });

  test("every answer with a cluster carries its ETag, and a change moves it", async () => {
    const answers = [
      await owner("GET", path),
      await protect('"1"'),
      await owner("PATCH", path, { deletionProtection: false }),
      await owner("DELETE", path),
    ];
    expect(answers.map(({ status, headers }) => [status, headers.get("etag")])).toEqual([
      [200, '"1"'],
      [200, '"2"'],
      [200, '"3"'],
      [202, '"4"'],
    ]);
  });

  test.each(['"2"', 'W/"1"', "1", '"one"', '"1', "", '"-1"', 'W/"1", W/"2"'])(
    "If-Match %j is 412 with what is there, and changes nothing",
    async (match) => {
      for (const answer of [await protect(match), await owner("DELETE", path, undefined, { "If-Match": match })]) {
        expect(answer).toMatchObject({ status: 412, body: { kind: "stale" } });
        expect(answer.headers.get("etag")).toBe('"1"');
      }
      expect((await owner("GET", path)).headers.get("etag")).toBe('"1"');
    },
  );

  test.each(['"1"', "*", '"0", "1"', 'W/"9","1"', ' "1" '])("If-Match %j is met", async (match) => {
    expect((await protect(match)).status).toBe(200);
    expect((await owner("PATCH", path, { deletionProtection: false })).status).toBe(200);
    const met = match === "*" ? match : match.replace('"1"', '"3"');
    expect((await owner("DELETE", path, undefined, { "If-Match": met })).status).toBe(202);
  });

  test("a list of tags means the latest", () => {
    expect(generationIn('"3", W/"9", "5"')).toBe(5);
    expect(generationIn(undefined)).toBeUndefined();
  });
});

describe("lists", () => {
  /** Clusters as rows: c000 and on, made in this order, each third in the south, each fifth on 1.35. */
  async function many(count: number): Promise<void> {
    const table = stage.deps.home.table(tenant);
    await stage.host({ ports: { from: 30_000, to: 30_010 } });
    const { body } = await owner("POST", "/v1/clusters", { name: "pattern" });
    const pattern = await table.get(clusterKind, String(body["id"]));
    if (pattern === undefined) throw new Error("it was not made");
    await table.write(table.remove(clusterKind, pattern.id), table.remove(nameKind, "pattern"));
    const changes = Array.from({ length: count }, (_, at) => {
      const id = `cls_01k${String(at).padStart(23, "0")}` as ID<"cluster">;
      // Names run against the order of making.
      const name = `c${String(count - 1 - at).padStart(5, "0")}`;
      const spec = {
        ...pattern.spec,
        region: at % 3 === 0 ? "south" : "north",
        version: at % 5 === 0 ? "1.35.4" : "1.34.4",
        labels: { at: `${at % 2}`, all: "yes" },
      };
      return [table.insert(clusterKind, id, { ...pattern, id, name, spec }), table.insert(nameKind, name, { id })];
    });
    for (let at = 0; at < changes.length; at += 40) await table.write(...changes.slice(at, at + 40).flat());
  }
  const names = async (query: string): Promise<string[]> => {
    const found: string[] = [];
    for (let after = ""; ; ) {
      const { status, text, body } = await owner("GET", `/v1/clusters?limit=7&${query}${after}`);
      expect(status, text).toBe(200);
      const items = body["items"] as { name: string }[];
      expect(items.length).toBeLessThanOrEqual(7);
      found.push(...items.map(({ name }) => name));
      if (body["next"] === null) return found;
      after = `&after=${String(body["next"])}`;
    }
  };

  test("are sifted by all that is said, and followed to the end they hold each that fits once, in order", async () => {
    await many(60);
    const all = Array.from({ length: 60 }, (_, at) => ({ at, name: `c${String(59 - at).padStart(5, "0")}` }));
    const where = (fits: (at: number) => boolean) => all.filter(({ at }) => fits(at)).map(({ name }) => name);
    expect(await names("")).toEqual(where(() => true));
    expect(await names("region=south")).toEqual(where((at) => at % 3 === 0));
    expect(await names("version=1.35")).toEqual(where((at) => at % 5 === 0));
    expect(await names("version=1.35.4&region=south")).toEqual(where((at) => at % 15 === 0));
    expect(await names("version=1.3")).toEqual([]);
    expect(await names("label=at=1&label=all=yes")).toEqual(where((at) => at % 2 === 1));
    expect(await names("label=all=no")).toEqual([]);
    expect(await names("label=toString=x&label=__proto__=")).toEqual([]);
    expect(await names("phase=Pending&region=north")).toEqual(where((at) => at % 3 !== 0));
    expect(await names("phase=Ready")).toEqual([]);
    expect(await names("name=c00059&region=south")).toEqual(["c00059"]);
    expect(await names("name=c00059&region=north")).toEqual([]);
    expect(await names("sort=-createdAt&region=south")).toEqual(where((at) => at % 3 === 0).reverse());
    expect(await names("sort=name&region=south")).toEqual(where((at) => at % 3 === 0).reverse());
    expect(await names("sort=-name")).toEqual(where(() => true));
  });

  test("look at 1,000 rows at most in one request", async () => {
    await many(1_200);
    stage.tables.calls.list = 0;
    const { body } = await owner("GET", "/v1/clusters?name=&phase=Ready".replace("name=&", ""));
    expect(body["items"]).toEqual([]);
    expect(body["next"]).not.toBeNull();
    expect(stage.tables.calls.list).toBe(10);
  });

  test.each(["phase=Broken", "sort=size", "version=new", "label=bare", "region=", "name=a&name=b", "hurry=1"])(
    "%s is refused by its name",
    async (query) => {
      const { status, body } = await owner("GET", `/v1/clusters?${query}`);
      expect(status).toBe(400);
      expect(body["errors"]).toMatchObject([{ field: query.split("=")[0] }]);
    },
  );
});
