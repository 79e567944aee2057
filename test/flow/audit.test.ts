import { afterAll, describe, expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "./stand.ts";
import type { Audit } from "#core/audit/schema.ts";
import { newID, nounOf } from "#core/id.ts";
import { closeIssuer, type Move, moves } from "./moves.ts";

// Every route that changes something is walked, as the API's own description names them. A new one needs a line in
// moves.ts that makes it succeed; without, its test fails.

afterAll(closeIssuer);

/** Routes that ask for a look, and change nothing that anybody wants. */
const looks = new Set(["poke", "checkHost", "splitLimits"]);

interface Route {
  method: string;
  path: string;
  operationId: string;
}
const document = (await (await (await newStand()).world.doors.api.request("/v1/openapi.json")).json()) as {
  paths: Record<string, Record<string, { operationId: string }>>;
};
const routes: Route[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { operationId }]) =>
    method === "get" || looks.has(operationId) ? [] : [{ method: method.toUpperCase(), path, operationId }],
  ),
);

const entries = ({ world }: Stand): Audit[] =>
  [...world.tables.rows()].flatMap(([key, row]) => (key.includes("/audit/") ? [row as unknown as Audit] : []));
const newIn = (stand: Stand, before: Audit[]): Audit[] => {
  const known = new Set(before.map(({ id }) => id));
  return entries(stand).filter(({ id }) => !known.has(id));
};

const placed = (path: string, { id = "", rest = {} }: Move): string =>
  Object.entries({ id, ...rest }).reduce((text, [name, value]) => text.replace(`{${name}}`, value), path);

describe.each(routes)("$method $path", ({ method, path, operationId }) => {
  test("leaves exactly one entry when it succeeds, of this request, without a value or a secret", async () => {
    const stand = await newStand();
    const move = await moves[operationId]?.(stand);
    if (move === undefined) throw new Error(`${operationId} has no line in this test`);
    const before = entries(stand);
    const asked = (move.as ?? stand.ada).call(method, placed(path, move), move.body, move.headers);
    const answer = await stand.world.run(asked);
    expect([200, 201, 202, 204], answer.text).toContain(answer.status);
    const made = newIn(stand, before);
    expect(made.map(({ verb }) => verb).sort()).toEqual(move.verbs ?? [expect.stringMatching(/^[a-z]+:[a-z]+$/)]);
    for (const entry of made) {
      expect(entry).toMatchObject({ requestID: answer.headers.get("x-request-id"), unsealed: entry.at });
      // Who signs in for the first time is made by Berth: there is nobody yet who could have done it.
      if (operationId !== "createSession") expect(entry.actor.member).not.toBe("system");
    }
    const secret = String(answer.body["token"] ?? answer.body["kubeconfig"] ?? "no secret");
    for (const text of ["canary-value", "host-token-canary", secret]) expect(JSON.stringify(made)).not.toContain(text);
  });

  test("leaves none when it is refused", async () => {
    const stand = await newStand();
    const move = await moves[operationId]?.(stand);
    const before = entries(stand);
    const noun = nounOf(move?.id ?? "");
    const nothing = noun === undefined ? "" : newID(stand.world.deps, noun);
    const weak = await stand.world.member(stand.ada.tenant, "viewer");
    const as = move?.as ?? stand.ada;
    const ask = (who: Pick<typeof as, "call">, id = "", body: unknown = move?.body) =>
      stand.world.run(who.call(method, placed(path, { ...move, id }), body, move?.headers));
    const refused = [];
    // Where there is nothing to be said, nothing said wrong is refused.
    if (noun !== undefined || move?.body !== undefined) refused.push(await ask(as, nothing, { nonsense: "x" }));
    if (move?.anyone !== true) refused.push(await ask(weak, move?.id));
    if (nothing !== "") refused.push(await ask(as, nothing));
    for (const { status, text } of refused) expect(status, text).toBeGreaterThanOrEqual(400);
    expect(newIn(stand, before)).toEqual([]);
  });
});
