// One of everything that a tenant may have, so that a walk over all routes has an id of each noun to ask about.
import { type ID, newID, type Noun, prefixes } from "#core/id.ts";
import { providerKind } from "#core/provider/schema.ts";
import { rowID, type Token, tokenKind } from "#core/token/schema.ts";
import type { Answer, Person, World } from "../world/index.ts";

export type Things = Record<Noun, string>;

/** What makes each, in this order: what comes later may name what came before. */
const made: [Noun, string, (of: Partial<Things>) => object][] = [
  ["cluster", "/v1/clusters", () => ({ name: "red" })],
  ["token", "/v1/tokens", () => ({ name: "mine" })],
  ["member", "/v1/members", () => ({ name: "bob", kind: "robot", role: "viewer" })],
  ["team", "/v1/teams", ({ member }) => ({ name: "crew", members: [member] })],
  ["invite", "/v1/invites", () => ({ role: "viewer" })],
  ["group", "/v1/groups", () => ({ name: "pods", rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] })],
  ["project", "/v1/projects", () => ({ name: "shop" })],
  ["grant", "/v1/grants", ({ member, project }) => ({ subject: member, group: "view", scope: project ?? "tenant" })],
];

/** Of a tenant of a world: one of everything, with this cluster if it has one. @throws Error for what can't be made. */
export async function newThings(
  world: World,
  owner: Person,
  host: ID<"host">,
  cluster?: string,
): Promise<{ things: Things; texts: string[] }> {
  const things: Partial<Things> = { tenant: owner.tenant, host, ...(cluster && { cluster }) };
  const texts: string[] = [];
  for (const [noun, path, body] of made) {
    if (things[noun] !== undefined) continue;
    const answer = await world.run(owner.post(path, body(things)));
    if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    things[noun] = String(answer.body["id"]);
    texts.push(...["token", "invite", "link", "text"].flatMap((name) => String(answer.body[name] ?? []) || []));
  }
  things.provider = await newProvider(world, owner.tenant);
  for (const noun of Object.keys(prefixes) as Noun[]) things[noun] ??= newID(world.deps, noun);
  return { things: things as Things, texts };
}

/** By its row alone: a verb would go and look at its issuer. */
export async function newProvider({ deps }: World, tenant: ID<"tenant">): Promise<string> {
  const id = newID(deps, "provider");
  const row = {
    id,
    tenant,
    name: "sso",
    title: "sso",
    issuer: "https://issuer.sample.test",
    clientID: "berth",
    scopes: ["openid"],
    claims: { name: "name", email: "email", groups: "groups" },
    jit: false,
    defaultRole: "viewer" as const,
    allowedDomains: [],
    sessionHours: 12,
    generation: 1,
    createdAt: deps.now(),
  };
  const table = deps.home.table(tenant);
  await table.write(table.insert(providerKind, id, row));
  return id;
}

/** Binds a person's token, by its row: whoever is bound can be made so by no verb that a walk could forget. */
export async function bind(
  { deps }: World,
  { tenant, member, token }: Person,
  to: Pick<Token, "clusters" | "projects">,
): Promise<void> {
  await deps.home.table(tenant).edit(tokenKind, rowID(member, token.id), { set: { ...to } });
}

/** An answer without what differs in each. */
export const said = ({ status, body: { requestID: _, ...body }, text }: Answer): unknown => ({
  status,
  body: Object.keys(body).length > 0 ? body : text.includes("requestID") ? {} : text,
});
