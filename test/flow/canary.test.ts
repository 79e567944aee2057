import { afterAll, expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "./stand.ts";
import { newThings } from "../guard/things.ts";
import { request, type Route, walkOf } from "../guard/walk.ts";
import type { Answer } from "../world/index.ts";
import { closeIssuer, moves } from "./moves.ts";

// A text that nobody else would say is put into each place that takes one, in every route; then it is looked for. What
// is a secret by its name is nowhere after it; what is not may stand in the thing that it is about, and is in no log,
// no audit entry and no refusal: people paste secrets into the wrong field.

afterAll(closeIssuer);

const secretNames = /^(idToken|nonce|code|codeVerifier|invite|kubeconfig|token)$/;
let count = 0;
const canary = (): string => `canary-${(count += 1)}-pzkqvxwj`;
const sung = /canary-\d+-pzkqvxwj/g;

type Leaf = (string | number)[];
/** The places of all texts in a value. */
function leaves(value: unknown, at: Leaf = []): Leaf[] {
  if (typeof value === "string") return [at];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => leaves(each, [...at, name]));
}
function replaced(value: unknown, [name, ...rest]: Leaf, by: string): unknown {
  if (name === undefined) return by;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[name] = replaced(copy[name], rest, by);
  return copy;
}

const rowsOf = ({ world }: Stand, part = "/"): string =>
  JSON.stringify([...world.tables.rows()].filter(([key]) => key.includes(part)));
const objectsOf = ({ world }: Stand): string =>
  JSON.stringify([...world.kubes.servers.values()].map(({ objects }) => objects.all()));

test("a canary in each input of each route is in no log, no audit entry and no refusal; a secret one is nowhere", async () => {
  const stand = await newStand();
  const { world, ada, host } = stand;
  const cluster = await stand.make({ deletionProtection: true });
  const { things } = await newThings(world, ada, host.id, cluster);
  const staff = await world.staff();
  const { routes, schemas } = walkOf((await ada.get("/v1/openapi.json")).text);
  const secrets: string[] = [];
  const refusals: string[] = [];
  const broken: string[] = [];
  let inputs = 0;

  const say = async (route: Route, path: string, body: unknown, said: string, headers: Record<string, string> = {}) => {
    const as = route.path.includes("/home/") ? staff : ada;
    const ends = /\/v1\/(me|sessions\/current)$/.test(route.path) && route.method === "DELETE";
    const who = ends ? await world.member(ada.tenant, "viewer") : as;
    const answer: Answer = await world.run(who.call(route.method, path, body, headers));
    inputs += 1;
    const line = `${route.method} ${path} ${JSON.stringify(body)?.slice(0, 200)} ${answer.status}`;
    // A cluster's own words come back as they are: what was said to it was its caller's own.
    const own = route.path.includes("{path}") && answer.headers.get("content-type") !== "application/problem+json";
    if (answer.status >= 400 && !own && answer.text.includes(said)) refusals.push(line);
    if (answer.status >= 500 && answer.status !== 503) broken.push(line);
  };
  for (const route of routes) {
    // Nothing is to be ended for good while there are places left.
    const fill = route.method === "DELETE" ? () => canary() : (noun: keyof typeof things) => things[noun];
    const { path, query, body } = request(route, schemas, fill);
    const all = route.query.map(({ name }) => name);
    for (const name of [...all, "unknown"]) {
      const said = canary();
      await say(route, `${path}?${name}=${said}`, body, said);
    }
    for (const { name } of route.params) {
      const said = canary();
      await say(route, route.path.replace(`{${name}}`, said).replaceAll(/\{\w+\}/g, "x"), body, said);
    }
    for (const header of ["Idempotency-Key", "If-Match", "Authorization", "X-Forwarded-For", "User-Agent"]) {
      const said = canary();
      // A key of the caller's own is kept, so that a repeat is known; it opens nothing.
      if (header !== "User-Agent" && header !== "Idempotency-Key") secrets.push(said);
      await say(route, path + query, body, said, { [header]: header === "Authorization" ? `Bearer ${said}` : said });
    }
    if (body === undefined || route.path.includes("{path}")) continue;
    const unknown = canary();
    await say(route, path + query, { ...(body as object), unknown }, unknown);
    const named = Object.keys(
      route.body?.properties ?? schemas[route.body?.$ref?.split("/").at(-1) ?? ""]?.properties ?? {},
    );
    for (const leaf of [...leaves(body), ...named.map((name) => [name])]) {
      const said = canary();
      if (leaf.some((part) => secretNames.test(String(part)))) secrets.push(said);
      await say(route, path + query, replaced(body, leaf, said), said);
    }
  }
  await world.sweep(2);
  await world.digest();
  console.info(`${inputs} inputs over ${routes.length} routes, ${secrets.length} of them secret`);
  expect(inputs).toBeGreaterThan(600);
  expect(broken).toEqual([]);
  // That there is no such region is said with its name, as it is one of few words that one may have misspelt.
  expect(refusals.filter((line) => !/"region":/.test(line))).toEqual([]);
  expect(JSON.stringify([world.lines, world.counted]).match(sung) ?? []).toEqual([]);
  expect(JSON.stringify(world.queue.letters).match(sung) ?? []).toEqual([]);
  expect(rowsOf(stand, "/audit/").match(sung) ?? []).toEqual([]);
  const kept = new Set([...(rowsOf(stand).match(sung) ?? []), ...(objectsOf(stand).match(sung) ?? [])]);
  expect(secrets.filter((secret) => kept.has(secret))).toEqual([]);
  // The canary does sing where it may: what is no secret is kept as what it was said to be.
  expect(kept.size).toBeGreaterThan(3);
}, 120_000);

/** Texts in an answer that work as a credential. */
const shown = (text: string): string[] =>
  text.match(/berth_[\w-]{30,}|\bey[\w-]{20,}\.[\w-]+\.[\w-]{20,}|(?<=invites?\/)[\w-]{30,}/g) ?? [];

test("what is shown once is in that one answer, and in no other, no log, row, message or object", async () => {
  const found: string[] = [];
  let secrets = 0;
  for (const [name, move] of Object.entries(moves)) {
    const stand = await newStand();
    const { world, ada } = stand;
    const { as = ada, id = "", rest = {}, body, headers } = await move(stand);
    const { routes } = walkOf((await ada.get("/v1/openapi.json")).text);
    const route = routes.find(({ operationId }) => operationId === name);
    if (route === undefined) throw new Error(`there is no ${name}`);
    const path = Object.entries({ id, ...rest }).reduce(
      (all, [key, value]) => all.replace(`{${key}}`, value),
      route.path,
    );
    const answer = await world.run(as.call(route.method, path, body, headers));
    const mine = [...shown(answer.text), ...shown(JSON.stringify(body ?? {}))];
    if (mine.length === 0) continue;
    secrets += mine.length;
    await world.sweep(2);
    const lists = routes.filter(({ method, path: at }) => method === "GET" && !/\{|openapi|home/.test(at));
    const answers = [];
    for (const each of lists) answers.push((await world.run(ada.get(each.path))).text);
    const places = { rows: rowsOf(stand), objects: objectsOf(stand), answers: answers.join("\n") };
    const texts = { ...places, log: JSON.stringify([world.lines, world.counted]), queue: JSON.stringify(world.queue) };
    for (const secret of mine) {
      // The part that is chance: what comes before names tenant and token, which are no secret.
      const part = secret.startsWith("berth_") ? secret.slice(-38) : (secret.split(".").at(-1) ?? secret);
      for (const [where, text] of Object.entries(texts)) if (text.includes(part)) found.push(`${name}: in ${where}`);
    }
  }
  console.info(`${secrets} secrets shown`);
  expect(found).toEqual([]);
  expect(secrets).toBeGreaterThan(5);
}, 120_000);
