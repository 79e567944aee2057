import { expect, test } from "vitest";
// First: it puts the world's keys in place of real ones, for all that is imported after it.
import { newStand, type Stand } from "./stand.ts";
import { calm, callsOf, casesOf, strike } from "./strike.ts";

// As in killed.test.ts, for what changes who may do what: each case meets one bad moment in the request or in the work
// that follows it. Then there is calm, and clusters hold what the table says, all of it and nothing else.

/** Seconds on an idle machine; a busy one must not make it fail. */
const long = { timeout: 600_000 };

interface Ready {
  red: string;
  blue: string;
  bob: string;
  shop: string;
  grant: string;
}
const readied = new WeakMap<Stand, Ready>();
const of = (stand: Stand): Ready => {
  const ready = readied.get(stand);
  if (ready === undefined) throw new Error("it is not ready");
  return ready;
};

async function prepare(stand: Stand): Promise<void> {
  const red = await stand.make();
  const blue = await stand.make({ name: "two" });
  const { member: bob } = await stand.world.member(stand.ada.tenant, "viewer");
  const shop = await stand.space("shop", [red]);
  const grant = await stand.give(bob, "view", "tenant");
  readied.set(stand, { red, blue, bob, shop, grant });
}

interface Change {
  method: string;
  path: string;
  body?: object;
}
/** What is asked for, by name. */
const changes: Record<string, (ready: Ready) => Change> = {
  "a grant": ({ bob, shop }) => ({
    method: "POST",
    path: "/v1/grants",
    body: { subject: bob, group: "edit", scope: shop },
  }),
  "the end of a grant": ({ grant }) => ({ method: "DELETE", path: `/v1/grants/${grant}` }),
  "the removal of a member": ({ bob }) => ({ method: "DELETE", path: `/v1/members/${bob}` }),
  "a suspension": ({ bob }) => ({ method: "PATCH", path: `/v1/members/${bob}`, body: { state: "suspended" } }),
  "a project": ({ red, blue }) => ({
    method: "POST",
    path: "/v1/projects",
    body: { name: "till", limits: { pods: 4 }, places: [{ cluster: red }, { cluster: blue }] },
  }),
  "another place": ({ red, blue, shop }) => ({
    method: "PATCH",
    path: `/v1/projects/${shop}`,
    body: { places: [{ cluster: red }, { cluster: blue }] },
  }),
  "the removal of a project": ({ shop }) => ({ method: "DELETE", path: `/v1/projects/${shop}?confirm=shop` }),
};

const ask = async (stand: Stand, change: (ready: Ready) => Change): Promise<number> => {
  const { method, path, body } = change(of(stand));
  const { status } = await stand.ada.call(method, path, body, method === "POST" ? {} : { "If-Match": "*" });
  return status;
};

const kinds = /\/(member|team|group|grant|given|project|projectName|access|cluster|outbox)\//;
/** What is in both clusters, and which rows there are. Ids that were made on the way are told by their noun alone. */
function state(stand: Stand): unknown {
  const { red, blue, shop } = of(stand);
  const plain = (text: string): string =>
    text.replace(/\b(grt|prj|aud|out)[_-][0-9a-z]{26}/g, (id) => (id === shop ? id : id.slice(0, 3)));
  const rows = [...stand.world.tables.rows().keys()].filter((key) => kinds.test(key)).map(plain);
  const inside = [red, blue].map((id) =>
    [...stand.kept(id)].map(([key, { metadata: _, ...rest }]) => plain(JSON.stringify([key, rest]))),
  );
  return { rows: rows.sort(), inside };
}
const settled = (stand: Stand) => (): boolean =>
  [...stand.world.tables.rows()].every(([key, row]) => {
    if (key.includes("/outbox/")) return false;
    const { observedGeneration, generation, failures, holder } = row as Record<string, unknown>;
    return !key.includes("/access/") || (observedGeneration === generation && failures === 0 && holder === undefined);
  });

test.each(Object.entries(changes))(
  "%s holds everywhere in the end, whenever whoever makes it so dies",
  long,
  async (_, change) => {
    const run = async (stand: Stand): Promise<void> => {
      await ask(stand, change);
      await stand.world.drain();
    };
    const wished = await (async () => {
      const stand = await newStand();
      await prepare(stand);
      expect(await ask(stand, change)).toBeLessThan(300);
      await calm(stand, settled(stand));
      return state(stand);
    })();
    const cases = casesOf(await callsOf(run, prepare));
    expect(cases.length).toBeGreaterThan(10);
    for (const one of cases) {
      const stand = await newStand();
      await prepare(stand);
      const struck = strike(stand, one);
      const name = JSON.stringify(one);
      await run(stand);
      stand.world.outside = undefined;
      // Whoever got no answer asks again: done, or done already.
      expect([200, 201, 202, 404, 409], name).toContain(await ask(stand, change));
      await calm(stand, settled(stand));
      expect(settled(stand)(), name).toBe(true);
      expect([struck(), state(stand)], name).toEqual([true, wished]);
    }
  },
);
