import { expect, test } from "vitest";
import { type Grant, heldAt, reaching, rights, type Rows } from "#core/grant/index.ts";
import { builtin, type Group } from "#core/group/index.ts";
import { type ID, type Noun, prefixes } from "#core/id.ts";
import type { Member } from "#core/member/index.ts";
import { Project } from "#core/project/index.ts";
import type { Team } from "#core/team/index.ts";

const id = <N extends Noun>(noun: N, letter: string): ID<N> =>
  `${prefixes[noun]}_01k000000000000000000000${letter}0` as ID<N>;
const tenant = id("tenant", "t");
const [north, south] = [id("cluster", "n"), id("cluster", "s")];
const now = "2026-01-02T00:00:00.000Z";
const before = "2026-01-01T00:00:00.000Z";
const born = { tenant, createdAt: before, generation: 1 };

const member = (letter: string, more: Partial<Member> = {}): Member => ({
  id: id("member", letter),
  ...born,
  name: letter,
  role: "viewer",
  kind: "person",
  state: "active",
  ...more,
});
const [ada, bob, eve] = [member("a", { role: "owner" }), member("b"), member("e")];
const team: Team = { id: id("team", "d"), ...born, name: "devs", title: "devs", members: [bob.id, eve.id], claims: [] };
const own: Group = {
  id: id("group", "g"),
  ...born,
  name: "own",
  title: "own",
  rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }],
  clusterRules: [],
  createdBy: ada.id,
};
const project = (letter: string, clusters: ID<"cluster">[], more: Record<string, unknown> = {}): Project =>
  Project.parse({
    id: id("project", letter),
    ...born,
    name: letter,
    createdBy: ada.id,
    spec: {
      title: letter,
      labels: {},
      limits: {},
      reservePercent: 0,
      defaults: {},
      podSecurity: "restricted",
      network: {},
      deletionProtection: false,
      ...(more["spec"] as object | undefined),
    },
    places: clusters.map((cluster) => ({ cluster, weight: 1, ...(more["place"] as object | undefined) })),
    revision: 1,
    ...(more["row"] as object | undefined),
  });
const [shop, blog] = [project("p", [north, south]), project("q", [south])];
let count = 0;
const grant = (more: Partial<Grant>): Grant => ({
  id: `grt_01k00000000000000000000${String(++count).padStart(3, "0")}`,
  ...born,
  createdBy: ada.id,
  subject: bob.id,
  group: "view",
  scope: "tenant",
  state: "active",
  ...more,
});
const rows = (grants: Grant[], more: Partial<Rows> = {}): Rows => ({
  members: [ada, bob, eve],
  teams: [team],
  groups: [own],
  projects: [shop, blog],
  grants,
  ...more,
});
const granted = (all: Rows, at = now) => rights(all, at).filter(({ grant: by }) => by !== "owner");
const reach = (all: Rows, cluster = south) =>
  reaching(rights(all, now), cluster, all.projects, now).map(({ member: who, group, project: where }) =>
    [who === ada.id ? "ada" : who === bob.id ? "bob" : "eve", group, where ?? "cluster"].join(" "),
  );

test("an active owner holds the group owner in the tenant by its role; nobody else holds anything without a grant", () => {
  expect(rights(rows([]), now)).toEqual([{ member: ada.id, group: "owner", scope: "tenant", grant: "owner" }]);
  const away = { ...ada, state: "suspended" as const };
  expect(rights(rows([], { members: [away, member("e", { role: "editor" })] }), now)).toEqual([]);
  expect(rights(rows([], { members: [member("s", { role: "staff" })] }), now)).toEqual([]);
});

test("a grant to a member is one right, and one to a team is one of each who is in it, by that team", () => {
  const [one, two] = [grant({}), grant({ subject: team.id, group: "edit", scope: shop.id })];
  expect(granted(rows([one, two]))).toEqual([
    { member: bob.id, group: "view", scope: "tenant", grant: one.id },
    { member: bob.id, group: "edit", scope: shop.id, grant: two.id, team: team.id },
    { member: eve.id, group: "edit", scope: shop.id, grant: two.id, team: team.id },
  ]);
});

test("nothing is held by a suspended or unknown member, a team that is gone, a request, or a group that is gone", () => {
  const all = [
    grant({ subject: eve.id }),
    grant({ subject: id("member", "x") }),
    grant({ subject: id("team", "x") }),
    grant({ state: "requested" }),
    grant({ group: id("group", "x") }),
  ];
  const members = [ada, bob, { ...eve, state: "suspended" as const }];
  expect(granted(rows(all, { members }))).toEqual([]);
  const through = granted(rows([grant({ subject: team.id })], { members }));
  expect(through.map((right) => right.member)).toEqual([bob.id]);
});

test("a grant holds until the moment of its end and not in it", () => {
  const one = grant({ expiresAt: now });
  expect(granted(rows([one]), "2026-01-01T23:59:59.999Z")).toHaveLength(1);
  expect(granted(rows([one]), now)).toEqual([]);
});

test("in a project that has expired, is being removed, or is gone, nothing is held", () => {
  const one = grant({ scope: shop.id });
  const with_ = (projects: Project[]) => granted(rows([one], { projects }));
  expect(with_([shop])).toHaveLength(1);
  expect(with_([project("p", [north], { spec: { expiresAt: now } })])).toEqual([]);
  expect(with_([project("p", [north], { row: { deletedAt: before } })])).toEqual([]);
  expect(with_([])).toEqual([]);
});

test("a right in a project reaches its namespace on each of its clusters, and no other", () => {
  const all = rows([grant({ scope: shop.id, group: "edit" })]);
  expect(reach(all, south)).toEqual(["ada owner cluster", `bob edit ${shop.id}`]);
  expect(reach(all, north)).toEqual(["ada owner cluster", `bob edit ${shop.id}`]);
  expect(reach(rows([grant({ scope: blog.id })]), north)).toEqual(["ada owner cluster"]);
});

test("a right on a cluster or the tenant reaches each project's namespace there, and once the cluster itself", () => {
  const wide = [`bob view ${shop.id}`, `bob view ${blog.id}`, "bob view cluster"];
  expect(reach(rows([grant({})]))).toEqual(["ada owner cluster", ...wide]);
  expect(reach(rows([grant({ scope: south })]))).toEqual(["ada owner cluster", ...wide]);
  expect(reach(rows([grant({ scope: north })]))).toEqual(["ada owner cluster"]);
});

test("no right reaches a namespace that is leaving, or, owners' apart, a project that has ended or expired", () => {
  const over = [
    project("p", [south], { place: { leavingAt: before } }),
    project("q", [south], { spec: { expiresAt: now } }),
    project("r", [south], { row: { deletedAt: before } }),
  ];
  expect(reach(rows([grant({})], { projects: over }))).toEqual(["ada owner cluster", "bob view cluster"]);
});

test("owner granted in one project is everything there, and on a cluster everything in it, said once", () => {
  expect(reach(rows([grant({ group: "owner", scope: shop.id })]))).toContain(`bob owner ${shop.id}`);
  const wide = reach(rows([grant({ group: "owner", scope: south })]));
  expect(wide.filter((each) => each.startsWith("bob"))).toEqual(["bob owner cluster"]);
});

test("what is held at a scope is what is held there or in the tenant; a right on a cluster is none in a project", () => {
  const all = rows([
    grant({ group: "view" }),
    grant({ group: "edit", scope: south }),
    grant({ group: own.id, scope: shop.id }),
  ]);
  const held = (scope: Grant["scope"], who = bob.id) => heldAt(rights(all, now), all.groups, who, scope);
  expect(held("tenant").groups).toEqual(["view"]);
  expect(held(south).groups).toEqual(["view", "edit"]);
  expect(held(north).groups).toEqual(["view"]);
  expect(held(shop.id).groups).toEqual(["view", own.id]);
  expect(held(shop.id).rules).toEqual([...builtin.view.rules, ...own.rules]);
  expect(held("tenant", ada.id).groups).toEqual(["owner"]);
  expect(held("tenant", eve.id)).toEqual({ groups: [], rules: [], clusterRules: [] });
});
