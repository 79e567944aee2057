import { expect, test } from "vitest";
import { newStand } from "../../flow/stand.ts";
import * as Access from "#core/access/index.ts";
import type { Actor } from "#core/context.ts";
import { clusterID } from "../../flow/stand.ts";
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
  for (const more of [{ role: "editor" }, { role: "viewer" }, { scopes: ["cluster:read"] }] as const) {
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

test("two sessions of one member never share a Secret, and two calls of one session do", async () => {
  const { id, as, sessions } = await begin();
  const first = await as({});
  const second = await as({ token: "tok_01k00000000000000000000001" });
  await Promise.all([first, first, second].map((work) => Access.issue(work, id, { seconds: 600 })));
  expect(sessions()).toHaveLength(2);
});

test("a token that could not be put on record is not given out", async () => {
  const { stand, id, as } = await begin();
  stand.world.tables.before = ({ act }) => {
    if (act === "write") throw new Error("the store is away");
  };
  await expect(Access.issue(await as({}), id, { seconds: 600 })).rejects.toThrow("the store is away");
});
