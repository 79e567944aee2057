import { beforeEach, describe, expect, test } from "vitest";
import { KubeFault } from "#core/context.ts";
import { kubeName } from "#core/id.ts";
import { newStand, type Person, type Stand } from "./stand.ts";

let stand: Stand;
let id: string;
let project: string;
let bob: Person;
let carol: Person;
let grants: { edit: string; view: string };

const sessions = { apiVersion: "v1", kind: "Secret", namespace: "berth-members" };
const query = (path: string, asked: Record<string, string>): string => `${path}?${new URLSearchParams(asked)}`;
const items = (answer: { body: Record<string, unknown> }) => answer.body["items"] as Record<string, unknown>[];

async function made(answer: Promise<{ status: number; text: string; body: Record<string, unknown> }>): Promise<string> {
  const { status, text, body } = await answer;
  if (status !== 201) throw new Error(text);
  await stand.world.drain();
  return String(body["id"]);
}

beforeEach(async () => {
  stand = await newStand();
  const { world, ada } = stand;
  id = await stand.make();
  bob = await world.member(ada.tenant, "viewer");
  carol = await world.member(ada.tenant, "editor");
  project = await made(ada.post("/v1/projects", { name: "shop", places: [{ cluster: id }] }));
  const team = await made(ada.post("/v1/teams", { name: "crew", members: [carol.member] }));
  grants = {
    edit: await made(ada.post("/v1/grants", { subject: bob.member, group: "edit", scope: project })),
    view: await made(ada.post("/v1/grants", { subject: team, group: "view", scope: id })),
  };
  await world.drain();
});

describe("can-i", () => {
  test("anybody is told what it may do, and by which rule of which grant", async () => {
    const asked = { project, verb: "create", resource: "deployments" };
    const { status, body } = await bob.get(query("/v1/can-i", asked));
    expect(status).toBe(200);
    expect(body).toEqual({
      member: { id: bob.member, name: expect.any(String) },
      account: kubeName(bob.member),
      asked: { verb: "create", group: "apps", resource: "deployments" },
      allowed: true,
      clusters: [{ id, allowed: true }],
      because: [
        {
          grant: grants.edit,
          group: "edit",
          groupName: "edit",
          scope: project,
          rule: expect.objectContaining({ apiGroups: ["apps"], verbs: expect.arrayContaining(["create"]) }),
          clusters: [id],
        },
      ],
      token: { enters: true, credential: true, scopes: null },
    });
  });

  test("what no grant gives is not allowed, in the project, beside it and at the cluster's own scope", async () => {
    for (const asked of [
      { project, verb: "create", resource: "rolebindings" },
      { project, verb: "create", resource: "serviceaccounts/token" },
      { cluster: id, verb: "list", resource: "pods" },
      { cluster: id, verb: "list", resource: "nodes" },
    ])
      expect((await bob.get(query("/v1/can-i", asked))).body).toMatchObject({ allowed: false, because: [] });
  });

  test("without a verb it is every rule, grant by grant; of others whoever reads members may ask", async () => {
    const all = await bob.get(query("/v1/can-i", { project, cluster: id, member: carol.member }));
    const because = all.body["because"] as { grant: string; team: string }[];
    expect(because.length).toBeGreaterThan(5);
    expect(new Set(because.map(({ grant }) => grant))).toEqual(new Set([grants.view]));
    expect(all.body).not.toHaveProperty("allowed");
    expect(all.body).not.toHaveProperty("token");
    const narrow = await stand.world.member(stand.ada.tenant, "viewer", ["grant:read"]);
    expect((await narrow.get(query("/v1/can-i", { cluster: id }))).body).toMatchObject({ token: { enters: false } });
    expect((await narrow.get(query("/v1/can-i", { cluster: id, member: carol.member }))).status).toBe(403);
  });

  test("a right that ends is told no longer, in the same moment", async () => {
    const asked = query("/v1/can-i", { project, verb: "get", resource: "pods" });
    expect((await bob.get(asked)).body).toMatchObject({ allowed: true });
    expect((await stand.ada.delete(`/v1/grants/${grants.edit}`)).status).toBeLessThan(300);
    expect((await bob.get(asked)).body).toMatchObject({ allowed: false });
  });

  test("half a question, a project elsewhere and what never was are told apart, each by its field", async () => {
    const other = await made(stand.ada.post("/v1/projects", { name: "nowhere" }));
    const errors = async (asked: Record<string, string>) => {
      const { status, body } = await bob.get(query("/v1/can-i", asked));
      return [status, (body["errors"] as { field: string }[] | undefined)?.[0]?.field];
    };
    expect(await errors({ verb: "get", resource: "pods" })).toEqual([400, "cluster"]);
    expect(await errors({ cluster: id, verb: "get" })).toEqual([400, "resource"]);
    expect(await errors({ cluster: id, resource: "pods" })).toEqual([400, "verb"]);
    expect(await errors({ cluster: id, project: other })).toEqual([400, "project"]);
    expect(await errors({ cluster: id, verb: "GET", resource: "pods" })).toEqual([400, "verb"]);
    expect((await bob.get(query("/v1/can-i", { project: other, verb: "get", resource: "pods" }))).body).toMatchObject({
      allowed: false,
      clusters: [],
    });
  });

  test("another tenant's cluster, project and member are as if they never were", async () => {
    const stranger = await stand.world.tenant("blue");
    const own = await made(stranger.post("/v1/projects", { name: "shop" }));
    const foreign: Record<string, string>[] = [{ cluster: id }, { project }, { project: own, member: bob.member }];
    for (const asked of foreign) {
      const { status, text } = await stranger.get(query("/v1/can-i", asked));
      expect([status, text.includes(stand.ada.tenant)]).toEqual([404, false]);
    }
    expect((await stranger.get(query("/v1/who-can", { cluster: id, verb: "get", resource: "pods" }))).status).toBe(404);
    expect((await stranger.get(query(`/v1/kube/clusters/${id}/rights`, {}))).status).toBe(404);
  });
});

describe("a token that is bound to a project", () => {
  test("is told of that project and of how it is held back, and of nothing else", async () => {
    const { world, ada } = stand;
    const other = await made(ada.post("/v1/projects", { name: "other", places: [{ cluster: id }] }));
    const issued = await ada.post("/v1/tokens", { name: "ci", projects: [project] });
    expect(issued.status).toBe(201);
    const bound = world.as(String(issued.body["token"]));
    const asked = { verb: "get", resource: "pods" };
    expect((await bound.get(query("/v1/can-i", { ...asked, project }))).body).toMatchObject({
      allowed: true,
      token: { enters: true, credential: false, projects: [project] },
    });
    for (const elsewhere of [{ project: other }, { cluster: id }, { cluster: id, project: other }]) {
      const where = { ...asked, ...elsewhere } as Record<string, string>;
      expect((await bound.get(query("/v1/can-i", where))).status).toBe(403);
      expect((await bound.get(query("/v1/who-can", where))).status).toBe(403);
      const { verb: _, resource: _more, cluster: _cluster, ...there } = where;
      expect((await bound.get(query(`/v1/kube/clusters/${id}/rights`, there))).status).toBe(403);
    }
    expect((await bound.get(query(`/v1/kube/clusters/${id}/rights`, { project }))).body).toMatchObject({ same: true });
    expect((await bound.get("/v1/grants/unused")).status).toBe(403);
  });
});

describe("who-can", () => {
  test("everybody who may is there, with the grant that gives it, page by page", async () => {
    const asked = { project, verb: "list", resource: "pods" };
    const all = items(await bob.get(query("/v1/who-can", asked)));
    expect(all.map(({ member }) => (member as { id: string }).id)).toEqual(
      [stand.ada.member, bob.member, carol.member].sort(),
    );
    expect(all.every(({ everywhere }) => everywhere === true)).toBe(true);
    const first = await bob.get(query("/v1/who-can", { ...asked, limit: "2" }));
    const rest = await bob.get(query("/v1/who-can", { ...asked, limit: "2", after: String(first.body["next"]) }));
    expect([...items(first), ...items(rest)]).toEqual(all);
    expect(rest.body["next"]).toBeNull();
  });

  test("nobody but owners may reach Secrets of the whole cluster", async () => {
    const found = items(await bob.get(query("/v1/who-can", { cluster: id, verb: "list", resource: "secrets" })));
    expect(found).toMatchObject([{ member: { id: stand.ada.member }, because: [{ grant: "owner", group: "owner" }] }]);
  });
});

describe("the cluster's own word", () => {
  const compare = (who: Person, more: Record<string, string> = {}) =>
    who.get(query(`/v1/kube/clusters/${id}/rights`, { project, ...more }));

  test("is the same as the grants', for oneself and, for owners, for others; nothing is left behind", async () => {
    for (const answer of [
      await compare(bob),
      await compare(stand.ada),
      await compare(stand.ada, { member: carol.member }),
    ])
      expect(answer.body).toMatchObject({ same: true, missing: [], extra: [], namespace: "shop" });
    expect((await compare(bob)).text).not.toContain("eyJ");
    expect(stand.inside(id).objects.list(sessions)).toEqual([]);
    const entries = items(await stand.ada.get(query("/v1/audit", { verb: "cluster:review" })));
    expect(entries).toHaveLength(4);
    expect(entries[0]).toMatchObject({
      target: id,
      targetName: "one",
      changes: [bob.member],
      actor: { member: bob.member },
    });
  });

  test("a stranger's binding is extra, and one that was taken away is missing", async () => {
    const { objects } = stand.inside(id);
    const rbac = "rbac.authorization.k8s.io/v1";
    const binding = { apiVersion: rbac, kind: "RoleBinding", namespace: "shop" };
    const subjects = [{ kind: "ServiceAccount", name: kubeName(bob.member), namespace: "berth-members" }];
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "berth:view-cluster" };
    objects.create({ ...binding, metadata: { name: "sneaked", namespace: "shop" }, roleRef, subjects });
    const sneaked = (await compare(bob)).body;
    expect(sneaked).toMatchObject({ same: false, missing: [] });
    expect(JSON.stringify(sneaked["extra"])).toContain("nodes");
    for (const one of objects.list(binding))
      objects.remove({ ...binding, name: one.metadata.name }, { uid: one.metadata.uid });
    expect((await compare(bob)).body).toMatchObject({ same: false, extra: [] });
  });

  test("of others only owners may ask, and of who has no account there is told that", async () => {
    expect((await compare(carol, { member: bob.member })).status).toBe(403);
    const dan = await stand.world.member(stand.ada.tenant, "viewer");
    expect((await compare(stand.ada, { member: dan.member })).status).toBe(409);
    expect(stand.inside(id).objects.list(sessions)).toEqual([]);
  });

  test("a cluster that does not answer, at whichever call, is told as that, and its answer holds no token", async () => {
    for (const verb of ["create", "token", "review"]) {
      stand.world.outside = ({ kube, when }) => {
        if (kube?.verb === verb && when === "before") throw new KubeFault("unavailable", "ECONNREFUSED");
      };
      expect(await compare(bob), verb).toMatchObject({ status: 503, text: expect.not.stringContaining("eyJ") });
      stand.world.outside = undefined;
    }
    expect(stand.inside(id).objects.list(sessions)).toEqual([]);
  });
});

describe("unused grants", () => {
  const unused = (days = "30") => stand.ada.get(query("/v1/grants/unused", { days }));

  test("one by which nobody came for so long is told with its last use; one that was used, or is young, is not", async () => {
    expect(items(await unused())).toEqual([]);
    await stand.world.clock.pass(31 * 86_400_000);
    expect((await carol.post(`/v1/kube/clusters/${id}/token`, {})).status).toBe(201);
    const idle = await unused();
    expect(items(idle)).toMatchObject([{ id: grants.edit, group: "edit", lastUsedAt: null, subject: bob.member }]);
    expect(Date.parse(String(idle.body["since"]))).toBeLessThan(Date.parse(stand.world.clock.now()) - 30 * 86_400_000);
    await stand.world.clock.pass(31 * 86_400_000);
    const both = items(await unused());
    expect(both.map((each) => each["id"])).toEqual([grants.edit, grants.view].sort());
    expect(both.find((each) => each["id"] === grants.view)?.["lastUsedAt"]).toMatch(/^\d{4}-/);
  });

  test("is told to owners alone", async () => {
    for (const person of [bob, carol]) expect((await person.get("/v1/grants/unused")).status).toBe(403);
  });
});
