import { describe, expect, test } from "vitest";
import { compare, everyoneRules, type Reviewed } from "#core/access/compare.ts";
import { declared, letting, reasons } from "#core/access/explain.ts";
import { groupOf } from "#core/access/resource.ts";
import { type Ask, normal, permits, without } from "#core/access/rules.ts";
import { builtin, type Rule } from "#core/group/index.ts";
import { away, cast, custom, here, nobodies, now, projectOf, rows } from "../../contract/rights/people.ts";

const rule = (verbs: string, resources: string, more: { groups?: string; names?: string } = {}): Rule => ({
  apiGroups: (more.groups ?? "").split(","),
  resources: resources.split(","),
  verbs: verbs.split(","),
  ...(more.names !== undefined && { resourceNames: more.names.split(",") }),
});
const part = (name: string) => {
  const found = [...cast, ...nobodies].find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};
const [red, blue] = [projectOf("red"), projectOf("blue")];

describe("one rule and one request", () => {
  const cases: [rule: Rule, ask: string, may: boolean][] = [
    [rule("get", "pods"), "get pods", true],
    [rule("get", "pods"), "list pods", false],
    [rule("*", "pods"), "patch pods", true],
    [rule("get", "pods"), "get pods apps", false],
    [rule("get", "pods", { groups: "*" }), "get pods apps", true],
    [rule("get", "pods"), "get pods/log", false],
    [rule("get", "pods/log"), "get pods", false],
    [rule("get", "*"), "get pods/log", true],
    [rule("get", "*/scale"), "get deployments/scale", true],
    [rule("get", "*/scale"), "get deployments/status", false],
    [rule("get", "*/scale"), "get scale", false],
    [rule("get", "pods/*"), "get pods/log", false],
    [rule("get", "pods", { names: "one,two" }), "get pods - two", true],
    [rule("get", "pods", { names: "one" }), "get pods - other", false],
    // To list is to ask of no name, so a rule of names does not give it.
    [rule("list", "pods", { names: "one" }), "list pods", false],
  ];
  test.each(cases)("%j lets %s through: %s", (one, text, may) => {
    const [verb = "", resource = "", group = "", name] = text.split(" ");
    const ask: Ask = { verb, resource, group: group === "-" ? "" : group, name };
    expect(permits(one, ask)).toBe(may);
  });

  test("what people call a resource is found in the API group that Kubernetes has it in", () => {
    expect(["pods", "deployments", "deployments/scale", "ingresses", "widgets"].map(groupOf)).toEqual([
      "",
      "apps",
      "apps",
      "networking.k8s.io",
      "",
    ]);
  });
});

describe("two sets of rules", () => {
  test("the same rights are the same rules, however they are written", () => {
    const one = [rule("get,list", "pods"), rule("get", "services"), rule("list", "services"), rule("get", "pods")];
    const other = [rule("list", "services,pods"), rule("get", "pods,services")];
    expect(normal(one)).toEqual([rule("get,list", "pods,services")]);
    expect(normal(other)).toEqual(normal(one));
  });

  test("what a wider rule gives is not said again, and rules of names stay of their names", () => {
    expect(normal([rule("*", "*", { groups: "*" }), rule("get", "pods"), rule("*", "pods/log")])).toEqual([
      rule("*", "*", { groups: "*" }),
    ]);
    const names = [rule("get", "configmaps", { names: "a" }), rule("get", "configmaps", { names: "b" })];
    expect(normal(names)).toEqual([rule("get", "configmaps", { names: "a,b" })]);
    expect(normal([...names, rule("get", "configmaps")])).toEqual([rule("get", "configmaps")]);
  });

  test("what is left of one without the other is exact, and only a wildcard gives a wildcard", () => {
    expect(without([rule("get,list", "pods,secrets")], [rule("get", "*")])).toEqual([rule("list", "pods,secrets")]);
    expect(without([rule("*", "pods")], [rule("get,list,watch,create,update,patch,delete", "pods")])).toEqual([
      rule("*", "pods"),
    ]);
    expect(without([rule("get", "pods")], [rule("get", "pods", { names: "one" })])).toEqual([rule("get", "pods")]);
    expect(without([rule("get", "pods", { names: "one" })], [rule("get", "pods")])).toEqual([]);
  });
});

describe("rights, from rows", () => {
  test("a grant on a project gives the group's rules in its namespace, and nothing at the cluster's scope", () => {
    const { id } = part("edit at project");
    expect(declared(rows, id, { cluster: here, project: red }, now)).toEqual(builtin.edit.rules);
    expect(declared(rows, id, { cluster: here, project: blue }, now)).toEqual([]);
    expect(declared(rows, id, { cluster: here }, now)).toEqual([]);
  });

  test("a grant on a cluster holds in each project there and at its scope, and on no other cluster", () => {
    const { id } = part("view at cluster");
    const { rules, clusterRules } = builtin.view;
    expect(declared(rows, id, { cluster: here, project: blue }, now)).toEqual([...rules, ...clusterRules]);
    expect(declared(rows, id, { cluster: here }, now)).toEqual(clusterRules);
    expect(declared(rows, id, { cluster: away, project: blue }, now)).toEqual([]);
    expect(declared(rows, id, { cluster: away }, now)).toEqual([]);
  });

  test("an owner by role and an owner by grant hold everything, and each is told by what", () => {
    const found = reasons(rows, [{ cluster: here }], now);
    for (const name of ["ada, an owner", "owner at tenant", "owner at cluster"]) {
      const own = found.filter(({ member }) => member === part(name).id);
      expect(
        own.map((each) => each.rule),
        name,
      ).toEqual([rule("*", "*", { groups: "*" })]);
      expect(own[0]?.grant).toEqual(name.startsWith("ada") ? "owner" : expect.stringMatching(/^grt_/));
    }
    expect(found.filter(({ member }) => member === part("owner at project").id)).toEqual([]);
  });

  test("the reason names grant, group, scope and team, and every cluster that was asked and holds it", () => {
    const spots = [here, away].map((cluster) => ({ cluster, project: blue }));
    const reason = letting(reasons(rows, spots, now), { verb: "list", group: "", resource: "secrets" });
    const mate = reason.filter(({ member }) => member === part("carol, by a team").id);
    expect(mate).toEqual([
      {
        member: part("carol, by a team").id,
        grant: expect.stringMatching(/^grt_/),
        group: "admin",
        scope: blue,
        team: rows.teams[0]?.id,
        rule: rule("get,list,watch", "secrets"),
        clusters: [here, away],
      },
    ]);
  });

  test("who is suspended, whose grant is over or was only asked for, or who was given nothing holds nothing", () => {
    const spots = [red, blue, undefined].map((project) => ({ cluster: here, project }));
    const holders = new Set(reasons(rows, spots, now).map(({ member }) => member));
    expect([...holders].sort()).toEqual(cast.map(({ id }) => id).sort());
    for (const { id } of nobodies) expect(holders.has(id)).toBe(false);
  });

  test("what a group of the tenant's own gives is its rules, and goes with the group", () => {
    const { id } = part("custom at tenant");
    const spot = { cluster: here, project: red };
    expect(declared(rows, id, spot, now)).toEqual([...custom.rules, ...custom.clusterRules]);
    expect(declared({ ...rows, groups: [] }, id, spot, now)).toEqual([]);
  });
});

describe("grants beside a cluster's own word", () => {
  const said = (...rules: Rule[]): Reviewed => ({
    resourceRules: [...rules, ...everyoneRules].map(({ resourceNames = [], ...rest }) => ({ ...rest, resourceNames })),
  });

  test("the same rights are the same, and what everybody holds is told apart", () => {
    const held = said(rule("list", "pods"), rule("get", "pods"));
    expect(compare([rule("get,list", "pods")], held)).toEqual({
      same: true,
      missing: [],
      extra: [],
      everyone: normal(everyoneRules),
      complete: true,
    });
  });

  test("what the cluster does not hold is missing, what nobody granted is extra, each in the fewest rules", () => {
    const found = compare([rule("get,list", "pods")], said(rule("get", "pods"), rule("get,list", "secrets")));
    expect(found).toMatchObject({
      same: false,
      missing: [rule("list", "pods")],
      extra: [rule("get,list", "secrets")],
    });
  });

  test("a wildcard that was granted must be held as one, and what it covers is not extra", () => {
    expect(compare([rule("*", "*")], said(rule("get", "pods")))).toMatchObject({
      missing: [rule("*", "*")],
      extra: [],
    });
    expect(compare([], { ...said(), incomplete: true })).toMatchObject({ same: true, complete: false });
  });
});
