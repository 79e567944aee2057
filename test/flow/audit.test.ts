import { describe, expect, test } from "vitest";
import type { Audit } from "#core/audit/schema.ts";
import { newID, nounOf } from "#core/id.ts";
import { hostServer, kubeconfigOf } from "../world/index.ts";
import { newStand, type Person, type Stand } from "./stand.ts";

// Every route that changes something is walked, as the API's own description names them. A new one needs a line here
// that makes it succeed; without, its test fails.

type Caller = Pick<Person, "call">;
interface Move {
  /** Who asks; the owner when left out. */
  as?: Caller;
  id?: string;
  body?: unknown;
  /** What its entries say, when it leaves more than one: each thing that it changes has its own. */
  verbs?: string[];
}

const member = async ({ ada }: Stand): Promise<string> =>
  String((await ada.post("/v1/members", { name: "bob", kind: "robot", role: "viewer" })).body["id"]);
const token = async ({ ada }: Stand): Promise<string> =>
  String((await ada.post("/v1/tokens", { name: "ci" })).body["id"]);
const asStaff = async ({ world }: Stand, move: Omit<Move, "as"> = {}): Promise<Move> => ({
  ...move,
  as: await world.staff(),
});

const moves: Record<string, (stand: Stand) => Move | Promise<Move>> = {
  createCluster: () => ({ body: { name: "one" } }),
  updateCluster: async (stand) => ({ id: await stand.ask(), body: { labels: { tier: "canary-value" } } }),
  removeCluster: async (stand) => ({ id: await stand.ask(), body: { confirm: "one" } }),
  issueAccessToken: async (stand) => ({ id: await stand.make(), body: {} }),
  issueAccessKubeconfig: async (stand) => ({ id: await stand.make(), body: {} }),
  createMember: () => ({ body: { name: "canary-value", kind: "robot", role: "viewer" } }),
  updateMember: async (stand) => ({ id: await member(stand), body: { name: "canary-value" } }),
  // Shut out first, in a write of its own, so that a removal that ends in the middle has done the part that matters.
  removeMember: async (stand) => ({ id: await member(stand), verbs: ["member:remove", "member:update"] }),
  createToken: () => ({ body: { name: "canary-value" } }),
  rotateToken: async (stand) => ({ id: await token(stand), body: {}, verbs: ["token:create", "token:rotate"] }),
  revokeToken: async (stand) => ({ id: await token(stand) }),
  createTenant: (stand) => asStaff(stand, { body: { name: "acme", title: "canary-value" } }),
  async updateTenant(stand) {
    const staff = await stand.world.staff();
    const { body } = await staff.post("/v1/home/tenants", { name: "acme" });
    return { as: staff, id: String(body["id"]), body: { state: "suspended" } };
  },
  redriveLetters: (stand) => asStaff(stand, { body: {} }),
  async releaseParked(stand) {
    const id = await stand.ask();
    const table = stand.world.deps.home.table(stand.ada.tenant);
    await table.edit({ name: "cluster", schema: { safeParse: () => ({ success: true }) } as never }, id, {
      set: { parkedAt: stand.world.clock.now() },
      remove: ["lookAt"],
    });
    return asStaff(stand, { id, body: { tenant: stand.ada.tenant } });
  },
  async registerHost(stand) {
    const body = {
      name: "north",
      region: "north",
      address: "192.0.2.77",
      ports: { from: 30_000, to: 30_100 },
      versions: ["1.34.4"],
      imagePrefix: "images.test/berth",
      storageClass: "standard",
      serviceCIDRs: ["10.96.0.0/16"],
      podCIDRs: ["10.244.0.0/16"],
      kubeconfig: await kubeconfigOf("https://192.0.2.77:6443"),
    };
    return asStaff(stand, { body });
  },
  updateHost: (stand) => asStaff(stand, { id: stand.host.id, body: { title: "canary-value" } }),
  replaceHostCredential: async (stand) =>
    asStaff(stand, { id: stand.host.id, body: { kubeconfig: await kubeconfigOf(hostServer(stand.host)) } }),
  drainHost: (stand) => asStaff(stand, { id: stand.host.id }),
  async resumeHost(stand) {
    const move = await asStaff(stand, { id: stand.host.id });
    await move.as?.call("POST", `/v1/home/hosts/${stand.host.id}/drain`);
    return move;
  },
  async removeHost(stand) {
    const move = await asStaff(stand, { id: stand.host.id });
    await move.as?.call("POST", `/v1/home/hosts/${stand.host.id}/drain`);
    await stand.world.clock.pass(60_000);
    return move;
  },
};
/** Routes that ask for a look, and change nothing that anybody wants. */
const looks = new Set(["poke", "checkHost"]);

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

describe.each(routes)("$method $path", ({ method, path, operationId }) => {
  test("leaves exactly one entry when it succeeds, of this request, without a value or a secret", async () => {
    const stand = await newStand();
    const move = await moves[operationId]?.(stand);
    if (move === undefined) throw new Error(`${operationId} has no line in this test`);
    const before = entries(stand);
    const asked = (move.as ?? stand.ada).call(method, path.replace("{id}", move.id ?? ""), move.body);
    const answer = await stand.world.run(asked);
    expect([200, 201, 202, 204], answer.text).toContain(answer.status);
    const made = newIn(stand, before);
    expect(made.map(({ verb }) => verb).sort()).toEqual(move.verbs ?? [expect.stringMatching(/^[a-z]+:[a-z]+$/)]);
    for (const entry of made) {
      expect(entry).toMatchObject({ requestID: answer.headers.get("x-request-id"), unsealed: entry.at });
      expect(entry.actor.member).not.toBe("system");
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
    const refused = [
      await as.call(method, path.replace("{id}", nothing), { nonsense: "x" }),
      await weak.call(method, path.replace("{id}", move?.id ?? ""), move?.body),
    ];
    if (nothing !== "") refused.push(await as.call(method, path.replace("{id}", nothing), move?.body));
    for (const { status, text } of refused) expect(status, text).toBeGreaterThanOrEqual(400);
    expect(newIn(stand, before)).toEqual([]);
  });
});
