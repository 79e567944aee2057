import { beforeEach, describe, expect, test } from "vitest";
import { grants } from "#core/allow.ts";
import { KubeFault } from "#core/context.ts";
import * as Outbox from "#core/outbox/index.ts";
import type { Role } from "#core/role.ts";
import type { Answer, Caller } from "../world/people.ts";
import { newStand, type Person, type Stand } from "./stand.ts";

let stand: Stand;
let ada: Person;
let red: string;
let blue: string;
let shop: string;
beforeEach(async () => {
  stand = await newStand();
  ({ ada } = stand);
  red = await stand.make();
  blue = await stand.make({ name: "two" });
  shop = await stand.space("shop", [red]);
});
const member = (role: Role): Promise<Person> => stand.world.member(ada.tenant, role);
const match = { "If-Match": "*" };
const rule = (resource: string) => [{ apiGroups: [""], resources: [resource], verbs: ["get"] }];
/** A token of the owner's that may do less. */
async function token(more: object): Promise<Caller> {
  const made = await ada.post("/v1/tokens", { name: "ci", ...more });
  expect(made.status).toBe(201);
  return stand.world.as(String(made.body["token"]));
}
const fields = ({ body }: Answer): string[] =>
  ((body["errors"] ?? []) as { field: string }[]).map(({ field }) => field);

describe("new rules of a group that is given", () => {
  let eve: Person;
  let group: string;
  const change = (resource: string): Promise<Answer> =>
    eve.patch(`/v1/groups/${group}`, { rules: rule(resource) }, match);
  beforeEach(async () => {
    eve = await member("editor");
    group = String((await stand.does("POST", "/v1/groups", { name: "own", rules: rule("pods") }))["id"]);
  });

  test("take a right to give: who may only edit does not widen what it has itself, and may change what nobody has", async () => {
    await stand.give(eve.member, "edit", "tenant");
    expect((await change("services")).status).toBe(200);
    await stand.give(eve.member, group, shop);
    const refused = await change("secrets");
    expect([refused.status, fields(refused), refused.body["detail"]]).toEqual([
      403,
      ["group"],
      expect.stringContaining("neither admin nor owner"),
    ]);
    expect((await eve.patch(`/v1/groups/${group}`, { title: "Ours" }, match)).status).toBe(200);
    await stand.give(eve.member, "admin", "tenant");
    expect((await change("secrets")).status).toBe(200);
  });

  test("are not made to hold for good by who holds them for a day", async () => {
    await stand.give(eve.member, "admin", "tenant", { expiresInDays: 1 });
    const kept = await stand.give(eve.member, group, shop);
    const refused = await change("secrets");
    expect([refused.status, fields(refused)]).toEqual([403, ["group"]]);
    await stand.does("DELETE", `/v1/grants/${kept}`);
    await stand.give(eve.member, group, shop, { expiresInDays: 1 });
    // A moment later than its own right ends.
    expect((await change("secrets")).status).toBe(403);
  });
});

describe("a token that is scoped for people", () => {
  test("raises nobody above its scopes, and hands no ownership over", async () => {
    const bob = await member("viewer");
    const people = await token({ scopes: ["member:read", "member:write"] });
    const raised = await people.patch(`/v1/members/${bob.member}`, { role: "owner" }, match);
    expect([raised.status, fields(raised)]).toEqual([403, ["role"]]);
    expect((await people.post(`/v1/members/${bob.member}/transfer`, {})).status).toBe(403);
    expect((await ada.get(`/v1/members/${bob.member}`)).body["role"]).toBe("viewer");
    expect((await people.patch(`/v1/members/${bob.member}`, { name: "Bob" }, match)).status).toBe(200);
    const more = await token({ scopes: [...grants("editor"), "member:write"] });
    expect((await more.patch(`/v1/members/${bob.member}`, { role: "editor" }, match)).status).toBe(200);
    expect((await people.patch(`/v1/members/${bob.member}`, { role: "viewer" }, match)).status).toBe(200);
  });

  test("makes no provider by which people come in with more than it may", async () => {
    const providers = await token({ scopes: ["provider:read", "provider:write"] });
    const input = { name: "idp", issuer: "https://idp.example", clientID: "berth", jit: true };
    for (const query of ["", "?dryRun=true"]) {
      const refused = await providers.post(`/v1/providers${query}`, input);
      expect([refused.status, fields(refused)]).toEqual([403, ["role"]]);
    }
  });
});

test("a repeat of what another token did is no answer to a token that is bound elsewhere", async () => {
  const desk = await stand.space("desk", [red]);
  const headers = { ...match, "Idempotency-Key": "one" };
  const first = await ada.patch(`/v1/projects/${desk}`, { title: "Desk" }, headers);
  expect(first.status).toBe(200);
  const bound = await token({ projects: [shop] });
  const again = await bound.patch(`/v1/projects/${desk}`, { title: "Desk" }, headers);
  expect(again.status).toBe(422);
  expect(again.text).not.toContain("Desk");
  expect((await ada.patch(`/v1/projects/${desk}`, { title: "Desk" }, headers)).text).toBe(first.text);
});

test("a token that is bound to a project is told of no other clusters", async () => {
  const bob = await member("viewer");
  const bound = await token({ projects: [shop] });
  const { id } = (await bound.post("/v1/grants", { subject: bob.member, group: "view", scope: shop })).body;
  // Another's change that nobody has told yet is told in the same breath.
  const { home, now, random } = stand.world.deps;
  const table = home.table(ada.tenant);
  await table.write(Outbox.note({ table, now, random }, "all"));
  const answer = await bound.delete(`/v1/grants/${String(id)}`);
  expect(answer.status).toBe(200);
  expect(answer.text).toContain(red);
  expect(answer.text).not.toContain(blue);
});

test("only an owner brings a project whose Pods may be privileged onto another cluster", async () => {
  const eve = await member("editor");
  await stand.does("PATCH", `/v1/projects/${shop}`, { podSecurity: "privileged" });
  const places = [{ cluster: red }, { cluster: blue }];
  const added = await eve.patch(`/v1/projects/${shop}`, { places }, match);
  expect([added.status, fields(added)]).toEqual([403, ["podSecurity"]]);
  const moved = await eve.post(`/v1/projects/${shop}/move`, { from: red, to: blue, confirm: "shop" });
  expect([moved.status, fields(moved)]).toEqual([403, ["podSecurity"]]);
  expect((await eve.patch(`/v1/projects/${shop}`, { title: "Shop" }, match)).status).toBe(200);
  expect((await ada.patch(`/v1/projects/${shop}`, { places }, match)).status).toBe(200);
});

test("a namespace that is not the project's is out of a project's token's reach, and it does not take it over", async () => {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "desk" } };
  stand.inside(red).objects.create(namespace);
  const desk = await stand.space("desk", [red]);
  const bound = await token({ projects: [desk] });
  const maps = `/v1/kube/${red}/api/v1/namespaces/desk/configmaps`;
  expect((await ada.get(maps)).status).toBe(200);
  expect((await bound.get(maps)).status).toBe(403);
  const adopt = { cluster: red, confirm: "desk" };
  expect((await bound.post(`/v1/projects/${desk}/adopt`, adopt)).status).toBe(403);
  const both = await token({ projects: [desk], clusters: [red] });
  expect((await both.post(`/v1/projects/${desk}/adopt`, adopt)).status).toBe(200);
  await stand.world.drain();
  expect((await bound.get(maps)).status).toBe(200);
});

test("what goes into a cluster comes there byte by byte, with an idempotency key too", async () => {
  const sent: unknown[] = [];
  const kube = stand.world.kubes.kube;
  stand.world.kubes.kube = (target) => ({ ...kube(target), pass: async ({ body }) => await refuse(body) });
  const refuse = (body: unknown): Promise<never> => {
    sent.push(body);
    return Promise.reject(new KubeFault("unavailable", "it is away"));
  };
  const body = new Uint8Array([0x6b, 0x38, 0x73, 0x00, 0xff, 0xfe, 0x80]);
  const headers = {
    Authorization: `Bearer ${ada.text}`,
    "Content-Type": "application/vnd.kubernetes.protobuf",
    "Idempotency-Key": "one",
  };
  const path = `/v1/kube/${red}/api/v1/namespaces/shop/configmaps`;
  const work = stand.world.doors.access.request(path, { method: "POST", headers, body });
  expect((await stand.world.answered(Promise.resolve(work))).status).toBe(503);
  expect(sent).toEqual([body]);
});
