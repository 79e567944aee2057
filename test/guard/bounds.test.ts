import { beforeAll, describe, expect, test } from "vitest";
import { newStage, type Stage } from "../functions/stage.ts";
import { type ID, newID } from "#core/id.ts";
import { request, walkOf } from "./walk.ts";

// What holds for every route is held here for every route, so that the next one can't forget it.

const first = newStage();
const { routes: all, schemas } = walkOf(await (await first.doors.api.request("/v1/openapi.json")).text());
const closed = all.filter(({ permission }) => permission !== "public");

let stage: Stage;
let tenant: ID<"tenant">;
let owner: ReturnType<Stage["as"]>;
let staff: ReturnType<Stage["as"]>;
beforeAll(async () => {
  stage = newStage();
  staff = await stage.staff();
  const red = await stage.tenant("red");
  tenant = red.id;
  owner = stage.as(red.owner.text);
});
/** Ids are of things that are not there: what is wrong with the rest is told first. */
const call = (
  route: (typeof all)[number],
  query = "",
  body: unknown = route.body && route.method !== "DELETE" ? {} : undefined,
  headers: Record<string, string> = {},
) => {
  const { path } = request(route, schemas, (noun) => newID(stage.deps, noun as "cluster"));
  return (route.path.includes("/home/") ? staff : owner)(route.method, path + query, body, headers);
};
const fields = ({ body }: { body: Record<string, unknown> }): string[] =>
  ((body["errors"] ?? []) as { field: string }[]).map(({ field }) => field);

describe.each(closed)("$method $path", (route) => {
  test("refuses a query field that it does not know, by its name", async () => {
    // What goes on into a cluster is the cluster's to know.
    if (route.path.endsWith("/{path}")) return;
    const answer = await call(route, "?hurry=1");
    expect([answer.status, fields(answer)]).toEqual([400, expect.arrayContaining(["hurry"])]);
  });

  test("is within bounds where it is a list", async () => {
    if (!route.query.some(({ name }) => name === "limit")) return;
    for (const limit of ["0", "-1", "101", "1e9", "1.5", "x", ""]) {
      const answer = await call(route, `?limit=${limit}`);
      expect([answer.status, fields(answer)], limit).toEqual([400, expect.arrayContaining(["limit"])]);
    }
  });

  test("takes JSON, and not more than 64 kB of it", async () => {
    if (route.body === undefined) return;
    const large = await call(route, "", { name: "x".repeat(70_000) });
    expect(large).toMatchObject({ status: 413, body: { kind: "large" } });
    const other = await call(route, "", "<name/>", { "Content-Type": "application/xml" });
    expect([400, 415]).toContain(other.status);
    if (route.method !== "DELETE") expect(other).toMatchObject({ status: 415, body: { kind: "media" } });
  });

  test("takes an idempotency key where it changes something, and says so", () => {
    const takes = route.headers.some(({ name }) => name === "Idempotency-Key");
    expect(takes).toBe(route.method !== "GET");
  });
});

test("a walk over all of it left nothing behind", () => {
  const left = [...stage.tables.rows().keys()].filter(
    (key) => key.startsWith(tenant) && !/\/(token\w*|member|tenant)\//.test(key),
  );
  expect(left.join(" ")).toBe("");
});
