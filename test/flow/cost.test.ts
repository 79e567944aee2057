import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
// The world comes before core, whose keys it keeps from being made twice.
import { type Outside, type World } from "../world/index.ts";
import { newStand } from "./stand.ts";
import { beat } from "#functions/cron/beat.ts";
import { digest } from "#functions/cron/chain.ts";
import { lap } from "#functions/cron/survey.ts";
import { round } from "#functions/cron/visit.ts";

// docs/cost.md is made of what is counted here. When code changes what it asks for, the page is wrong and this fails:
// `BERTH_WRITE=1 npm test -- --project=flow test/flow/cost.test.ts` writes the counted lines into it.

const page = join(import.meta.dirname, "..", "..", "docs", "cost.md");
const [begin, end] = ["<!-- counted -->\n", "<!-- /counted -->"];
const clusters = 8;

/** What was asked for: of the table in its units of price, of the queue in calls, of API servers in calls. */
interface Bill {
  reads: number;
  writes: number;
  sends: number;
  kube: number;
}
const names = ["reads", "writes", "sends", "kube"] as const;

/** A unit of reading is a row of 4 KB, read consistently; a unit of writing is 1 KB, two in a transaction of several. */
async function count(world: World, work: () => Promise<unknown>): Promise<Bill> {
  const bill: Bill = { reads: 0, writes: 0, sends: 0, kube: 0 };
  const size = (key: string): number => Buffer.byteLength(JSON.stringify(world.tables.rows().get(key) ?? ""));
  world.outside = ({ table, kube, when }: Outside): void => {
    if (when !== "after") return;
    if (kube !== undefined) bill.kube += 1;
    if (table === undefined) return;
    if (table.act === "write" || table.act === "edit") {
      const each = table.keys.length > 1 ? 2 : 1;
      for (const key of table.keys) bill.writes += each * Math.max(1, Math.ceil(size(key) / 1_000));
    } else
      for (const key of table.keys.length > 0 ? table.keys : [""])
        bill.reads += Math.max(1, Math.ceil(size(key) / 4_000));
  };
  const { poke } = world.deps.home;
  world.deps.home.poke = async (tenant, id) => {
    bill.sends += 1;
    await poke(tenant, id);
  };
  try {
    await work();
  } finally {
    world.deps.home.poke = poke;
    world.outside = undefined;
  }
  return bill;
}

const per = (a: Bill, b: Bill, by: number): Bill =>
  Object.fromEntries(
    names.map((name) => [name, Math.round(((a[name] - b[name]) / by) * 100) / 100]),
  ) as unknown as Bill;

const lines: Record<string, Bill> = {};

beforeAll(async () => {
  const stand = await newStand();
  const { world } = stand;
  const works = {
    sweep: () => world.run(beat(world.deps)),
    digest: () => world.run(digest(world.deps)),
    lap: () => world.run(lap(world.deps)),
    round: () => world.run(round(world.deps)),
  };
  /** Until nobody has anything to say, so that the clocks find what they find on any day. */
  const rest = async (): Promise<void> => {
    await world.sweep(3);
    await world.round();
    await world.digest();
    await world.sweep(1);
  };
  const idle = async (): Promise<Record<string, Bill>> => {
    await rest();
    const bills: Record<string, Bill> = {};
    for (const [name, work] of Object.entries(works)) bills[name] = await count(world, work);
    return bills;
  };
  const empty = await idle();
  lines["one create"] = await count(world, () => stand.make({ name: "first" }));
  for (let i = 1; i < clusters; i += 1) await stand.make({ name: `more-${i}` });
  const full = await idle();
  for (const name of Object.keys(works)) {
    const [none, some] = [empty[name], full[name]];
    if (none === undefined || some === undefined) throw new Error(`${name} was not counted`);
    lines[`one ${name}, fixed`] = none;
    lines[`one ${name}, per idle cluster`] = per(some, none, clusters);
  }
}, 60_000);

/** Dollars, as docs/cost.md says where from; the seconds of a function are assumed there too. */
const prices = {
  read: 0.125e-6,
  write: 0.625e-6,
  queueCall: 0.4e-6,
  call: 0.2e-6,
  second: 0.0000133334,
  schedule: 1e-6,
  kmsCall: 3e-6,
  kmsKey: 1,
  alarm: 0.1,
  metric: 0.3,
  natHour: 0.045,
};
const hours = 730;
const clocks = {
  sweep: { month: hours * 60, seconds: 1, each: 0 },
  digest: { month: hours * 60, seconds: 0.5, each: 0 },
  lap: { month: hours * 6, seconds: 3, each: 0.02 },
  round: { month: hours * 2, seconds: 1, each: 0.1 },
};
const createSeconds = 15;
/** Alarms are in sst.config.ts; series of metrics are those that functions/metric.ts can make on a day without faults. */
const [alarms, series, pollsMonth] = [18, 20, 650_000];

/** A message is sent, received and deleted. */
const stores = (bill: Bill): number =>
  bill.reads * prices.read + bill.writes * prices.write + bill.sends * 3 * prices.queueCall;

function money(): [what: string, dollars: number][] {
  let [fixed, idle] = [0, 0];
  for (const [name, { month, seconds, each }] of Object.entries(clocks)) {
    const [none, one] = [lines[`one ${name}, fixed`], lines[`one ${name}, per idle cluster`]];
    if (none === undefined || one === undefined) throw new Error(`${name} was not counted`);
    fixed += month * (stores(none) + seconds * prices.second + prices.call + prices.schedule + prices.kmsCall);
    idle += month * (stores(one) + each * prices.second + (name === "round" ? prices.kmsCall : 0));
  }
  fixed += prices.kmsKey + alarms * prices.alarm + series * prices.metric + pollsMonth * prices.queueCall;
  const create = lines["one create"];
  if (create === undefined) throw new Error("a create was not counted");
  const made = stores(create) + createSeconds * prices.second + 2 * prices.call + 8 * prices.kmsCall;
  return [
    ["one create", made],
    ["one idle cluster, a month", idle],
    ["home itself, a month", fixed],
    ["home itself with one NAT gateway, a month", fixed + hours * prices.natHour],
  ];
}

const table = (): string =>
  [
    "| What | Read units | Write units | Queue sends | Kubernetes calls |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...Object.entries(lines).map(([what, bill]) => `| ${what} | ${names.map((name) => bill[name]).join(" | ")} |`),
    "",
    "| In money | US dollars |",
    "| --- | ---: |",
    ...money().map(([what, dollars]) => `| ${what} | ${dollars.toPrecision(2)} |`),
    "",
  ].join("\n");

test("the page tells what is counted", () => {
  const text = readFileSync(page, "utf8");
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  expect(to).toBeGreaterThanOrEqual(from);
  if (process.env["BERTH_WRITE"] === "1") writeFileSync(page, text.slice(0, from) + table() + text.slice(to));
  const told = readFileSync(page, "utf8").slice(from).split(end)[0] ?? "";
  expect(plain(told)).toBe(plain(table()));
});

/** Columns may be drawn wider or narrower. */
const plain = (text: string): string =>
  text
    .replaceAll(/ *\| */g, "|")
    .replaceAll(/-{3,}/g, "---")
    .trim();

test("an idle cluster costs no write and no message, whatever the clock", () => {
  for (const name of ["sweep", "digest", "lap", "round"])
    expect(lines[`one ${name}, per idle cluster`], name).toMatchObject({ writes: 0, sends: 0 });
});
