import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "./stand.ts";
import { KubeFault } from "#core/context.ts";
import { kubeName } from "#core/id.ts";

const role = (name: string, kind = "ClusterRole") => ({ apiGroup: "rbac.authorization.k8s.io", kind, name });
const nameOf = (member: string, group: string): string => `berth:${kubeName(member)}:${group}`;
const account = (member: string): string => `berth-members/${kubeName(member)}`;

async function both(stand: Stand) {
  const red = await stand.make();
  const blue = await stand.make({ name: "two" });
  const shop = await stand.space("shop", [red, blue]);
  return { red, blue, shop };
}
/** Nothing moves in a round, nor in a sweep after it. */
async function still({ world, ...stand }: Stand, id: string): Promise<void> {
  await world.round();
  const before = stand.still(id);
  await world.round();
  await world.sweep();
  expect(stand.still(id)).toEqual(before);
}

test("who owns the tenant has an account in a new cluster, may do everything there, and nobody else is in it", async () => {
  const stand = await newStand();
  const { world, ada } = stand;
  await world.member(ada.tenant, "viewer");
  const id = await stand.make();
  expect(stand.names(id, "ServiceAccount")).toEqual([account(ada.member)]);
  const binding = stand.kept(id).get(`ClusterRoleBinding ${nameOf(ada.member, "owner")}`);
  expect(binding).toMatchObject({ roleRef: role("berth:owner"), subjects: [{ name: kubeName(ada.member) }] });
  const every = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };
  const rules = [every, { nonResourceURLs: ["*"], verbs: ["*"] }];
  expect(stand.kept(id).get("ClusterRole berth:owner")).toMatchObject({ rules });
  expect(stand.access(id).status.accounts).toEqual([ada.member]);
  await still(stand, id);
});

test("a grant on a project is a binding in its namespace on each of its clusters, and nowhere else", async () => {
  const stand = await newStand();
  const { red, blue, shop } = await both(stand);
  await stand.space("till", [red]);
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  const grant = await stand.give(bob.member, "edit", shop);
  for (const id of [red, blue]) {
    expect(stand.names(id, "RoleBinding")).toEqual([`shop/${nameOf(bob.member, "edit")}`]);
    expect(stand.names(id, "ServiceAccount")).toContain(account(bob.member));
    expect(stand.names(id, "ClusterRoleBinding")).toEqual([nameOf(stand.ada.member, "owner")]);
  }
  const body = await stand.does("DELETE", `/v1/grants/${grant}`);
  expect(body["confirmation"]).toEqual({ confirmed: expect.arrayContaining([red, blue]), pending: [] });
  for (const id of [red, blue]) {
    expect(stand.names(id, "RoleBinding")).toEqual([]);
    expect(JSON.stringify([...stand.kept(id)])).not.toContain(kubeName(bob.member));
    expect(stand.names(id, "ClusterRole")).toEqual(["berth:owner"]);
    await still(stand, id);
  }
});

test("a grant on the tenant is bound in each project's namespace, also in later ones, never in ours or the system's", async () => {
  const stand = await newStand();
  const { red, blue, shop } = await both(stand);
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  const grant = await stand.give(bob.member, "admin", "tenant");
  const name = nameOf(bob.member, "admin");
  expect(stand.names(red, "RoleBinding")).toEqual([`shop/${name}`]);
  await stand.space("till", [red]);
  expect(stand.names(red, "RoleBinding")).toEqual([`shop/${name}`, `till/${name}`]);
  expect(stand.names(blue, "RoleBinding")).toEqual([`shop/${name}`]);
  const wide = stand.kept(red).get(`ClusterRoleBinding ${name}`);
  expect(wide).toMatchObject({ roleRef: role("berth:admin-cluster") });
  expect(JSON.stringify(stand.kept(red).get("ClusterRole berth:admin-cluster"))).not.toMatch(/"(secrets|pods)"/);
  await stand.does("DELETE", `/v1/grants/${grant}`);
  for (const id of [red, blue]) expect(JSON.stringify([...stand.kept(id)])).not.toContain(kubeName(bob.member));
  expect(shop).toMatch(/^prj_/);
});

test("a grant on one cluster leaves the others without an account", async () => {
  const stand = await newStand();
  const { red, blue } = await both(stand);
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  await stand.give(bob.member, "view", red);
  expect(stand.names(red, "ServiceAccount")).toContain(account(bob.member));
  expect(stand.names(red, "RoleBinding")).toEqual([`shop/${nameOf(bob.member, "view")}`]);
  expect(JSON.stringify([...stand.kept(blue)])).not.toContain(kubeName(bob.member));
});

test("who is in a team has its rights as long as it is in it", async () => {
  const stand = await newStand();
  const { red, shop } = await both(stand);
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  const team = String((await stand.does("POST", "/v1/teams", { name: "till" }))["id"]);
  await stand.give(team, "view", shop);
  expect(stand.names(red, "RoleBinding")).toEqual([]);
  await stand.does("PATCH", `/v1/teams/${team}`, { members: [bob.member] });
  expect(stand.names(red, "RoleBinding")).toEqual([`shop/${nameOf(bob.member, "view")}`]);
  await stand.does("PATCH", `/v1/teams/${team}`, { members: [] });
  expect(JSON.stringify([...stand.kept(red)])).not.toContain(kubeName(bob.member));
});

test("who is suspended has no account anywhere; who is let in again has its rights again", async () => {
  const stand = await newStand();
  const { red, blue, shop } = await both(stand);
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  await stand.give(bob.member, "edit", shop);
  const before = [stand.kept(red), stand.kept(blue)];
  await stand.does("PATCH", `/v1/members/${bob.member}`, { state: "suspended" });
  for (const id of [red, blue]) expect(JSON.stringify([...stand.kept(id)])).not.toContain(kubeName(bob.member));
  await stand.does("PATCH", `/v1/members/${bob.member}`, { state: "active" });
  expect([stand.kept(red), stand.kept(blue)]).toEqual(before);
});

test("who is an owner no more loses its account and its binding, and who is removed is gone everywhere", async () => {
  const stand = await newStand();
  const { red } = await both(stand);
  const eve = await stand.world.member(stand.ada.tenant, "viewer");
  const before = stand.kept(red);
  await stand.does("PATCH", `/v1/members/${eve.member}`, { role: "owner" });
  expect(stand.names(red, "ClusterRoleBinding")).toContain(nameOf(eve.member, "owner"));
  await stand.does("PATCH", `/v1/members/${eve.member}`, { role: "viewer" });
  expect(stand.kept(red)).toEqual(before);
  await stand.does("PATCH", `/v1/members/${eve.member}`, { role: "owner" });
  await stand.does("DELETE", `/v1/members/${eve.member}`);
  expect(stand.kept(red)).toEqual(before);
});

test("a grant with an end is over at its end, in the cluster too, without anybody's doing", async () => {
  const stand = await newStand();
  const { red, shop } = await both(stand);
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  await stand.give(bob.member, "view", shop, { expiresInDays: 1 });
  expect(stand.access(red).lookAt).toBeDefined();
  await stand.world.clock.pass(24 * 3_600_000 - 90_000);
  await stand.world.sweep();
  expect(stand.names(red, "RoleBinding")).toHaveLength(1);
  await stand.world.sweep(2);
  expect(JSON.stringify([...stand.kept(red)])).not.toContain(kubeName(bob.member));
});

test("a note that nobody passed on is found by the sweep", async () => {
  const stand = await newStand();
  const { red, shop } = await both(stand);
  const bob = await stand.world.member(stand.ada.tenant, "viewer");
  const { world } = stand;
  // The process dies once the grant is written.
  world.outside = ({ table, when }) => {
    if (when === "before" && table?.act === "list" && table.keys.some((key) => key.includes("/outbox")))
      throw new Error("died");
  };
  await stand.ada.post("/v1/grants", { subject: bob.member, group: "view", scope: shop });
  world.outside = undefined;
  expect(world.queue.letters).toEqual([]);
  await world.sweep();
  expect(stand.names(red, "RoleBinding")).toEqual([`shop/${nameOf(bob.member, "view")}`]);
  expect([...world.tables.rows().keys()].filter((key) => key.includes("/outbox/"))).toEqual([]);
});

test("a cluster that is away is told as not confirmed, by name and with the reason, and follows when it is back", async () => {
  const stand = await newStand();
  const { red, blue, shop } = await both(stand);
  const { world } = stand;
  const bob = await world.member(stand.ada.tenant, "viewer");
  const grant = await stand.give(bob.member, "edit", shop);
  const fault = new KubeFault("unavailable", "no answer in time");
  stand.inside(blue).troubles.push({ match: () => true, fault, when: "before" });
  const body = await stand.does("DELETE", `/v1/grants/${grant}`);
  const why = expect.stringMatching(/^It has failed since .*: no answer in time$/);
  expect(body["confirmation"]).toEqual({ confirmed: [red], pending: [{ cluster: blue, name: "two", why }] });
  expect(stand.names(red, "RoleBinding")).toEqual([]);
  await world.sweep(60);
  const ready = stand.access(blue).status.conditions.find(({ type }) => type === "Ready");
  expect(ready).toMatchObject({ status: "Unknown", message: expect.stringContaining("has not answered since") });
  expect(stand.access(blue).parkedAt).toBeUndefined();
  stand.inside(blue).troubles.length = 0;
  await world.sweep(11);
  expect(stand.names(blue, "RoleBinding")).toEqual([]);
  expect(stand.access(blue).status.conditions.find(({ type }) => type === "Ready")).toMatchObject({ status: "True" });
});

test("who is made as an owner has an account everywhere, and who is made with another role has none", async () => {
  const stand = await newStand();
  const red = await stand.make();
  const made = async (role: string): Promise<string> =>
    String((await stand.does("POST", "/v1/members", { name: role, kind: "person", role }))["id"]);
  const [eve, bob] = [await made("owner"), await made("editor")];
  expect(stand.names(red, "ClusterRoleBinding")).toContain(nameOf(eve, "owner"));
  expect(JSON.stringify([...stand.kept(red)])).not.toContain(kubeName(bob));
});
