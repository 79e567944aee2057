import { beforeEach, expect, test } from "vitest";
import type { Answer } from "../world/index.ts";
import { type Crew, fields, newCrew, text } from "./crew.ts";
// After the stand: the world is to come before whatever makes keys.
import { newDoors } from "../world/people.ts";

let { stand, ada, invite, accept, enter, used, account, bindings } = {} as Crew;
beforeEach(async () => {
  ({ stand, ada, invite, accept, enter, used, account, bindings } = await newCrew());
});

test("who accepts an invite has its session, team and grants, and is in the project's namespace on the cluster", async () => {
  const cluster = await stand.make();
  const project = await stand.space("shop", [cluster]);
  const team = text(await stand.does("POST", "/v1/teams", { name: "blue" }));
  const bob = await enter(
    await invite({ teams: [team], grants: ["edit", "audit"].map((group) => ({ group, scope: project })), name: "Bob" }),
  );
  expect(account(cluster, bob.id)).toBe(true);
  const bound = bindings(cluster, bob.id);
  expect([bound.length, bound.every((each) => each.startsWith("RoleBinding shop/"))]).toEqual([2, true]);
  expect((await bob.get("/v1/me")).body).toMatchObject({ role: "viewer", member: { name: "bob", kind: "person" } });
  expect((await bob.post("/v1/members", { name: "x", kind: "robot", role: "viewer" })).status).toBe(403);
  expect((await ada.get(`/v1/teams/${team}`)).body["members"]).toEqual([bob.id]);
});

test("every wrong invite gets one answer, which asks nothing of who can't sign in", async () => {
  const link = await invite();
  const { body } = await ada.post("/v1/invites", { role: "viewer" });
  const [other, id] = [text(body, "link"), text(body)];
  expect((await ada.delete(`/v1/invites/${id}`)).body).toMatchObject({ state: "revoked" });
  expect((await accept(link)).status).toBe(201);
  const said = new Set<string>();
  for (const wrong of [link, other, `${link}0`, "x", "berth_inv_", link.replace("berth_inv_", "berth_")]) {
    const { status, body: problem, headers } = await accept(wrong);
    expect([status, headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    said.add(JSON.stringify({ ...problem, requestID: "" }));
  }
  expect([...said]).toHaveLength(1);
  expect([...said][0]).toContain("A valid invite is needed.");
});

test("who tries too many invites from one place is shut out for a while, and a good one elsewhere is not", async () => {
  const { world } = stand;
  const link = await invite();
  const late = await invite();
  const doors = newDoors({ ...world.deps, limits: true });
  const from = (address: string) => async (invite: string) =>
    (
      await doors.api.request(
        "/v1/invites/accept",
        {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ invite, name: "bob" }),
        },
        { incoming: { socket: { remoteAddress: address } } },
      )
    ).status;
  const [here, there] = [from("192.0.2.1"), from("192.0.2.2")];
  const statuses = [];
  for (let i = 0; i < 25; i += 1) statuses.push(await here(`wrong${i}`));
  expect(statuses.indexOf(429)).toBe(20);
  expect(await here(link)).toBe(429);
  expect(await there(link)).toBe(201);
  await world.clock.pass(60_000);
  expect(await here(late)).toBe(201);
});

test("an invite that carries a key is made once, and its link is not shown again", async () => {
  const key = { "Idempotency-Key": "one" };
  const first = await ada.post("/v1/invites", { role: "viewer" }, key);
  const again = await ada.post("/v1/invites", { role: "viewer" }, key);
  expect([first.status, again.status]).toEqual([201, 409]);
  expect(await used()).toMatchObject({ invites: 1 });
});

test("what is another tenant's is in no body and no path, and the field is named", async () => {
  const eve = await stand.world.tenant("blue");
  const team = text((await eve.post("/v1/teams", { name: "t" })).body);
  const own = text((await ada.post("/v1/teams", { name: "t" })).body);
  const theirs = { team, member: eve.member, cluster: `cls_${"0".repeat(26)}`, group: `grp_${"0".repeat(26)}` };
  const wrong: [Answer, string[]][] = [
    [await ada.post("/v1/teams", { name: "u", members: [ada.member, theirs.member] }), ["members.1"]],
    [await ada.patch(`/v1/teams/${own}`, { members: [theirs.member] }), ["members.0"]],
    [await ada.post(`/v1/teams/${own}/members/${theirs.member}`), ["member"]],
    [await ada.post("/v1/invites", { role: "viewer", teams: [own, theirs.team] }), ["teams.1"]],
    [
      await ada.post("/v1/invites", { role: "viewer", grants: [{ group: "view", scope: theirs.cluster }] }),
      ["grants.0.scope"],
    ],
    [
      await ada.post("/v1/invites", { role: "viewer", grants: [{ group: theirs.group, scope: "tenant" }] }),
      ["grants.0.group"],
    ],
    [await ada.post(`/v1/members/${theirs.member}/transfer`, {}), []],
    [await ada.delete(`/v1/teams/${own}/members/${theirs.member}`), []],
    [await ada.patch(`/v1/teams/${theirs.team}`, { title: "mine" }), []],
    [await ada.delete(`/v1/teams/${theirs.team}`), []],
  ];
  for (const [answer, named] of wrong) expect([answer.status, fields(answer)], answer.text).toEqual([404, named]);
});

test("names are what people write, within bounds that are told", async () => {
  for (const name of ["x".repeat(100), "Bob 🚢", "名前", "O'Brien <b>"]) {
    expect((await accept(await invite({ name }), name)).status).toBe(201);
    const made = await ada.post("/v1/members", { name, kind: "robot", role: "viewer" });
    expect(made.body).toMatchObject({ name });
  }
  const link = await invite();
  for (const name of ["x".repeat(101), "", "   "]) {
    const answer = await accept(link, name);
    expect([answer.status, fields(answer)]).toEqual([400, ["name"]]);
  }
  for (const name of ["Blue", "-a", "a_b", "a".repeat(41), "🚢", ""]) {
    const answer = await ada.post("/v1/teams", { name });
    expect([answer.status, fields(answer)], name).toEqual([400, ["name"]]);
  }
  const twice = await ada.post("/v1/teams", { name: "t", members: [ada.member, ada.member] });
  expect(twice.body["members"]).toEqual([ada.member]);
  const again = await ada.post("/v1/teams", { name: "t" });
  expect([again.status, again.body["detail"]]).toEqual([409, "There is a team named t already."]);
  expect((await ada.post("/v1/invites", { role: "viewer", expiresInDays: 31 })).status).toBe(400);
});

test("a bound token changes no people, and sees none", async () => {
  const cluster = await stand.make();
  const made = await ada.post("/v1/tokens", { name: "ci", clusters: [cluster] });
  expect(made.status, made.text).toBe(201);
  const bound = stand.world.as(text(made.body, "token"));
  for (const [method, path, body] of [
    ["GET", "/v1/teams"],
    ["POST", "/v1/teams", { name: "t" }],
    ["GET", "/v1/invites"],
    ["POST", "/v1/invites", { role: "viewer" }],
    ["GET", "/v1/members"],
    ["DELETE", "/v1/me"],
  ] as const)
    expect((await bound.call(method, path, body)).status, `${method} ${path}`).toBe(403);
});
