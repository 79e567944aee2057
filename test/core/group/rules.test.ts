import fc from "fast-check";
import { expect, test } from "vitest";
import { CreateInput, lacking, type Rule, rulesOf } from "#core/group/index.ts";
import { permits } from "./permits.ts";

const rule = (apiGroups: string[], resources: string[], verbs: string[], resourceNames?: string[]): Rule => ({
  apiGroups,
  resources,
  verbs,
  ...(resourceNames && { resourceNames }),
});

// What no rule names stands for the endlessly many that a wildcard means.
const universe = {
  group: ["", "apps", "another"],
  resource: ["pods", "pods/log", "nodes", "nodes/log", "nodes/proxy", "another", "another/log", "another/another"],
  verb: ["get", "list", "another"],
  name: ["", "a", "b", "another"],
};
const some = <T>(...all: T[]): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...all), { minLength: 1, maxLength: 3 });
const anyRule = fc
  .tuple(
    some("", "apps", "*"),
    some("pods", "pods/log", "nodes", "nodes/log", "nodes/proxy", "*", "*/log"),
    some("get", "list", "*"),
    fc.option(some("a", "b"), { nil: undefined }),
  )
  .map(([groups, resources, verbs, names]) => rule(groups, resources, verbs, names));
const every = universe.group.flatMap((group) =>
  universe.resource.flatMap((resource) =>
    universe.verb.flatMap((verb) => universe.name.map((name) => ({ group, resource, verb, name }))),
  ),
);

test("rules lack something exactly when some request is allowed by what is asked and not by what is held", () => {
  const rules = fc.array(anyRule, { maxLength: 4 });
  let covered = 0;
  fc.assert(
    fc.property(rules, rules, (held, asked) => {
      const short = every.some((request) => permits(asked, request) && !permits(held, request));
      if (!short && asked.length > 0) covered += 1;
      expect(lacking(held, asked) !== undefined).toBe(short);
    }),
    { numRuns: 5_000, seed: 5 },
  );
  // Of nothing but refusals this would be no proof.
  expect(covered).toBeGreaterThan(200);
});

test("the first right that is not held is named as kubectl names it", () => {
  const held = [rule([""], ["pods", "pods/log"], ["get"]), rule(["apps"], ["deployments"], ["*"])];
  expect(lacking(held, [rule([""], ["pods"], ["get"]), rule(["apps"], ["deployments"], ["patch"])])).toBeUndefined();
  expect(lacking(held, [rule([""], ["pods", "secrets"], ["get", "list"])])).toBe("list on pods");
  expect(lacking(held, [rule(["apps"], ["deployments/scale"], ["get"])])).toBe("get on deployments.apps/scale");
  expect(lacking(held, [rule([""], ["secrets"], ["get"], ["db"])])).toBe("get on secrets named db");
  expect(lacking(held, [rule(["*"], ["*"], ["*"])])).toBe("* on *.*");
});

test("a resource does not bring its subresources, and one name not all names", () => {
  expect(lacking([rule([""], ["pods"], ["*"])], [rule([""], ["pods/exec"], ["create"])])).toBe("create on pods/exec");
  expect(lacking([rule([""], ["secrets"], ["get"], ["a"])], [rule([""], ["secrets"], ["get"])])).toBe("get on secrets");
  expect(lacking([rule([""], ["secrets"], ["get"])], [rule([""], ["secrets"], ["get"], ["a"])])).toBeUndefined();
  expect(lacking([rule([""], ["*/log"], ["get"])], [rule([""], ["pods/log"], ["get"])])).toBeUndefined();
});

test("a group's rules are its own, a built-in one's those of every tenant, and one that is gone has none", () => {
  const own = {
    id: "grp_01k0000000000000000000000a" as const,
    rules: [rule([""], ["pods"], ["get"])],
    clusterRules: [],
  };
  expect(rulesOf(own.id, [own])).toBe(own);
  expect(rulesOf(own.id, [])).toBeUndefined();
  expect(rulesOf("view", [])?.rules.length).toBeGreaterThan(0);
});

test("rules are taken in Kubernetes' form, and what RBAC would pass over in silence is refused", () => {
  const name = "mine";
  const check = (more: object, base = rule([""], ["pods"], ["get"])) =>
    CreateInput.safeParse({ name, rules: [{ ...base, ...more }] });
  expect(check({}).success).toBe(true);
  expect(check({ resources: ["*", "*/scale", "pods/log"] }).success).toBe(true);
  for (const bad of [
    { resources: ["pods/*"] },
    { resources: ["Pods"] },
    { resources: [] },
    { verbs: ["Get"] },
    { verbs: [] },
    { apiGroups: [] },
    { apiGroups: ["apps/v1"] },
    { resourceNames: [] },
    { nonResourceURLs: ["/healthz"] },
  ]) {
    expect(check(bad).success, JSON.stringify(bad)).toBe(false);
  }
  expect(CreateInput.safeParse({ name }).error?.issues[0]).toMatchObject({ path: ["rules"] });
});

test("rules that would take for ever to check are refused before anything is checked", () => {
  const many = (count: number, letter: string): string[] => Array.from({ length: count }, (_, at) => `${letter}${at}`);
  const wide = rule(
    many(50, "g"),
    many(100, "r"),
    Array.from({ length: 50 }, (_, at) => `v${"x".repeat(at % 40)}`),
  );
  const parsed = CreateInput.safeParse({ name: "wide", rules: [wide] });
  expect(parsed.error?.issues[0]).toMatchObject({ path: ["rules"], message: expect.stringContaining("20000 rights") });
});
