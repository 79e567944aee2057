import { newProvider } from "../guard/things.ts";
import { type Issuer, newIssuer, newKey } from "../functions/api/issuer.ts";
import { staffMoves } from "./movesOfStaff.ts";
import type { Person, Stand } from "./stand.ts";

// What makes each route that changes something succeed. The routes are those of the API's own description: a new one
// needs a line here.

type Caller = Pick<Person, "call">;
/** What makes a route succeed. */
export interface Move {
  /** Who asks; the owner when left out. */
  as?: Caller;
  id?: string;
  /** What else varies in its path, by name. */
  rest?: Record<string, string>;
  body?: unknown;
  headers?: Record<string, string>;
  /** A viewer of the tenant may do it too. */
  anyone?: true;
  /** What its entries say, when it leaves more than one: each thing that it changes has its own. */
  verbs?: string[];
}

const member = async ({ ada }: Stand): Promise<string> =>
  String((await ada.post("/v1/members", { name: "bob", kind: "robot", role: "viewer" })).body["id"]);
const token = async ({ ada }: Stand): Promise<string> =>
  String((await ada.post("/v1/tokens", { name: "ci" })).body["id"]);
const made = async ({ world, ada }: Stand, path: string, body: object): Promise<string> => {
  const { status, text, body: told } = await world.run(ada.post(path, body));
  if (status !== 201) throw new Error(`${path}: ${text}`);
  return String(told["id"]);
};
const team = (stand: Stand): Promise<string> => made(stand, "/v1/teams", { name: "crew" });
const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
const group = (stand: Stand): Promise<string> => made(stand, "/v1/groups", { name: "pods", rules });
const project = (stand: Stand, clusters: string[] = []): Promise<string> =>
  made(stand, "/v1/projects", { name: "shop", places: clusters.map((cluster) => ({ cluster })) });
/** A request of a viewer's, for an owner to answer. */
async function asked(stand: Stand): Promise<string> {
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  const answer = await bob.post("/v1/grants/requests", { group: "view", scope: "tenant", reason: "to look" });
  if (answer.status !== 201) throw new Error(answer.text);
  return String(answer.body["id"]);
}
async function invite({ ada }: Stand): Promise<{ id: string; text: string }> {
  const { body } = await ada.post("/v1/invites", { role: "viewer" });
  const text = Object.values(body).find((each) => typeof each === "string" && /^(http|berth)/.test(each));
  return { id: String(body["id"]), text: String(text) };
}

let issuer: Issuer | undefined;
/** An OpenID Connect provider on loopback, the same for all. */
async function issuerFor({ world }: Stand): Promise<Issuer> {
  Object.assign(world.deps.home, { privateIssuers: ["127.0.0.1"] });
  return (issuer ??= await newIssuer(await newKey("one")));
}
/** Ends what the moves have started. */
export const closeIssuer = async (): Promise<void> => void (await issuer?.close());
/** What a person's browser or device brings to sign in. */
async function signIn(stand: Stand): Promise<{ tenant: string; provider: string; idToken: string }> {
  const issuer = await issuerFor(stand);
  const body = { name: "house", issuer: issuer.url, clientID: "berth", jit: true };
  await stand.world.run(stand.ada.post("/v1/providers", body));
  const idToken = await issuer.token(stand.world.clock.now(), { sub: "bob", name: "canary-value" });
  return { tenant: stand.ada.tenant, provider: "house", idToken };
}
async function session(stand: Stand): Promise<Record<string, unknown>> {
  const { status, body, text } = await stand.world.run(
    stand.world.as(undefined).post("/v1/sessions", await signIn(stand)),
  );
  if (status !== 201) throw new Error(text);
  return body;
}
/** Who leaves is shut out first, then its tokens end, then it is gone: each in a write of its own. */
const leaving = ["member:remove", "member:update", "token:revoke"];

const config = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" } });
/** A request into a cluster, to ConfigMaps, or to one that is there. */
async function through(stand: Stand, body?: object, name?: string): Promise<Move> {
  const id = await stand.make();
  if (name !== undefined) stand.inside(id).objects.create(config(name));
  const path = `api/v1/namespaces/default/configmaps${name === undefined ? "" : `/${name}`}`;
  return { id, rest: { path }, ...(body && { body }) };
}

export const moves: Record<string, (stand: Stand) => Move | Promise<Move>> = {
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
  async leaveTenant({ world, ada }) {
    return { as: await world.member(ada.tenant, "editor"), anyone: true, verbs: leaving };
  },
  async transferOwnership(stand) {
    const { member: id } = await stand.world.member(stand.ada.tenant, "editor");
    return { id, body: {}, verbs: ["member:transfer", "member:update"] };
  },
  createTeam: () => ({ body: { name: "crew", title: "canary-value" } }),
  updateTeam: async (stand) => ({ id: await team(stand), body: { title: "canary-value" } }),
  removeTeam: async (stand) => ({ id: await team(stand) }),
  joinTeam: async (stand) => ({ id: await team(stand), rest: { member: await member(stand) } }),
  async leaveTeam(stand) {
    const [id, who] = [await team(stand), await member(stand)];
    await stand.ada.post(`/v1/teams/${id}/members/${who}`);
    return { id, rest: { member: who } };
  },
  createInvite: () => ({ body: { role: "viewer", name: "canary-value" } }),
  async acceptInvite(stand) {
    const body = { invite: (await invite(stand)).text, name: "canary-value" };
    const verbs = ["invite:accept", "member:create", "session:create"];
    return { as: stand.world.as(undefined), anyone: true, body, verbs };
  },
  revokeInvite: async (stand) => ({ id: (await invite(stand)).id }),
  async createProvider(stand) {
    const { url } = await issuerFor(stand);
    return { body: { name: "house", title: "canary-value", issuer: url, clientID: "berth" } };
  },
  updateProvider: async (stand) => ({
    id: await newProvider(stand.world, stand.ada.tenant),
    body: { title: "canary-value" },
  }),
  removeProvider: async (stand) => ({ id: await newProvider(stand.world, stand.ada.tenant) }),
  async createSession(stand) {
    const move = { as: stand.world.as(undefined), anyone: true } as const;
    return { ...move, body: await signIn(stand), verbs: ["member:create", "session:create"] };
  },
  async linkIdentity(stand) {
    const { tenant: _, ...body } = await signIn(stand);
    return { as: await stand.world.member(stand.ada.tenant, "viewer"), anyone: true, body };
  },
  async endOwnSession(stand) {
    return { as: stand.world.as(String((await session(stand))["token"])), anyone: true };
  },
  async endSession(stand) {
    const { id, token } = await session(stand);
    return { as: stand.world.as(String(token)), id: String(id), anyone: true };
  },
  createGroup: () => ({ body: { name: "pods", title: "canary-value", rules } }),
  updateGroup: async (stand) => ({ id: await group(stand), body: { title: "canary-value" } }),
  removeGroup: async (stand) => ({ id: await group(stand) }),
  createGrant: async (stand) => ({
    body: { subject: await member(stand), group: "view", scope: "tenant", reason: "canary-value" },
  }),
  async requestGrant({ world, ada }) {
    const as = await world.member(ada.tenant, "viewer");
    return { as, anyone: true, body: { group: "view", scope: "tenant", reason: "canary-value" } };
  },
  async removeGrant(stand) {
    const body = { subject: await member(stand), group: "view", scope: "tenant" };
    return { id: await made(stand, "/v1/grants", body) };
  },
  approveGrant: async (stand) => ({ id: await asked(stand), body: {} }),
  denyGrant: async (stand) => ({ id: await asked(stand), body: {} }),
  createProject: () => ({ body: { name: "shop", title: "canary-value" } }),
  updateProject: async (stand) => ({ id: await project(stand), body: { title: "canary-value" } }),
  removeProject: async (stand) => ({ id: await project(stand), body: { confirm: "shop" } }),
  async moveProject(stand) {
    const [from, to] = [await stand.make(), await stand.make({ name: "two" })];
    const id = await project(stand, [from]);
    await stand.world.drain();
    return { id, body: { from, to, confirm: "shop" } };
  },
  async adoptNamespace(stand) {
    const cluster = await stand.make();
    const space = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
    stand.inside(cluster).objects.create(space);
    const id = await project(stand, [cluster]);
    await stand.world.drain();
    return { id, body: { cluster, confirm: "shop" } };
  },
  postThroughCluster: (stand) => through(stand, config("one")),
  putThroughCluster: (stand) => through(stand, config("one"), "one"),
  async patchThroughCluster(stand) {
    const headers = { "Content-Type": "application/merge-patch+json" };
    return { ...(await through(stand, { data: { a: "canary-value" } }, "one")), headers };
  },
  deleteThroughCluster: (stand) => through(stand, undefined, "one"),
  ...staffMoves,
};
