import { beforeAll, describe, expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "../../flow/stand.ts";
import { owed } from "#core/access/owed.ts";
import { plan } from "#core/access/plan.ts";
import type { Access } from "#core/access/schema.ts";
import { look } from "#core/access/sight.ts";
import type { Seen, Step } from "#core/access/step.ts";
import * as Cluster from "#core/cluster/index.ts";
import { type ID, kubeName } from "#core/id.ts";
import { workOf } from "#functions/deps.ts";

let stand: Stand;
let red: ID<"cluster">;
let shop: ID<"project">;
let bob: ID<"member">;
let access: Access;
let seen: Seen;
const now = (): string => stand.world.clock.now();

beforeAll(async () => {
  stand = await newStand();
  red = (await stand.make()) as ID<"cluster">;
  shop = (await stand.space("shop", [red], { limits: { pods: 3 } })) as ID<"project">;
  bob = (await stand.world.member(stand.ada.tenant, "viewer")).member;
  await stand.give(bob, "edit", "tenant");
  await stand.world.round();
  access = stand.access(red);
  const work = await workOf(stand.world.deps, stand.world.context(stand.ada.tenant));
  const [cluster] = await Cluster.inward(work, red, [{ name: "none", schema: undefined as never }, "none"]);
  if (cluster === undefined) throw new Error("there is no cluster");
  seen = await stand.world.run(look(work, access, cluster));
});

const told = (steps: Step[]): string[] =>
  steps
    .flatMap((step) => {
      if (step.do === "put")
        return step.waves.flat().map(({ manifest }) => `put ${manifest.kind} ${manifest.metadata.name}`);
      return step.do === "remove"
        ? [`remove ${step.found.kind} ${step.found.metadata.name}`]
        : [`${step.do} ${step.project}`];
    })
    .sort();
const without = (...parts: string[]): Seen => ({
  ...seen,
  objects: new Map([...seen.objects].filter(([key]) => !parts.some((part) => key.includes(part)))),
});
const withRows = (rows: Partial<Seen["rows"]>): Seen => ({ ...seen, rows: { ...seen.rows, ...rows } });
const member = (id: string) => seen.rows.members.filter((each) => each.id !== id);

describe("a plan", () => {
  test("is a function, and for what is whole it is nothing to do", () => {
    const first = plan(access, seen, now());
    expect(plan(access, seen, now())).toEqual(first);
    expect([first.steps, first.awaits]).toEqual([[], []]);
    expect(first.conditions.every(({ status }) => status === "True")).toBe(true);
    expect(first.status?.["rights"]).toBe(access.generation);
    expect(first.sight).toBe(access.sight);
  });

  test("says of no generation that it is followed but the one that was looked at", () => {
    const { status } = plan({ ...access, generation: access.generation + 1 }, seen, now());
    expect(status?.["rights"]).toBe(access.generation);
  });

  test("takes away at once what nobody is owed any more, and says so only when it is gone", () => {
    const ended = withRows({ members: member(bob) });
    const name = kubeName(bob);
    const { steps, status } = plan(access, ended, now());
    expect(told(steps)).toEqual([
      "remove ClusterRole berth:edit",
      "remove ClusterRole berth:edit-cluster",
      `remove ClusterRoleBinding berth:${name}:edit`,
      `remove RoleBinding berth:${name}:edit`,
      `remove ServiceAccount ${name}`,
    ]);
    expect(status).not.toHaveProperty("rights");
  });

  test("makes a namespace before what stands in it, and all else at once", () => {
    const { steps } = plan(access, without("shop"), now());
    const [put, ...others] = steps;
    expect(others).toEqual([]);
    if (put?.do !== "put") throw new Error("it makes nothing");
    expect(put.project).toBe(shop);
    expect(put.waves.map((wave) => wave.map(({ manifest }) => manifest.kind).sort())).toEqual([
      ["Namespace"],
      ["NetworkPolicy", "ResourceQuota", "RoleBinding", "ServiceAccount"],
    ]);
  });

  test("knows a namespace of ours by its uid when its labels are gone, and makes nothing in another's", () => {
    const key = "Namespace shop";
    const there = seen.objects.get(key);
    if (there === undefined) throw new Error("there is no namespace");
    const bare = { ...there, metadata: { ...there.metadata, labels: {} } };
    const stripped = { ...without(key), others: new Map([["shop", bare]]) };
    expect(told(plan(access, stripped, now()).steps)).toEqual(["put Namespace shop"]);
    const other = { ...bare, metadata: { ...bare.metadata, uid: "another" } };
    const taken = plan(access, { ...without("shop"), others: new Map([["shop", other]]) }, now());
    expect(taken.steps).toEqual([]);
    expect(taken.status?.["projects"]).toMatchObject({ [shop]: { state: "Taken" } });
    // What was bound there while it was ours gives rights in another's namespace now.
    const bound = plan(access, { ...without(key), others: new Map([["shop", other]]) }, now());
    expect(told(bound.steps)).toEqual([`remove RoleBinding berth:${kubeName(bob)}:edit`]);
  });

  test("deletes a namespace only where its project says that it leaves, and never another's of the name", () => {
    const projects = seen.rows.projects.map((project) => ({
      ...project,
      places: project.places.map((place) => ({ ...place, leavingAt: now() })),
    }));
    const leaving = plan(access, withRows({ projects }), now());
    expect(told(leaving.steps)).toContain("remove Namespace shop");
    expect(leaving.awaits).toEqual(["the namespace shop to end"]);
    expect(told(plan(access, withRows({ projects: [] }), now()).steps).join()).not.toContain("Namespace");
    const key = "Namespace shop";
    const there = seen.objects.get(key);
    if (there === undefined) throw new Error("there is no namespace");
    const other = { ...there, metadata: { ...there.metadata, uid: "another", labels: {} } };
    const gone = plan(
      access,
      { ...withRows({ projects }), objects: without("shop").objects, others: new Map([["shop", other]]) },
      now(),
    );
    expect(told(gone.steps).filter((step) => /left|Namespace/.test(step))).toEqual([`left ${shop}`]);
  });

  test("looks again when the next of its grants or projects is over, and at none that is elsewhere", () => {
    const [grant] = seen.rows.grants;
    if (grant === undefined) throw new Error("there is no grant");
    const ends = (scope: typeof grant.scope, expiresAt: string) => ({ ...grant, scope, expiresAt });
    const elsewhere = red.replace(/.$/, (last) => (last === "0" ? "1" : "0")) as ID<"cluster">;
    const grants = [
      ends("tenant", "2027-01-01T00:00:00.000Z"),
      ends(red, "2026-06-01T00:00:00.000Z"),
      ends(shop, "2026-07-01T00:00:00.000Z"),
      ends(elsewhere, "2026-02-01T00:00:00.000Z"),
      ends("tenant", "2026-01-01T00:00:00.000Z"),
    ];
    expect(plan(access, withRows({ grants }), now()).lookAt).toBe("2026-06-01T00:00:00.000Z");
    expect(plan(access, seen, now()).lookAt).toBeUndefined();
  });
});

describe("what is owed", () => {
  test("never names our own namespaces or the system's, and binds nobody to a group of the server's own", () => {
    const { wide, bindings } = owed(access, seen.rows, now());
    const all = [...wide, ...[...bindings.values()].flat()];
    for (const { kind, metadata, roleRef } of all) {
      if (kind === "RoleBinding") expect(metadata.namespace).toBe("shop");
      if (roleRef !== undefined) expect((roleRef as { name: string }).name).toMatch(/^berth:/);
    }
    expect(all.filter(({ kind }) => kind === "RoleBinding")).toHaveLength(1);
  });

  test("is the same whatever the order of the rows", () => {
    const { members, teams, groups, grants, projects } = seen.rows;
    const turned = { members: members.toReversed(), teams, groups, grants: grants.toReversed(), projects };
    expect(owed(access, turned, now())).toEqual(owed(access, seen.rows, now()));
  });

  test("says each member's name at its account, so that an audit can be read", () => {
    const named = seen.rows.members.map((each) => (each.id === bob ? { ...each, name: "Bob" } : each));
    const { wide } = owed(access, { ...seen.rows, members: named }, now());
    const account = wide.find(({ kind, metadata }) => kind === "ServiceAccount" && metadata.name === kubeName(bob));
    expect(account?.metadata.annotations).toEqual({ "berth.dev/name": "Bob" });
    expect(account).toMatchObject({ automountServiceAccountToken: false });
  });
});
