import { beforeEach, describe, expect, test } from "vitest";
import type { ID } from "#core/id.ts";
import * as Project from "#core/project/index.ts";
import { type Ground, newGround, refused } from "./ground.ts";

let ground: Ground;
beforeEach(async () => {
  ground = await newGround();
});
const day = 24 * 3600 * 1000;
const never = async () => false;
const always = async () => true;
const look = (id: ID<"project">, ready: Parameters<typeof Project.look>[2] = never) =>
  Project.look(ground.ada, id, ready);
const pass = (ms: number) => ground.stage.clock.pass(ms);

describe("a move", () => {
  const moved = (id: ID<"project">, from = ground.north, to = ground.south, confirm = "shop") =>
    Project.move(ground.ada, id, { from, to, confirm });
  const placed = () =>
    ground.make("shop", { places: [{ cluster: ground.north, weight: 3 }, { cluster: ground.west }] });

  test("adds the new place with the old one's weight, and the old one leaves once the new one is ready", async () => {
    const { ada, north, south, west } = ground;
    const { id } = await placed();
    await ground.told();
    await moved(id);
    expect(ground.row(id)?.places).toEqual([
      { cluster: west, weight: 1 },
      { cluster: north, weight: 3, movingTo: south },
      { cluster: south, weight: 3 },
    ]);
    expect(await ground.told()).toEqual([expect.arrayContaining([north, south, west])]);
    expect(await look(id)).toBe("unchanged");
    expect(Date.parse(ground.row(id)?.lookAt ?? "") - Date.parse(ada.now())).toBe(30_000);
    const asked: string[] = [];
    const ready = async (_: Project.Project, cluster: string) => asked.push(cluster) > 0;
    expect(await look(id, ready)).toBe("moved");
    expect(asked).toEqual([south]);
    const places = ground.row(id)?.places ?? [];
    expect(places[1]).toEqual({ cluster: north, weight: 3, leavingAt: ada.now() });
    expect(await ground.told()).toHaveLength(1);
    await Project.left(ada, id, north);
    expect(ground.row(id)?.places.map(({ cluster }) => cluster)).toEqual([west, south]);
  });

  test("to where the project is already gives that place the weight", async () => {
    const { id } = await placed();
    const { places } = await moved(id, ground.north, ground.west);
    expect(places.find(({ cluster }) => cluster === ground.west)?.weight).toBe(4);
    await moved(id, ground.north, ground.west);
    expect(ground.row(id)?.generation).toBe(2);
  });

  test("ends when its places are said anew, or its new place leaves first", async () => {
    const { north, south, west } = ground;
    const { id } = await placed();
    await moved(id);
    await ground.patch(id, { places: [{ cluster: north }, { cluster: south }, { cluster: west }] });
    expect(await look(id, always)).toBe("unchanged");
    expect(ground.row(id)?.places.every(({ leavingAt }) => leavingAt === undefined)).toBe(true);
    await moved(id);
    await ground.end(south);
    expect(await look(id, always)).toBe("settled");
    expect(await look(id, always)).toBe("moved");
    expect(ground.row(id)?.places.find(({ cluster }) => cluster === north)).toEqual({ cluster: north, weight: 3 });
  });

  test("is refused by the field that is wrong, without the name, and while the project is protected", async () => {
    const { north, south, west, foreign } = ground;
    const { id } = await placed();
    expect(await refused(moved(id, north, south, "north"))).toMatchObject({
      kind: "invalid",
      fields: { confirm: expect.stringMatching(/shop/) },
    });
    expect(await refused(moved(id, north, north))).toMatchObject({
      kind: "invalid",
      fields: { to: expect.stringMatching(/another/) },
    });
    expect(await refused(moved(id, north, foreign))).toMatchObject({
      kind: "missing",
      fields: { to: expect.stringMatching(/yours/) },
    });
    expect(await refused(moved(id, south, north))).toMatchObject({
      kind: "conflict",
      fields: { from: expect.stringMatching(/not carry/) },
    });
    await moved(id);
    expect(await refused(moved(id, north, west))).toMatchObject({
      kind: "conflict",
      fields: { from: expect.stringMatching(/another/) },
    });
    expect(await refused(moved(id, west, north))).toMatchObject({
      kind: "conflict",
      fields: { to: expect.stringMatching(/away from/) },
    });
    await ground.patch(id, { deletionProtection: true });
    expect(await refused(moved(id, west, south))).toMatchObject({
      kind: "conflict",
      fields: { deletionProtection: expect.stringMatching(/false/) },
    });
  });
});

describe("an end", () => {
  const ending = (days: number) => {
    const expiresAt = new Date(Date.parse(ground.ada.now()) + days * day).toISOString();
    return ground.make("shop", { places: [{ cluster: ground.north }], expiresAt });
  };
  const shown = (id: string) => {
    const row = ground.row(id);
    if (row === undefined) throw new Error("it is gone");
    return Project.view(row, new Map(), ground.ada.now()).status;
  };

  test("is told of for a week, and then comes: no Pod starts any more, and its clusters are told", async () => {
    const { id } = await ending(10);
    await ground.told();
    expect(shown(id).expiry).toBeUndefined();
    expect(Date.parse(ground.row(id)?.lookAt ?? "") - Date.parse(ground.ada.now())).toBe(3 * day);
    await pass(3 * day);
    expect(shown(id)).toMatchObject({ expiry: "Expiring", warnings: [expect.stringContaining("ends at")] });
    expect(await look(id)).toBe("unchanged");
    expect(Date.parse(ground.row(id)?.lookAt ?? "") - Date.parse(ground.ada.now())).toBe(7 * day);
    expect(await ground.told()).toEqual([]);
    await pass(7 * day);
    expect(shown(id)).toMatchObject({ expiry: "Expired", phase: "Expired" });
    expect(await look(id)).toBe("expired");
    expect(await look(id)).toBe("unchanged");
    expect(await ground.told()).toEqual([[ground.north]]);
    expect(ground.row(id)).toMatchObject({ expiredAt: ground.ada.now(), generation: 2 });
    expect(ground.row(id)).not.toHaveProperty("lookAt");
    expect(ground.said(id)).toEqual(["project:create", "project:expired"]);
  });

  test("that is put off opens the project again, and one that is said again as it was stays", async () => {
    const { id } = await ending(1);
    await pass(2 * day);
    await look(id);
    const { expiresAt } = ground.row(id)?.spec ?? {};
    await ground.patch(id, { expiresAt, title: "Shop" });
    expect(ground.row(id)?.expiredAt).toBeDefined();
    expect(await refused(ground.patch(id, { expiresAt: ground.ada.now() }))).toMatchObject({
      fields: { expiresAt: expect.stringMatching(/later/) },
    });
    await ground.patch(id, { expiresAt: new Date(Date.parse(ground.ada.now()) + 30 * day).toISOString() });
    expect(ground.row(id)).not.toHaveProperty("expiredAt");
    expect(shown(id).expiry).toBeUndefined();
    expect(ground.row(id)?.lookAt).toBeDefined();
  });
});

describe("what is shown", () => {
  const cases: [string, object, string, string][] = [
    ["nothing seen yet", {}, "Pending", "Pending"],
    ["seen ready", { seen: { state: "Ready", generation: 1 } }, "Ready", "Ready"],
    ["seen ready before the last change", { seen: { state: "Ready", generation: 0 } }, "Pending", "Pending"],
    ["taken by another", { seen: { state: "Taken", generation: 0 } }, "Taken", "Degraded"],
    ["not reached", { seen: { state: "Ready", generation: 1 }, unreachable: "It is away." }, "Unreachable", "Degraded"],
  ];
  test.each(cases)("of a place: %s", async (_what, known, state, phase) => {
    const { north } = ground;
    const project = await ground.make("shop", { places: [{ cluster: north }], limits: { cpu: "4", pods: 2_000 } });
    const seen =
      "seen" in known ? { seen: { message: "So it is.", at: ground.ada.now(), ...(known.seen as object) } } : {};
    const map = new Map([[north, { name: "north", ...known, ...seen } as Project.Known]]);
    const { status } = Project.view(project, map, ground.ada.now());
    expect([status.places[0]?.state, status.phase]).toEqual([state, phase]);
    expect(status.places[0]).toMatchObject({ clusterName: "north", share: { cpu: "4", pods: "2000" } });
    expect(status.places[0]?.message).toMatch(/\.$/);
  });

  test("of a cluster that is gone, and of what its people should know", async () => {
    const project = await ground.make("shop", {
      places: [{ cluster: ground.north, weight: 0 }],
      limits: { memory: "1Gi" },
    });
    const { status } = Project.view(project, new Map(), ground.ada.now());
    expect(status).toMatchObject({
      phase: "Degraded",
      reserve: { memory: "1Gi" },
      places: [{ message: "The cluster is gone." }],
    });
    expect(status.warnings).toEqual([expect.stringContaining("no default"), expect.stringContaining("weight")]);
    const shown = JSON.stringify(Project.view(project, new Map(), ground.ada.now()));
    for (const inner of ["revision", "lookAt", "expiredAt"]) expect(shown).not.toContain(inner);
  });
});
