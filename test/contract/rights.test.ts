import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compare, everyoneRules, rulesIn } from "#core/access/compare.ts";
import { declared } from "#core/access/explain.ts";
import { normal, permits } from "#core/access/rules.ts";
import { builtin, isBuiltin, type Rule } from "#core/group/index.ts";
import { kubeName } from "#core/id.ts";
import { asks } from "./rights/asks.ts";
import { becoming } from "./rights/becoming.ts";
import { cast, custom, here, nobodies, now, type Part, projectOf, rows, type Space, spaces } from "./rights/people.ts";
import { reaching } from "./rights/reaching.ts";
import { ask } from "./rights/server.ts";
import { newStage, object, review, type Stage } from "./rights/stage.ts";
import type { Try } from "./rights/try.ts";

// What people may do in a real API server that decides as tenants' do, with the very objects that Berth makes there.

let stage: Stage;
const [ada] = cast;
if (ada === undefined) throw new Error("there is an owner");
const weak = cast.filter(({ owner }) => !owner);
let tried = 0;

beforeAll(async () => {
  stage = await newStage();
});
afterAll(async () => {
  await stage?.stop();
});

/** What a part holds in a namespace, by the table of the cast alone. */
function owing(part: Part, space: Space): Rule[] {
  return part.holds.flatMap(({ group, spaces: held, wide }) => {
    const rules = isBuiltin(group) ? builtin[group] : custom;
    return [...(held.includes(space) ? rules.rules : []), ...(wide ? rules.clusterRules : [])];
  });
}

const owns = ({ holds }: Part, space: Space): boolean =>
  holds.some(({ group, spaces: held }) => group === "owner" && held.includes(space));

describe("what the cluster says of each", () => {
  test.each(cast.map((part) => ({ name: part.name, part })))(
    "$name holds exactly what was granted, in every namespace",
    async ({ part }) => {
      const bare = await review(await stage.account("bare"), "default");
      for (const space of spaces) {
        const said = await review(stage.as(part), space);
        expect(rulesIn(said), space).toEqual(normal([...owing(part, space), ...everyoneRules]));
        const beyond = (said.nonResourceRules ?? []).filter(
          (rule) => !(bare.nonResourceRules ?? []).some((other) => JSON.stringify(other) === JSON.stringify(rule)),
        );
        // What is no resource is in no namespace, so it is in no owner's role of one.
        const whole = part.holds.some(({ group, wide }) => group === "owner" && wide);
        expect(beyond, space).toEqual(whole ? [{ nonResourceURLs: ["*"], verbs: ["*"] }] : []);
      }
    },
  );

  test("the explanation from rows alone is the same, everywhere", async () => {
    for (const part of cast)
      for (const space of spaces) {
        const granted = declared(rows, part.id, { cluster: here, project: projectOf(space) }, now);
        expect(compare(granted, await review(stage.as(part), space)), `${part.name} in ${space}`).toEqual({
          same: true,
          missing: [],
          extra: [],
          everyone: owns(part, space) ? [] : normal(everyoneRules),
          complete: true,
        });
      }
  });

  test("who has no right here has no account, and no name of its own in any object", async () => {
    const accounts = await stage.admin.list({ apiVersion: "v1", kind: "ServiceAccount", namespace: "berth-members" });
    expect(accounts.items.map(({ metadata }) => metadata.name).sort()).toEqual(
      ["bare", ...cast.map(({ id }) => kubeName(id))].sort(),
    );
    const made = JSON.stringify([stage.objects.wide, ...stage.objects.bindings.values()]);
    for (const { id } of nobodies) expect(made).not.toContain(kubeName(id));
  });
});

/** The namespace that a part is most at home in. */
const homeOf = ({ holds }: Part): string => holds[0]?.spaces[0] ?? "red";
/** `refused` is for want of a right of one's own: one is told by name that one cannot. Admission has other words. */
const attempt = async (part: Part, { method, path, body, headers }: Try): Promise<string> => {
  tried += 1;
  const said = await ask(stage.as(part), method, path, { body, ...(headers && { headers }) });
  const cannot = `User "system:serviceaccount:berth-members:${kubeName(part.id)}" cannot `;
  const refused = said.status === 403 && String(said.body["message"]).includes(cannot);
  return refused ? "refused" : String(said.status);
};

describe("what each tries", () => {
  test.each(weak.map((part) => ({ name: part.name, part })))(
    "$name tries 34 ways to become the owner and 44 to get at what is the owner's, and none works",
    async ({ part }) => {
      const [ways, things] = [becoming(part, ada, homeOf(part)), reaching(homeOf(part))];
      expect([ways.length, things.length]).toEqual([34, 44]);
      // Whoever owns one project may do there what an owner may, and nothing anywhere else.
      const own = part.holds.some(({ group }) => group === "owner");
      for (const each of [...ways, ...things]) {
        if (own && each.inside === true) continue;
        expect(await attempt(part, each), each.what).toBe("refused");
      }
    },
  );

  test("what an owner of the whole cluster tries is never refused for want of a right", async () => {
    for (const part of cast.filter(({ owner }) => owner))
      for (const each of [...becoming(part, ada, "red"), ...reaching("red")]) {
        const dry = `${each.path}${each.path.includes("?") ? "&" : "?"}dryRun=All`;
        // What fails fails for what is not there, or for its form.
        const status = await attempt(part, { ...each, path: each.method === "GET" ? each.path : dry });
        expect(["refused", "401", "405", "415"], `${each.what}: ${status}`).not.toContain(status);
      }
  });

  test("in its project each may do what its group says, and what it may not say is refused", async () => {
    let [allowed, refused] = [0, 0];
    for (const part of cast)
      for (const space of spaces)
        for (const { path, method, body, ...one } of asks) {
          const cluster = !path.includes("NS");
          const may = owing(part, space).some((rule) => permits(rule, one));
          if (cluster && space !== "kube-system") continue;
          const status = await attempt(part, { what: "", method, path: path.replace("NS", space), body });
          expect(status !== "refused", `${part.name}: ${method} ${path} in ${space}`).toBe(may);
          if (may) allowed += 1;
          else refused += 1;
        }
    expect(allowed).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(600);
  });

  test("an account of an owner's very name in a project is nobody: accounts are known by their namespace too", async () => {
    const account = { name: kubeName(ada.id), namespace: "red" };
    await stage.admin.create(object("v1", "ServiceAccount", account.name, account.namespace));
    const said = await review(await stage.account(account.name, account.namespace), "red");
    expect(rulesIn(said)).toEqual(normal(everyoneRules));
  });

  test("the control: Kubernetes' own edit, bound for the whole cluster, does become the owner", async () => {
    // What `edit` gathers; the controller that puts it together does not run here.
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:aggregate-to-edit" };
    const subjects = [{ kind: "ServiceAccount", name: "bare", namespace: "berth-members" }];
    const rbac = "rbac.authorization.k8s.io/v1";
    await stage.admin.create(object(rbac, "ClusterRoleBinding", "control", undefined, { roleRef, subjects }));
    const bare = await stage.account("bare");
    const path = `/api/v1/namespaces/berth-members/serviceaccounts/${kubeName(ada.id)}/token`;
    const minted = (): ReturnType<typeof ask> => ask(bare, "POST", path, { body: { spec: {} } });
    await expect.poll(async () => (await minted()).status, { timeout: 10_000 }).toBe(201);
    const { token } = (await minted()).body["status"] as { token: string };
    const { server, authority } = stage.running.admin;
    const became = await ask({ server, authority, user: { token } }, "GET", "/api/v1/namespaces/kube-system/secrets");
    expect(became.status).toBe(200);
  });

  test("nothing of all this changed a right: after more than 3,000 tries, and each binding is as it was made", async () => {
    for (const manifest of [...stage.objects.wide, ...[...stage.objects.bindings.values()].flat()])
      expect(await stage.admin.get({ ...manifest, ...manifest.metadata })).toMatchObject(manifest);
    expect(tried).toBeGreaterThan(3_000);
  });
});
