import * as fc from "fast-check";
import { expect, test } from "vitest";
import { allow, grants, type Permission, permissions, type Where, within } from "#core/allow.ts";
import type { Actor, Context } from "#core/context.ts";
import { Fault } from "#core/error.ts";
import type { ID } from "#core/id.ts";
import { type Role, roles } from "#core/role.ts";

const tenant: ID<"tenant"> = "tnt_01k00000000000000000000001";
const home: ID<"tenant"> = "tnt_01k00000000000000000000002";
const as = (more: Partial<Actor>): Context => {
  const actor: Actor = { tenant, member: "system", role: "owner", scopes: null, token: null, ...more };
  return { tenant, actor, home: { tenant: home } } as unknown as Context;
};
const cls = (n: number): ID<"cluster"> => `cls_0${n}`;
const prj = (n: number): ID<"project"> => `prj_0${n}`;
const verdict = (ctx: Context, permission: Permission, where?: Where | "some"): string => {
  try {
    allow(ctx, permission, where);
    return "yes";
  } catch (error) {
    if (error instanceof Fault) return error.kind;
    throw error;
  }
};

test("each role may all that the one before may, and staff's own pages are no one else's", () => {
  for (const permission of permissions) {
    const may = (["viewer", "editor", "owner", "staff"] as Role[]).map((role) => grants(role).has(permission));
    expect(may, permission).toEqual([...may].sort((a, b) => Number(a) - Number(b)));
    if (permission.startsWith("home:")) expect(may).toEqual([false, false, false, true]);
  }
});

test("a permission is given by role, scopes and tenant together, and each alone takes it away", () => {
  for (const role of roles) {
    for (const permission of permissions) {
      const home = permission.startsWith("home:");
      const yes = grants(role).has(permission) && !home;
      const others = permissions.filter((each) => each !== permission);
      expect(verdict(as({ role }), permission), `${role} ${permission}`).toBe(
        yes ? "yes" : home ? "missing" : "forbidden",
      );
      expect(verdict(as({ role, scopes: [permission] }), permission) === "yes").toBe(yes);
      expect(verdict(as({ role, scopes: others }), permission)).not.toBe("yes");
      expect(verdict(as({ role, scopes: [] }), permission)).not.toBe("yes");
      expect(verdict(as({ role, tenant: home ? tenant : "tnt_other" }), permission)).not.toBe("yes");
    }
  }
});

test("a bound token asks about what it is bound to, and not about the tenant as a whole", () => {
  const token = as({ within: { clusters: [cls(1)] } });
  expect(verdict(token, "cluster:write", { cluster: cls(1) })).toBe("yes");
  expect(verdict(token, "cluster:write", { cluster: cls(2) })).toBe("forbidden");
  expect(verdict(token, "cluster:read", "some")).toBe("yes");
  for (const permission of ["cluster:write", "cluster:read", "member:read", "audit:read", "grant:write"] as const)
    expect(verdict(token, permission), permission).toBe("forbidden");
  for (const permission of ["tenant:read", "version:read", "quota:read"] as const)
    expect(verdict(token, permission), permission).toBe("yes");
});

test("of a cluster and a project at once, a token that is bound to both must be bound to each", () => {
  const both = as({ within: { clusters: [cls(1)], projects: [prj(1)] } });
  const clusters = as({ within: { clusters: [cls(1)] } });
  const projects = as({ within: { projects: [prj(1)] } });
  const cases: [Where, boolean, boolean, boolean][] = [
    [{ cluster: cls(1) }, true, true, false],
    [{ project: prj(1) }, true, false, true],
    [{ cluster: cls(1), project: prj(1) }, true, true, true],
    [{ cluster: cls(1), project: prj(2) }, false, true, false],
    [{ cluster: cls(2), project: prj(1) }, false, false, true],
    [{ cluster: cls(2), project: prj(2) }, false, false, false],
    [{}, false, false, false],
  ];
  for (const [where, ...wanted] of cases)
    expect(
      [both, clusters, projects].map((ctx) => within(ctx, where)),
      JSON.stringify(where),
    ).toEqual(wanted);
  expect(within(as({}), { cluster: cls(2) })).toBe(true);
});

test("an empty bound lets nothing in, and more in a bound never lets in less", () => {
  const ids = fc.integer({ min: 0, max: 3 });
  const list = fc.option(fc.uniqueArray(ids), { nil: undefined });
  const where = fc.record({ c: fc.option(ids, { nil: undefined }), p: fc.option(ids, { nil: undefined }) });
  const bound = (clusters: number[] | undefined, projects: number[] | undefined): Actor["within"] => ({
    ...(clusters && { clusters: clusters.map(cls) }),
    ...(projects && { projects: projects.map(prj) }),
  });
  const at = ({ c, p }: { c: number | undefined; p: number | undefined }): Where => ({
    ...(c !== undefined && { cluster: cls(c) }),
    ...(p !== undefined && { project: prj(p) }),
  });
  const asked = (clusters: number[] | undefined, projects: number[] | undefined, to: Where): boolean => {
    const own = bound(clusters, projects);
    return within(as({ ...(own && { within: own }) }), to);
  };
  fc.assert(
    fc.property(list, list, where, ids, (clusters, projects, place, more) => {
      if (clusters === undefined && projects === undefined) return;
      const before = asked(clusters, projects, at(place));
      if (clusters?.length === 0 && (projects === undefined || projects.length === 0)) expect(before).toBe(false);
      if (before) expect(asked(clusters && [...clusters, more], projects && [...projects, more], at(place))).toBe(true);
    }),
    { seed: 11, numRuns: 2_000 },
  );
});
