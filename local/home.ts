// Home in one process: the doors over HTTP, the queue with its poller, and the clock. `local/main.ts` starts it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { bootstrap } from "#core/tenant/index.ts";
import { access } from "#functions/access/app.ts";
import { api } from "#functions/api/app.ts";
import { beat } from "#functions/cron/beat.ts";
import { digest } from "#functions/cron/chain.ts";
import { lap } from "#functions/cron/survey.ts";
import { round } from "#functions/cron/visit.ts";
import { doorOf } from "#functions/doors.ts";
import { consume } from "#functions/queue/consume.ts";
import { tick } from "./clock.ts";
import { hearAll } from "./ears.ts";
import { type HostInfo, keepVolumes } from "./host/index.ts";
import { trimLogs } from "./process.ts";
import { poll } from "./queue.ts";
import { apiURL, home, paths } from "./settings.ts";
import { read, save, state as where } from "./state.ts";
import { openHome } from "./stores.ts";

/** How often the clock's functions run; a minute in the cloud, and less where a test is in a hurry. */
const period = Number(process.env["BERTH_CLOCK_SECONDS"] ?? "60") * 1000;
const beatsPerLap = 10;
const beatsPerRound = 30;
/** What runs when we are told to end gets so long to let go. Whatever it leaves, the next process finds. */
const graceMilliseconds = 5_000;

const state = where();
const files = paths(state);
const known = home(state);
const { opened, queue } = await openHome(state, known);
const stop = new AbortController();
const deps = { ...opened, ending: stop.signal };
save(files.staffToken, `${await bootstrap({ ...deps }, read(files.staffToken)?.trim())}\n`);

const doors = { api: api(deps), access: access(deps) };
const server = serve({
  hostname: "127.0.0.1",
  port: known.ports.api,
  fetch: (request, env) => {
    const { pathname } = new URL(request.url);
    return pathname === "/" ? site() : doors[doorOf(pathname)].fetch(request, env);
  },
});
const loops = [
  poll({ queue, handler: (event) => consume(deps, event), signal: stop.signal, log: deps.log }),
  tick(works(), { log: deps.log, signal: stop.signal }),
  hearAll(deps, Math.min(period, 60_000), stop.signal),
  volumes(),
];
deps.log.info("home is up", { url: apiURL(known) });

const end = (): void => {
  if (stop.signal.aborted) return;
  stop.abort();
  server.close();
  void Promise.race([Promise.all(loops), setTimeout(graceMilliseconds)]).finally(() => process.exit(0));
};
process.once("SIGTERM", end).once("SIGINT", end);

function works() {
  let turn = 0;
  // After a long night every host looks unwell until it is probed, and an unwell one is passed over.
  const probed = Promise.withResolvers<void>();
  const slow = (run: () => Promise<unknown>) => () => probed.promise.then(run);
  return [
    { name: "sweep", everyMilliseconds: period, run: () => beat(deps).finally(() => probed.resolve()) },
    { name: "digest", everyMilliseconds: period, run: () => digest(deps) },
    { name: "lap", everyMilliseconds: beatsPerLap * period, run: slow(() => lap(deps)) },
    { name: "round", everyMilliseconds: beatsPerRound * period, run: slow(() => round(deps, turn++)) },
    { name: "logs", everyMilliseconds: period, run: async () => trimLogs(state) },
  ];
}

/** What is at no path of the API, as the router has it in the cloud. */
function site(): Response {
  const page = readFileSync(join(import.meta.dirname, "..", "web", "index.html"));
  return new Response(page, { headers: { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" } });
}

/** Only the host that is ours has volumes made by hand. */
async function volumes(): Promise<void> {
  const text = read(files.host);
  if (text === undefined) return;
  await keepVolumes(state, JSON.parse(text) as HostInfo, stop.signal, (line) => deps.log.warn(line));
}
