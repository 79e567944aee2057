// Home in one process: the doors over HTTP, the queue with its poller, and the clock. `local/main.ts` starts it.
import { setTimeout } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { bootstrap } from "#core/tenant/index.ts";
import { access } from "#functions/access/app.ts";
import { api } from "#functions/api/app.ts";
import { beat } from "#functions/cron/beat.ts";
import { round } from "#functions/cron/round.ts";
import { consume } from "#functions/queue/consume.ts";
import { type HostInfo, keepVolumes } from "./host/index.ts";
import { trimLogs } from "./process.ts";
import { poll } from "./queue.ts";
import { apiURL, home, paths } from "./settings.ts";
import { read, save, state as where } from "./state.ts";
import { openHome } from "./stores.ts";

/** How often the clock's functions run; a minute in the cloud, and less where a test is in a hurry. */
const period = Number(process.env["BERTH_CLOCK_SECONDS"] ?? "60") * 1000;
const beatsPerLap = 10;
/** What runs when we are told to end gets so long. Whatever it leaves, the next process finds. */
const graceMilliseconds = 2_000;

const state = where();
const files = paths(state);
const known = home(state);
const { opened: deps, queue } = await openHome(state, known);
save(files.staffToken, `${await bootstrap({ ...deps }, read(files.staffToken)?.trim())}\n`);

const doors = { api: api(deps), access: access(deps) };
const server = serve({
  hostname: "127.0.0.1",
  port: known.ports.api,
  fetch: (request) => (new URL(request.url).pathname.startsWith("/v1/kube/") ? doors.access : doors.api).fetch(request),
});
const stop = new AbortController();
const loops = [
  poll({ queue, handler: (event) => consume(deps, event), signal: stop.signal, log: deps.log }),
  clock(),
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

async function clock(): Promise<void> {
  for (let count = 0; !stop.signal.aborted; count++) {
    const failed = (error: unknown): void => deps.log.error("the clock's work failed", { why: String(error) });
    await beat(deps).catch(failed);
    if (count % beatsPerLap === 0) await round(deps).catch(failed);
    trimLogs(state);
    await deps.sleep(period, stop.signal);
  }
}

/** Only the host that is ours has volumes made by hand. */
async function volumes(): Promise<void> {
  const text = read(files.host);
  if (text === undefined) return;
  await keepVolumes(state, JSON.parse(text) as HostInfo, stop.signal, (line) => deps.log.warn(line));
}
