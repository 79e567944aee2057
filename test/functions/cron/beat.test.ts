import { expect, test } from "vitest";
import { binding } from "#core/host/home.ts";
import { credentialKind, hostKind } from "#core/host/schema.ts";
import { beat } from "#functions/cron/beat.ts";
import { homeTenant, newStage, type Stage } from "../stage.ts";

async function hostAt(stage: Stage, server: string, name: string) {
  const host = await stage.host({ name });
  const table = stage.deps.home.table(homeTenant);
  const { seal } = await stage.deps.tools();
  const target = JSON.stringify({ server, authority: "PEM", user: { token: "t" } });
  const sealed = await seal.seal(target, binding(homeTenant, host.id));
  await table.write(table.insert(credentialKind, host.id, { sealed }));
  return () => table.get(hostKind, host.id);
}

test("a beat pokes all that is due in every shard, over many pages, and nothing else", async () => {
  const stage = newStage();
  await stage.host({ ports: { from: 30_000, to: 30_999 } });
  const { owner } = await stage.tenant("red");
  const ids: string[] = [];
  for (let i = 0; i < 9; i += 1)
    ids.push(String((await stage.as(owner.text)("POST", "/v1/clusters", { name: `c${i}` })).body["id"]));
  stage.queue.letters.length = 0;
  const due = stage.deps.home.due.bind(stage.deps.home);
  stage.deps.home = { ...stage.deps.home, due: (shard, before, page) => due(shard, before, { ...page, limit: 2 }) };
  // Of each the cluster and what is kept inside of it.
  expect(await beat(stage.deps)).toEqual({ poked: 18 });
  const both = ids.flatMap((id) => [id, id.replace("cls", "acc")]);
  expect(stage.queue.letters.map(({ body }) => (JSON.parse(body) as { id: string }).id).sort()).toEqual(both.sort());
});

test("a beat writes which hosts are well; one that is not costs the others nothing", async () => {
  const stage = newStage();
  const well = await hostAt(stage, "https://192.0.2.1:6443", "well");
  const ill = await hostAt(stage, "https://192.0.2.2:6443", "ill");
  await stage.host({ name: "lost" });
  const registered = stage.clock.now();
  stage.kubes.server("https://192.0.2.2:6443").ready = false;
  await stage.clock.pass(240_000);
  await beat(stage.deps);
  const now = stage.clock.now();
  expect(await well()).toMatchObject({ checkedAt: now, healthyAt: now });
  expect(await ill()).toMatchObject({ checkedAt: now, healthyAt: registered });
  expect(
    stage.lines
      .filter(({ level }) => level !== "info")
      .map(({ level, fields }) => `${level} ${String(fields["name"])}`)
      .sort(),
  ).toEqual(["error lost", "warn ill"]);
});

test("a shard that can't be read is told, after the others were poked", async () => {
  const stage = newStage();
  await stage.host({ ports: { from: 30_000, to: 30_999 } });
  const { owner } = await stage.tenant("red");
  for (let i = 0; i < 12; i += 1) await stage.as(owner.text)("POST", "/v1/clusters", { name: `c${i}` });
  stage.queue.letters.length = 0;
  const due = stage.deps.home.due.bind(stage.deps.home);
  stage.deps.home = {
    ...stage.deps.home,
    due: (shard, before, page) => (shard === 0 ? Promise.reject(new Error("away")) : due(shard, before, page)),
  };
  await expect(beat(stage.deps)).rejects.toThrow("part of the sweep");
  expect(stage.queue.letters.length).toBeGreaterThan(0);
});
