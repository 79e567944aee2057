import { describe, expect, test } from "vitest";
import { countAuthorities, newStand, type Stand } from "./stand.ts";
import { calm, callsOf, casesOf, strike } from "./strike.ts";
import type { Access } from "#core/access/schema.ts";
import type { Cluster } from "#core/cluster/schema.ts";
import { kubeName } from "#core/id.ts";

// A first small simulator. Each case meets one bad moment: at the n-th call to table or API server the process dies,
// or that call alone fails, before or after it took effect. Then there is calm, and the end must be the same as ever.

/** Seconds on an idle machine; a busy one must not make it fail. */
const long = { timeout: 600_000 };

const state = (stand: Stand, id: string): unknown => ({
  host: [...stand.onHost(id).keys()].map((key) => key.replaceAll(kubeName(id), "it")),
  inside: [...stand.within(id).keys(), ...stand.kept(id).keys()],
  rows: [...stand.world.tables.rows().keys()]
    .filter((key) => !/\/(audit|token)\//.test(key))
    .map((key) =>
      key
        .replaceAll(id, "it")
        .replace(id.replace("cls", "acc"), "its")
        .replace(/3\d{4}$/, "seat"),
    )
    .sort(),
  conditions: Object.values(stand.conditions(id)).map(({ type, status }) => `${type} ${status}`),
});

describe("create", async () => {
  const create = async ({ ada, world }: Stand): Promise<void> => {
    await ada.post("/v1/clusters", { name: "one" });
    await world.drain();
  };
  const cases = casesOf(await callsOf(create, async () => {}));
  const whole = await newStand();
  const wished = state(whole, await whole.make());

  test.each([0, 1, 2, 3])(
    "at any moment ends in one whole cluster with one set of keys (part %i)",
    long,
    async (part) => {
      for (const one of cases.filter((_, at) => at % 4 === part)) {
        const stand = await newStand();
        const struck = strike(stand, one);
        const name = JSON.stringify(one);
        await create(stand);
        stand.world.outside = undefined;
        const authorities = countAuthorities(stand.world);
        const kept = [...stand.world.tables.rows().keys()].filter((key) => key.endsWith("/authorities")).length;
        // Whoever got no answer asks again: made, or there already.
        expect([201, 409], name).toContain((await stand.ada.post("/v1/clusters", { name: "one" })).status);
        const { items } = (await stand.ada.get("/v1/clusters")).body as { items: { id: string }[] };
        expect([struck(), items.length], name).toEqual([true, 1]);
        const id = items[0]?.id ?? "";
        const settled = ({ observedGeneration = 0, failures = 0, holder }: Partial<Cluster | Access> = {}): boolean =>
          observedGeneration === 1 && failures === 0 && holder === undefined;
        await calm(stand, () => settled(stand.row(id)) && settled(stand.access(id)));
        expect([await stand.phase(id), kept + authorities()], name).toEqual(["Ready", 1]);
        expect(state(stand, id), name).toEqual(wished);
        const before = stand.still(id);
        await stand.world.round();
        expect(stand.still(id), name).toEqual(before);
      }
    },
  );
});

describe("delete", async () => {
  const remove = async ({ ada, world }: Stand): Promise<void> => {
    const key = [...world.tables.rows().keys()].find((one) => one.includes("/cluster/"));
    await ada.delete(`/v1/clusters/${key?.split("/")[2]}`);
    await world.drain();
  };
  const calls = await callsOf(remove, (stand) => stand.make());
  const cases = casesOf(calls).concat(casesOf(calls, true).filter(({ nth, dies }) => !dies && calls[nth - 1]));

  test("at any moment ends in nothing but one receipt", long, async () => {
    for (const one of cases) {
      const stand = await newStand();
      const rows = new Set(stand.world.tables.rows().keys());
      const id = await stand.make();
      const objects = stand.onHost(id).size;
      const struck = strike(stand, one);
      const name = JSON.stringify(one);
      await remove(stand);
      stand.world.outside = undefined;
      await stand.ada.delete(`/v1/clusters/${id}`);
      const gone = (): boolean =>
        ![...stand.world.tables.rows().keys()].some((key) => /\/(cluster|access|outbox)\//.test(key));
      await calm(stand, gone);
      expect(struck(), name).toBe(true);
      expect([...stand.onHost(id)], name).toEqual([]);
      const left = [...stand.world.tables.rows().keys()].filter((key) => !rows.has(key) && !key.includes("/audit/"));
      const counter = `${stand.ada.tenant}/quota/clusters`;
      expect(left, name).toEqual([counter, `${stand.ada.tenant}/receipt/${id}`]);
      expect(stand.world.tables.rows().get(counter), name).toMatchObject({ used: 0 });
      const { body } = await stand.ada.get(`/v1/clusters/${id}/receipt`);
      expect(body["remaining"], name).toEqual([]);
      expect((body["removed"] as string[]).length, name).toBe(objects);
      const { items } = (await stand.ada.get("/v1/audit?limit=100")).body as { items: { verb: string }[] };
      expect(
        items.filter(({ verb }) => verb === "cluster:removed"),
        name,
      ).toHaveLength(1);
    }
  });
});
