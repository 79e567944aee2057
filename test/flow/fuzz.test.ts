import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand } from "./stand.ts";
import { statuses } from "#core/error.ts";
import { newID, type Noun } from "#core/id.ts";
import { hostKind } from "#core/host/schema.ts";
import { newThings } from "../guard/things.ts";
import { request, type Route, walkOf } from "../guard/walk.ts";
import { newWords } from "./words.ts";

// What no client of ours would send. Every request is made from the API's own description and then spoilt; a request
// may still turn out to be a good one, and then it may do what it says.

const seed = Number(process.env["BERTH_SEED"] ?? "20260105");
const runs = process.env["BERTH_DEEP"] === undefined ? 20_000 : 100_000;
const patienceMs = 20_000;

test(`${runs} bad requests: none is our fault, none hangs, none leaves a trace, and each is told why`, async () => {
  console.info(`seed ${seed}`);
  const stand = await newStand();
  const { world, ada: owner, host } = stand;
  // It stays well however far the clock goes while requests wait.
  const home = world.deps.home.table(world.deps.home.tenant);
  await home.edit(hostKind, host.id, { set: { healthyAt: "2099-01-01T00:00:00.000Z" } });
  const cluster = await stand.make({ name: "victim", deletionProtection: true });
  const { things } = await newThings(world, owner, host.id, cluster);
  const [staff, ada] = [(await world.staff()).call, owner.call];
  world.deps.sleep = (ms) => world.clock.pass(ms);
  const { routes, schemas } = walkOf((await owner.get("/v1/openapi.json")).text);
  const words = newWords(seed, schemas);
  const { pick, chance } = words;

  let wrote = false;
  let passing = false;
  const note = ({ act, keys }: { act: string; keys: string[] }): void => {
    // When a token was last used is no trace of what was asked, and a key that was met is kept with its change. What
    // went into a cluster is told by the audit whatever the cluster said to it.
    const harmless = passing ? /\/(token|once|audit|entered)\// : /\/(token|once)\//;
    if ((act === "write" || act === "edit") && !keys.every((key) => harmless.test(key))) wrote = true;
  };
  world.tables.after = note;

  /** Real things, where being wrong is left to the rest of the request; never to be removed or given away for good. */
  const idFor = (route: Route, noun: Noun): string => {
    const may = route.method !== "DELETE" && !/tenants|hosts|transfer|rotate/.test(route.path);
    const [real, unborn] = [things[noun], newID(world.deps, noun as "cluster")];
    if ((may || route.path.includes("/kube/")) && chance(0.4)) return real;
    return chance(0.3) ? unborn : encodeURIComponent(words.id()).replace(/^\.+$/, "%2e");
  };
  /** Who may be lost: of what ends its own caller. */
  const passer = async () => (await world.member(owner.tenant, "editor")).call;
  const counts: Record<number, number> = {};
  for (let run = 0; run < runs; run++) {
    const route = pick(routes);
    const { method, body, query } = route;
    const { path: to } = request(route, schemas, (noun) => idFor(route, noun));
    const search = words.search(query);
    const sent = body === undefined && chance(0.9) ? undefined : words.body(body ?? {});
    const verb = chance(0.02) ? pick(["PUT", "OPTIONS", "HEAD"]) : method;
    const bodiless = verb === "GET" || verb === "HEAD";
    const ends = /^(DELETE|PUT) \/v1\/(me|sessions\/current)/.test(`${method} ${route.path}`);
    const known = ends ? await passer() : route.path.includes("/home/") ? staff : ada;
    const ask = chance(0.03) ? world.as(words.token()).call : known;
    passing = route.path.includes("{path}");
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
      const line = world.lines.findLast(({ level }) => level === "error");
      throw new Error(`${what}: ${status}\n${String(line?.fields["stack"])}`);
    }
    // What a cluster itself says to it is passed on as it is.
    if (verb === "HEAD" || (passing && told["kind"] === "Status")) continue;
    expect(headers.get("content-type"), what).toBe("application/problem+json");
    expect(statuses[told["kind"] as keyof typeof statuses], what).toBe(status);
    if (status === 400) {
      expect(told["errors"], `${what}: ${String(told["detail"])}`).not.toEqual([]);
      for (const { field } of told["errors"] as { field: unknown }[]) expect(typeof field, what).toBe("string");
    }
    world.lines.length = 0;
  }
  console.info(JSON.stringify(counts));
  // All of it stood: what was there is still there, and answers.
  expect((await ada("GET", `/v1/clusters/${cluster}`)).status).toBe(200);
  expect(counts[413]).toBeGreaterThan(0);
  expect(counts[503] ?? 0).toBeLessThan(runs / 50);
}, 900_000);
