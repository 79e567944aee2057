// The doors in this very process over real parts: host, DynamoDB Local and the SQS server, in a state folder of its own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { serve } from "@hono/node-server";
import { type ID, newID } from "#core/id.ts";
import { bootstrap } from "#core/tenant/index.ts";
import { access } from "#functions/access/app.ts";
import { api } from "#functions/api/app.ts";
import { beat } from "#functions/cron/beat.ts";
import type { Deps } from "#functions/deps.ts";
import { doorOf } from "#functions/doors.ts";
import { consume } from "#functions/queue/consume.ts";
import { cache } from "../../local/build.ts";
import { register } from "../../local/enrol.ts";
import { erase, type HostInfo, keepVolumes, up } from "../../local/host/index.ts";
import { start, stop } from "../../local/process.ts";
import { poll } from "../../local/queue.ts";
import { paths, settle } from "../../local/settings.ts";
import { prepare, read, save, type State, state as where } from "../../local/state.ts";
import { openHome } from "../../local/stores.ts";
import { tableCommand } from "../../local/table.ts";

export interface Stack {
  state: State;
  deps: Deps;
  host: HostInfo;
  /** A request as the tenant's owner, straight into the doors. @throws Error for any answer but 2xx. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** A request by any token, and its answer as it is. */
  call(token: string, path: string, init?: { method?: string; body?: string }): Promise<Response>;
  down(): Promise<void>;
}

/** @param tell progress goes to standard error, so that what is printed stays a report. */
export async function newStack(tell: (line: string) => void): Promise<Stack> {
  const state = where(join(mkdtempSync(join(tmpdir(), "berth-bench-")), "s"));
  prepare(state);
  const files = paths(state);
  const known = await settle(state);
  const { command, env } = await tableCommand({ data: files.table, port: known.ports.table, cache: cache() });
  await start(state, { name: "table", command, env });
  const host = await up({ path: state.root }, tell);
  const { opened, queue } = await openHome(state, known);
  // Each line of the log would be timed along with what is measured.
  const deps: Deps = {
    ...opened,
    // What is printed stays a report.
    meter: { count: () => undefined },
    log: {
      info: (text, fields) => (text === "a pass ended" ? tell(`${text} ${JSON.stringify(fields)}`) : undefined),
      warn: (text) => tell(text),
      error: (text) => tell(text),
    },
  };
  const doors = { api: api(deps), access: access(deps) };
  const door = (path: string) => doors[doorOf(path.split("?")[0] ?? "")];
  const running = new AbortController();
  const loops = [
    poll({ queue, handler: (event) => consume(deps, event), signal: running.signal, log: deps.log }),
    keepVolumes(state, host, running.signal, tell),
    probing(),
  ];
  /** The clock's work, so that the host stays known as well. */
  async function probing(): Promise<void> {
    while (!running.signal.aborted) {
      await deps.sleep(60_000, running.signal);
      await beat(deps).catch((error: unknown) => tell(String(error)));
    }
  }
  save(files.staffToken, await bootstrap(deps));
  // Only to register: what is measured does not go over HTTP.
  const server = serve({
    fetch: (request) => door(new URL(request.url).pathname).fetch(request),
    port: known.ports.api,
    hostname: "127.0.0.1",
  });
  await register(`http://127.0.0.1:${known.ports.api}`, files, host);
  server.close();
  const as = (file: string): Stack["ask"] => {
    const token = read(file)?.trim() ?? "";
    return async <T>(method: string, path: string, body?: unknown): Promise<T> => {
      const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
      const answer = await door(path).request(path, {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok)
        throw Object.assign(new Error(`${method} ${path}: ${answer.status} ${text}`), { status: answer.status });
      return (text === "" ? undefined : JSON.parse(text)) as T;
    };
  };
  const ask = as(files.token);
  const { tenant } = await ask<{ tenant: { id: string } }>("GET", "/v1/me");
  // What is measured is how fast, not how many.
  const limits = { clusters: 1_000, requestsPerSecond: 1_000 };
  await as(files.staffToken)("PATCH", `/v1/home/tenants/${tenant.id}`, { limits });
  return {
    state,
    deps,
    host,
    ask,
    call: async (token, path, init = {}) =>
      await door(path).request(path, {
        ...init,
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      }),
    async down() {
      running.abort();
      await Promise.all(loops);
      opened.close();
      await queue.stop();
      await stop(state, "table", 3_000);
      await erase(state.root);
      rmSync(dirname(state.root), { recursive: true });
    },
  };
}

export const newClusterID = (deps: Deps): ID<"cluster"> => newID(deps, "cluster");
