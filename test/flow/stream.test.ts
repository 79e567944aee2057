import { beforeEach, expect, test } from "vitest";
import { newStand, type Stand } from "./stand.ts";
import { KubeFault } from "#core/context.ts";
import { memberKind } from "#core/member/schema.ts";
import { rowID, tokenKind } from "#core/token/schema.ts";
import type { Person } from "../world/index.ts";

let stand: Stand;
let red: string;
let blue: string;
let shop: string;
/** Edits in the project `shop`, which is on both clusters, and has a right nowhere else. */
let bob: Person;
beforeEach(async () => {
  stand = await newStand();
  red = await stand.make();
  blue = await stand.make({ name: "two" });
  shop = await stand.space("shop", [red, blue]);
  bob = await stand.world.member(stand.ada.tenant, "viewer");
  await stand.give(bob.member, "edit", shop);
});

const at = (path: string, id = red): string => `/v1/kube/${id}${path}`;
const maps = "/api/v1/namespaces/shop/configmaps";
const map = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { a: "1" } });
const put = (name: string, id = red): void =>
  void stand.inside(id).objects.create({ ...map(name), metadata: { name, namespace: "shop" } });

/** A watch through Berth, its lines as they come. */
async function watching(person: Person, path = `${maps}?watch=true`) {
  const headers = { Authorization: `Bearer ${person.text}` };
  const answer = await stand.world.doors.access.request(at(path), { headers });
  const reader = answer.body?.getReader();
  if (reader === undefined) throw new Error("there is no body");
  const lines: string[] = [];
  const decoder = new TextDecoder();
  const ended = (async (): Promise<"ended" | "cut"> => {
    try {
      for (;;) {
        const piece = (await reader.read()) as { done: boolean; value?: Uint8Array };
        if (piece.done) return "ended";
        lines.push(...decoder.decode(piece.value).split("\n").filter(Boolean));
      }
    } catch {
      return "cut";
    }
  })();
  return { answer, lines, ended, stop: () => reader.cancel() };
}
const clock = () => stand.world.clock;

test("a watch tells what happens as it happens", async () => {
  const { answer, lines, stop } = await watching(bob);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
  put("one");
  await clock().pass(1_000);
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { type: "ADDED", object: { metadata: { name: "one" } } },
  ]);
  await stop();
});

test("a watch ends softly when nothing came for 50 s, and after 14 minutes at most", async () => {
  const quiet = await watching(bob);
  await clock().pass(49_000);
  const busy = await watching(bob);
  const first = Promise.race([quiet.ended, clock().pass(2_000)]);
  expect(await first).toBe("ended");
  for (let second = 0; second < 830; second += 40) {
    put(`map-${second}`);
    await clock().pass(40_000);
  }
  expect(await busy.ended).toBe("ended");
  expect(busy.lines.length).toBeGreaterThan(15);
});

test.each([
  [
    "its grant is removed",
    async () => {
      const { body } = await stand.ada.get(`/v1/grants?subject=${bob.member}`);
      const [grant] = body["items"] as { id: string }[];
      await stand.does("DELETE", `/v1/grants/${grant?.id}`);
    },
  ],
  [
    "its token is revoked",
    async () => {
      const row = rowID(bob.member, bob.token.id);
      await stand.world.deps.home.table(bob.tenant).edit(tokenKind, row, { set: { revokedAt: clock().now() } });
    },
  ],
  [
    "its member is suspended",
    async () => {
      const table = stand.world.deps.home.table(bob.tenant);
      await table.edit(memberKind, bob.member, { set: { state: "suspended" } });
    },
  ],
])("a watch is cut within 6 s when %s", async (_, take) => {
  const { lines, ended } = await watching(bob);
  await clock().pass(1_000);
  await take();
  const since = Date.parse(clock().now());
  await clock().pass(6_000);
  put("late");
  expect(await ended).toBe("cut");
  expect(Date.parse(clock().now()) - since).toBeLessThanOrEqual(6_000);
  expect(lines).toEqual([]);
});

test("a watch is not cut because a cluster can't say for a moment who may, and is when it can't for long", async () => {
  const { ended } = await watching(bob);
  const fault = new KubeFault("unavailable", "review: 503");
  stand.inside(red).troubles.push({ match: ({ verb }) => verb === "review", fault, when: "before" });
  await clock().pass(11_000);
  put("one");
  const soon = Promise.race([
    ended,
    clock()
      .pass(1_000)
      .then(() => "open"),
  ]);
  expect(await soon).toBe("open");
  await clock().pass(10_000);
  expect(await ended).toBe("cut");
});

test("who stops reading ends what was read", async () => {
  const signals: AbortSignal[] = [];
  const kube = stand.world.kubes.kube;
  stand.world.kubes.kube = (target) => {
    const inner = kube(target);
    return { ...inner, pass: async (asked) => (signals.push(asked.signal), await inner.pass(asked)) };
  };
  const { stop } = await watching(bob);
  await stop();
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test("a tenant has 50 streams open at once at most, and one that ended makes room", async () => {
  const open = await Promise.all(Array.from({ length: 50 }, () => watching(bob)));
  expect(open.map(({ answer }) => answer.status)).toEqual(Array(50).fill(200));
  const beyond = await bob.get(at(`${maps}?watch=true`));
  expect([beyond.status, beyond.headers.get("retry-after")]).toEqual([429, "5"]);
  expect((await bob.get(at(maps))).status).toBe(200);
  await open[0]?.stop();
  const next = await watching(bob);
  expect(next.answer.status).toBe(200);
  // Cut, they make room as well.
  await Promise.all([...open.slice(1), next].map((each) => each.stop()));
  const last = await Promise.all(Array.from({ length: 50 }, () => watching(bob)));
  expect(last.every(({ answer }) => answer.status === 200)).toBe(true);
  await Promise.all(last.map((each) => each.stop()));
});
