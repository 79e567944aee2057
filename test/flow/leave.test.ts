import { beforeEach, expect, test } from "vitest";
import { type Crew, newCrew, text } from "./crew.ts";

let { stand, ada, invite, enter, used, account, bindings } = {} as Crew;
beforeEach(async () => {
  ({ stand, ada, invite, enter, used, account, bindings } = await newCrew());
});

test("a person who leaves is out of teams, grants, clusters and sessions, and its places are free", async () => {
  const cluster = await stand.make();
  const project = await stand.space("shop", [cluster]);
  const team = text(await stand.does("POST", "/v1/teams", { name: "blue" }));
  await stand.give(team, "view", "tenant");
  const before = await used();
  const bob = await enter(await invite({ role: "editor", teams: [team], grants: [{ group: "edit", scope: project }] }));
  expect(bindings(cluster, bob.id).length).toBeGreaterThanOrEqual(2);
  expect((await bob.post("/v1/tokens", { name: "ci" })).status).toBe(201);
  const left = await bob.delete("/v1/me");
  expect(left.status, left.text).toBe(200);
  expect(left.body).toMatchObject({ id: bob.id, confirmation: { confirmed: [cluster], pending: [] } });
  expect(account(cluster, bob.id)).toBe(false);
  expect(bindings(cluster, bob.id)).toEqual([]);
  await stand.world.clock.pass(10_000);
  expect((await bob.get("/v1/me")).status).toBe(401);
  expect((await ada.get(`/v1/teams/${team}`)).body["members"]).toEqual([]);
  expect(await used()).toEqual(before);
  const ended = (await ada.get(`/v1/audit?verb=token:revoke`)).body["items"] as unknown[];
  expect(ended.length).toBeGreaterThanOrEqual(1);
  expect((await ada.get(`/v1/members/${bob.id}`)).status).toBe(404);
});

test("who is suspended has no account while it is, and all of it again after; the answer says from which clusters it is gone", async () => {
  const cluster = await stand.make();
  await stand.space("shop", [cluster]);
  const bob = await enter(await invite({ grants: [{ group: "view", scope: "tenant" }] }));
  const had = bindings(cluster, bob.id);
  expect(had.length).toBeGreaterThan(0);
  const away = await ada.patch(`/v1/members/${bob.id}`, { state: "suspended" });
  expect(away.body).toMatchObject({ state: "suspended", confirmation: { confirmed: [cluster], pending: [] } });
  expect([account(cluster, bob.id), bindings(cluster, bob.id)]).toEqual([false, []]);
  await stand.does("PATCH", `/v1/members/${bob.id}`, { state: "active" });
  expect(bindings(cluster, bob.id)).toEqual(had);
});

test("a right that a team has goes with the place in it, and with the team", async () => {
  const cluster = await stand.make();
  await stand.space("shop", [cluster]);
  const bob = await enter(await invite());
  const team = text(await stand.does("POST", "/v1/teams", { name: "blue" }));
  const grant = await stand.give(team, "edit", "tenant");
  expect(account(cluster, bob.id)).toBe(false);
  const seat = `/v1/teams/${team}/members/${bob.id}`;
  await stand.does("POST", seat);
  expect(bindings(cluster, bob.id).length).toBeGreaterThan(0);
  expect((await ada.delete(seat)).body).toMatchObject({ confirmation: { confirmed: [cluster], pending: [] } });
  expect([account(cluster, bob.id), bindings(cluster, bob.id)]).toEqual([false, []]);
  await stand.does("PATCH", `/v1/teams/${team}`, { members: [bob.id] });
  expect(bindings(cluster, bob.id).length).toBeGreaterThan(0);
  expect((await ada.delete(`/v1/teams/${team}`)).body).toMatchObject({ confirmation: { confirmed: [cluster] } });
  expect(bindings(cluster, bob.id)).toEqual([]);
  expect((await ada.get(`/v1/grants/${grant}`)).status).toBe(404);
  expect(await used()).toMatchObject({ teams: 0, grants: 0 });
});

test("ownership that is handed over is another's in the clusters too", async () => {
  const cluster = await stand.make();
  const bob = await enter(await invite());
  expect([account(cluster, ada.member), account(cluster, bob.id)]).toEqual([true, false]);
  const given = await ada.post(`/v1/members/${bob.id}/transfer`, {});
  expect(given.body).toMatchObject({ id: bob.id, role: "owner", confirmation: { confirmed: [cluster] } });
  expect([account(cluster, ada.member), account(cluster, bob.id)]).toEqual([false, true]);
  expect((await ada.post("/v1/invites", { role: "viewer" })).status).toBe(403);
  expect((await bob.get(`/v1/members/${ada.member}`)).body).toMatchObject({ role: "editor" });
});

test("a removal that broke off after any call of the table is finished by a repeat, with nothing left anywhere", async () => {
  const cluster = await stand.make();
  await stand.space("shop", [cluster]);
  const team = text(await stand.does("POST", "/v1/teams", { name: "blue" }));
  const before = await used();
  const { world } = stand;
  let broken = 0;
  for (let at = 1; ; at += 1) {
    const bob = await enter(await invite({ teams: [team], grants: [{ group: "view", scope: "tenant" }] }));
    let calls = 0;
    world.outside = ({ table, when }) => {
      if (table === undefined || when !== "after") return;
      calls += 1;
      if (calls >= at) throw new Error("the process ended");
    };
    const { status } = await ada.delete(`/v1/members/${bob.id}`);
    world.outside = undefined;
    if (status !== 200) {
      broken += 1;
      expect([200, 404]).toContain((await ada.delete(`/v1/members/${bob.id}`)).status);
    }
    await world.drain();
    await world.sweep();
    expect(await used(), `after call ${at}`).toEqual(before);
    expect(bindings(cluster, bob.id)).toEqual([]);
    expect(account(cluster, bob.id)).toBe(false);
    expect((await ada.get(`/v1/teams/${team}`)).body["members"]).toEqual([]);
    if (status === 200) break;
  }
  expect(broken).toBeGreaterThan(10);
});
