import { beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import type { Target } from "#core/context.ts";
import { kubeName } from "#core/id.ts";
import { newStand, type Stand } from "./stand.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await newStand();
});

const spaces = { apiVersion: "v1", kind: "Namespace" };
const sessions = { apiVersion: "v1", kind: "Secret", namespace: "berth-members" };
const targetOf = (body: Record<string, unknown>): Target => ({
  server: String(body["server"]),
  authority: String(body["authority"]),
  serverName: String(body["serverName"]),
  user: { token: String(body["token"]) },
});

test("an owner gets a token that works in the cluster until it expires, and is accounted for", async () => {
  const { world, ada } = stand;
  const id = await stand.make();
  const issued = await ada.post(`/v1/kube/clusters/${id}/token`, { seconds: 600 });
  expect(issued.status).toBe(201);
  const kube = world.kubes.kube(targetOf(issued.body));
  expect((await kube.list(spaces)).items.length).toBeGreaterThan(4);
  expect((await ada.get("/v1/audit")).body["items"]).toContainEqual(
    expect.objectContaining({
      verb: "cluster:access",
      target: id,
      actor: { member: ada.member, name: "owner", token: ada.token.id },
    }),
  );
  await world.clock.pass(601_000);
  await expect(kube.list(spaces)).rejects.toMatchObject({ kind: "unauthorized" });
});

test("one API token has one session Secret, which holds nothing and whose end is the end of all its tokens", async () => {
  const { ada, inside, world } = stand;
  const id = await stand.make();
  const issued = [
    await ada.post(`/v1/kube/clusters/${id}/token`, {}),
    await ada.post(`/v1/kube/clusters/${id}/token`, {}),
  ];
  const { objects } = inside(id);
  const secrets = objects.list(sessions);
  expect(secrets).toHaveLength(1);
  expect(secrets[0]).toMatchObject({ type: "berth.dev/session", data: {} });
  const other = await world.member(ada.tenant, "owner");
  expect((await other.post(`/v1/kube/clusters/${id}/token`, {})).status).toBe(503);
  await world.drain();
  expect((await other.post(`/v1/kube/clusters/${id}/token`, {})).status).toBe(201);
  expect(objects.list(sessions)).toHaveLength(2);
  for (const { metadata } of secrets) objects.remove({ ...sessions, name: metadata.name }, { uid: metadata.uid });
  for (const { body } of issued) {
    await expect(world.kubes.kube(targetOf(body)).list(spaces)).rejects.toMatchObject({ kind: "unauthorized" });
  }
});

test("who has no right there gets no token, whatever its role, and nothing is made", async () => {
  const { world, ada, inside } = stand;
  const id = await stand.make();
  for (const role of ["editor", "viewer"] as const) {
    const person = await world.member(ada.tenant, role);
    for (const what of ["token", "kubeconfig"]) {
      const answer = await person.post(`/v1/kube/clusters/${id}/${what}`, {});
      expect(answer).toMatchObject({ status: 403, body: { detail: "You have no right in this cluster." } });
    }
  }
  expect(inside(id).objects.list(sessions)).toEqual([]);
});

test("a viewer with a right gets a token that can do what was granted and no more, for ten minutes unless said", async () => {
  const { world, ada } = stand;
  const id = await stand.make();
  const shop = await stand.space("shop", [id]);
  const bob = await world.member(ada.tenant, "viewer");
  await stand.give(bob.member, "view", shop);
  const { status, body } = await bob.post(`/v1/kube/clusters/${id}/token`, {});
  expect(status).toBe(201);
  const life = Date.parse(String(body["expiresAt"])) - Date.parse(world.clock.now());
  expect(Math.abs(life - 600_000)).toBeLessThan(1_000);
  const kube = world.kubes.kube(targetOf(body));
  const maps = { apiVersion: "v1", kind: "ConfigMap" };
  expect((await kube.list({ ...maps, namespace: "shop" })).items).toEqual([]);
  for (const query of [{ ...maps, namespace: "kube-system" }, maps, sessions, { apiVersion: "v1", kind: "Node" }])
    await expect(kube.list(query)).rejects.toMatchObject({ kind: "forbidden" });
  const made = { ...maps, metadata: { name: "one", namespace: "shop" } };
  await expect(kube.create(made)).rejects.toMatchObject({ kind: "forbidden" });
});

test("a right whose account is not there yet is waited for, and the account comes at once", async () => {
  const { world, ada } = stand;
  const id = await stand.make();
  const path = `/v1/kube/clusters/${id}/token`;
  const late = await world.member(ada.tenant, "owner");
  const early = await late.post(path, {});
  expect(early).toMatchObject({ status: 503, body: { detail: "Your account in this cluster is being made." } });
  expect(early.headers.get("retry-after")).toBe("1");
  await world.drain();
  expect((await late.post(path, {})).status).toBe(201);
});

test("a token's end is the end of the credentials that it got, in each cluster that it entered", async () => {
  const { world, ada, inside } = stand;
  const ids = [await stand.make(), await stand.make({ name: "two" })];
  const made = await ada.post("/v1/tokens", { name: "ci" });
  const ci = world.as(String(made.body["token"]));
  const kubes = await Promise.all(
    ids.map(async (id) => world.kubes.kube(targetOf((await ci.post(`/v1/kube/clusters/${id}/token`, {})).body))),
  );
  await stand.does("DELETE", `/v1/tokens/${String(made.body["id"])}`);
  for (const kube of kubes) await expect(kube.list(spaces)).rejects.toMatchObject({ kind: "unauthorized" });
  for (const id of ids) expect(inside(id).objects.list(sessions)).toEqual([]);
});

test("while the cluster is made, does not answer, or ends, each is said as what it is", async () => {
  const { world, kube, ada } = stand;
  const id = await stand.ask();
  const token = (): ReturnType<typeof ada.post> => ada.post(`/v1/kube/clusters/${id}/token`, {});
  const early = await token();
  expect([early.status, early.headers.get("retry-after")]).toEqual([503, "2"]);
  expect((await ada.get(`/v1/clusters/${id}/kubeconfig`)).status).toBe(503);
  kube.runs = ({ metadata }) => metadata.name !== "kube-apiserver";
  await world.drain();
  expect(await token()).toMatchObject({ status: 503, body: { detail: "The cluster does not answer." } });
  kube.runs = () => true;
  await world.sweep();
  expect((await token()).status).toBe(201);
  await ada.delete(`/v1/clusters/${id}`);
  expect(await token()).toMatchObject({ status: 409 });
  await world.drain();
  expect((await token()).status).toBe(404);
});

test("the access function's own credential opens berth-members and nothing else; without its role not even that", async () => {
  const { world, ada, inside } = stand;
  const id = await stand.make();
  const path = `/v1/kube/clusters/${id}/token`;
  const begun = inside(id).calls.length;
  expect((await ada.post(path, {})).status).toBe(201);
  expect(
    new Set(
      inside(id)
        .calls.slice(begun)
        .map(({ namespace }) => namespace),
    ),
  ).toEqual(new Set(["berth-members"]));
  const { objects } = inside(id);
  const ref = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    name: "berth:access",
    namespace: "berth-members",
  };
  objects.remove(ref, { uid: objects.find(ref)?.metadata.uid ?? "" });
  expect(await ada.post(path, {})).toMatchObject({ status: 503, body: { kind: "unavailable" } });
  await world.round();
  expect((await ada.post(path, {})).status).toBe(201);
});

interface Kubeconfig {
  clusters: { cluster: Record<string, string> }[];
  users: { user: { exec?: { command: string; args: string[] }; token?: string } }[];
}

test("the kubeconfig of a viewer holds no secret: where, whom to trust, and the command that fetches a token", async () => {
  const { world, ada, row } = stand;
  const id = await stand.make();
  const viewer = await world.member(ada.tenant, "viewer");
  const { status, text } = await viewer.get(`/v1/clusters/${id}/kubeconfig?command=/opt/berth/bin/berth`);
  const { clusters, users } = parse(text) as Kubeconfig;
  expect(status).toBe(200);
  expect(clusters[0]?.cluster).toEqual({
    server: row(id)?.status.endpoint,
    "tls-server-name": `${kubeName(id)}.berth.internal`,
    "certificate-authority-data": Buffer.from(row(id)?.status.authority ?? "").toString("base64"),
  });
  expect(users[0]?.user).toEqual({
    exec: expect.objectContaining({ command: "/opt/berth/bin/berth", args: ["credential", "--cluster", id] }),
  });
  expect(text).not.toMatch(/token:|client-key|PRIVATE/);
});

test("a kubeconfig with a token inside works as it stands", async () => {
  const { world, ada } = stand;
  const id = await stand.make();
  const { body } = await ada.post(`/v1/kube/clusters/${id}/kubeconfig`, {});
  const { clusters, users } = parse(String(body["kubeconfig"])) as Kubeconfig;
  const {
    server = "",
    "tls-server-name": serverName = "",
    "certificate-authority-data": authority = "",
  } = clusters[0]?.cluster ?? {};
  const user = { token: users[0]?.user.token ?? "" };
  const kube = world.kubes.kube({ server, serverName, authority: Buffer.from(authority, "base64").toString(), user });
  expect((await kube.list(spaces)).items.length).toBeGreaterThan(4);
  const other = await stand.make({ name: "two" });
  const wrong = { ...targetOf((await ada.post(`/v1/kube/clusters/${other}/token`, {})).body), server };
  await expect(world.kubes.kube(wrong).list(spaces)).rejects.toMatchObject({ kind: "unavailable" });
});
