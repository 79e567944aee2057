import { expect, test } from "vitest";
import { newStand } from "../../flow/stand.ts";
import * as Access from "#core/access/index.ts";
import type { Actor } from "#core/context.ts";
import { clusterID } from "../../flow/stand.ts";
import { type ID, kubeName } from "#core/id.ts";
import { contextOf, workOf } from "#functions/deps.ts";

async function begin() {
  const stand = await newStand();
  const id = clusterID(await stand.make());
  const { tenant, member, token } = stand.ada;
  const as = (more: Partial<Actor>) =>
    workOf(
      stand.world.deps,
      contextOf(stand.world.deps, { tenant, member, token: token.id, role: "owner", scopes: null, ...more }, "test"),
    );
  return {
    stand,
    id,
    as,
    sessions: () =>
      stand
        .inside(id)
        .objects.all()
        .filter(({ kind }) => kind === "Secret"),
  };
}

test("the verb itself asks for the right, whatever door it is called by", async () => {
  const { id, as, sessions } = await begin();
  const other = "cls_01k00000000000000000000001";
  const project = "prj_01k00000000000000000000001";
  const weak: Partial<Actor>[] = [
    { scopes: ["cluster:read"] },
    { within: { clusters: [other] } },
    { within: { projects: [project] } },
    { within: { clusters: [id], projects: [project] } },
  ];
  for (const more of weak) {
    await expect(Access.issue(await as(more), id, { seconds: 600 })).rejects.toMatchObject({ kind: "forbidden" });
    await expect(Access.kubeconfig(await as(more), id, { seconds: 600 })).rejects.toMatchObject({ kind: "forbidden" });
  }
  expect(sessions()).toEqual([]);
});

test.each([599, 86_401])("a token can't live for %i seconds, and nothing is made", async (seconds) => {
  const { id, as, sessions } = await begin();
  await expect(Access.issue(await as({}), id, { seconds })).rejects.toMatchObject({
    kind: "invalid",
    errors: [{ field: "seconds", message: "must be from 600 to 86400" }],
  });
  expect(sessions()).toEqual([]);
});

test("two sessions of one member never share a Secret, and calls of one session at the same moment do", async () => {
  const { stand, id, as, sessions } = await begin();
  const { body } = await stand.ada.post("/v1/tokens", { name: "other" });
  const first = await as({});
  const second = await as({ token: body["id"] as ID<"token"> });
  await Promise.all([first, first, first, second].map((work) => Access.issue(work, id, { seconds: 600 })));
  expect(sessions()).toHaveLength(2);
  expect(sessions().map(({ metadata: { labels } }) => labels?.["berth.dev/token"])).toEqual(
    expect.arrayContaining([kubeName(stand.ada.token.id), kubeName(String(body["id"]))]),
  );
});

test("a token that ends while it asks gets nothing, and leaves nothing that nobody would look for", async () => {
  const { stand, id, as, sessions } = await begin();
  const { body } = await stand.ada.post("/v1/tokens", { name: "other" });
  const work = await as({ token: body["id"] as ID<"token"> });
  stand.world.outside = async ({ kube, when }) => {
    if (kube?.verb !== "token" || when !== "after") return;
    stand.world.outside = undefined;
    expect((await stand.ada.delete(`/v1/tokens/${String(body["id"])}`)).status).toBeLessThan(300);
  };
  await expect(Access.issue(work, id, { seconds: 600 })).rejects.toMatchObject({ kind: "forbidden" });
  expect(sessions()).toEqual([]);
});

test("a token that could not be put on record is not given out", async () => {
  const { stand, id, as } = await begin();
  stand.world.tables.before = ({ act }) => {
    if (act === "write") throw new Error("the store is away");
  };
  await expect(Access.issue(await as({}), id, { seconds: 600 })).rejects.toThrow("the store is away");
});
