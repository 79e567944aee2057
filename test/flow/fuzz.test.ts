import { expect, test } from "vitest";
import { statuses } from "#core/error.ts";
import { newID } from "#core/id.ts";
import { hostKind } from "#core/host/schema.ts";
import { newStage } from "../functions/stage.ts";
import { newWords, type Schema } from "./words.ts";

// What no client of ours would send. Every request is made from the API's own description and then spoilt; a request
// may still turn out to be a good one, and then it may do what it says.

const seed = Number(process.env["BERTH_SEED"] ?? "20260105");
const runs = process.env["BERTH_DEEP"] === undefined ? 20_000 : 100_000;
const patienceMs = 20_000;

interface Route {
  method: string;
  path: string;
  body: Schema | undefined;
  query: { name: string; schema: Schema }[];
}

test(`${runs} bad requests: none is our fault, none hangs, none leaves a trace, and each is told why`, async () => {
  console.info(`seed ${seed}`);
  const stage = newStage();
  const staff = stage.as(await (await import("#core/tenant/index.ts")).bootstrap(stage.deps));
  const { owner, id: tenant } = await stage.tenant("red");
  const ada = stage.as(owner.text);
  const host = await stage.host({ ports: { from: 30_000, to: 32_767 } });
  // It stays well however far the clock goes while requests wait.
  await stage.deps.home
    .table(stage.deps.home.tenant)
    .edit(hostKind, host.id, { set: { healthyAt: "2099-01-01T00:00:00.000Z" } });
  stage.deps.sleep = (ms) => stage.clock.pass(ms);
  const cluster = await ada("POST", "/v1/clusters", { name: "victim", deletionProtection: true });
  const document = JSON.parse((await ada("GET", "/v1/openapi.json")).text) as Document;
  const routes = routesOf(document);
  const words = newWords(seed, document.components.schemas);
  const { pick, chance } = words;

  let wrote = false;
  const note = ({ act, keys }: { act: string; keys: string[] }): void => {
    // When a token was last used is no trace of what was asked, and a key that was met is kept with its change.
    if ((act === "write" || act === "edit") && !keys.every((key) => /\/(token|once)\//.test(key))) wrote = true;
  };
  stage.tables.after = note;

  /** Real things, where being wrong is left to the rest of the request; never to be removed for good. */
  const idFor = (path: string, method: string): string => {
    const real = path.includes("clusters") ? String(cluster.body["id"]) : path.includes("tenants") ? "" : host.id;
    const unborn = newID(stage.deps, path.includes("clusters") ? "cluster" : path.includes("hosts") ? "host" : "token");
    const may = method === "get" || (method === "patch" && !path.includes("hosts")) || path.includes("/kube/");
    return may && real !== "" && chance(0.4)
      ? real
      : chance(0.3)
        ? unborn
        : encodeURIComponent(words.id()).replace(/^\.+$/, "%2e");
  };
  const counts: Record<number, number> = {};
  for (let run = 0; run < runs; run++) {
    const { method, path, body, query } = pick(routes);
    const to = path.replaceAll(/\{\w+\}/g, () => idFor(path, method));
    const search = words.search(query);
    const sent = body === undefined && chance(0.9) ? undefined : words.body(body ?? {});
    const verb = chance(0.02) ? pick(["PUT", "OPTIONS", "HEAD"]) : method.toUpperCase();
    const bodiless = verb === "GET" || verb === "HEAD";
    const ask = chance(0.03) ? stage.as(words.token()) : path.includes("/home/") ? staff : ada;
    wrote = false;
    const what = `run ${run} ${verb} ${to.slice(0, 200)}${search.slice(0, 200)} ${sent?.slice(0, 300)}`;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what}: no answer`)), patienceMs);
    });
    const answered = ask(verb, to + search, bodiless ? undefined : sent, words.headers());
    const { status, headers, body: told } = await Promise.race([answered, late]).finally(() => clearTimeout(timer));
    counts[status] = (counts[status] ?? 0) + 1;
    if (status < 300) continue;
    expect(wrote, `${what}: ${status} and yet it wrote`).toBe(false);
    // One answer of the kind is right: there is no place, or a host does not answer.
    if (status >= 500 && status !== 503) {
      const line = stage.lines.findLast(({ level }) => level === "error");
      throw new Error(`${what}: ${status}\n${String(line?.fields["stack"])}`);
    }
    if (verb === "HEAD") continue;
    expect(headers.get("content-type"), what).toBe("application/problem+json");
    expect(statuses[told["kind"] as keyof typeof statuses], what).toBe(status);
    if (status === 400) {
      expect(told["errors"], `${what}: ${String(told["detail"])}`).not.toEqual([]);
      for (const { field } of told["errors"] as { field: unknown }[]) expect(typeof field, what).toBe("string");
    }
    stage.lines.length = 0;
  }
  console.info(JSON.stringify(counts));
  // All of it stood: what was there is still there, and answers.
  expect((await ada("GET", `/v1/clusters/${cluster.body["id"]}`)).status).toBe(200);
  expect(counts[413]).toBeGreaterThan(0);
  expect(counts[503] ?? 0).toBeLessThan(runs / 50);
  expect(tenant).toBeDefined();
}, 900_000);

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}
interface Operation {
  parameters?: { name: string; in: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

const routesOf = ({ paths }: Document): Route[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method,
      path,
      body: requestBody?.content["application/json"]?.schema,
      query: parameters.filter((each) => each.in === "query"),
    })),
  );
