// Home over a real table and a real queue, with every call to them counted at the wire.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { ID } from "#core/id.ts";
import type { Deps } from "#functions/deps.ts";
import { open } from "#functions/wire.ts";
import { startQueue } from "../../local/queue.ts";
import { createTable, localClient, ready } from "../../local/table.ts";
import { startTable } from "../contract/wire.ts";

const homeTenant: ID<"tenant"> = "tnt_01k0000000000000000000h0me";
const writing = /^(Put|Update|Delete|TransactWrite|BatchWrite)/;

export interface Counts {
  /** Requests by operation, such as `Query` or `SendMessage`. */
  requests: Record<string, number>;
  /** Items that queries looked at, whether they gave them or not, and items that reads gave. */
  items: number;
}
export const total = ({ requests }: Counts): number => Object.values(requests).reduce((sum, count) => sum + count, 0);
export const writes = ({ requests }: Counts): number =>
  Object.entries(requests).reduce((sum, [name, count]) => sum + (writing.test(name) ? count : 0), 0);

export interface CountedHome {
  deps: Deps;
  /** What `work` asked of table and queue. */
  count(work: () => Promise<unknown>): Promise<Counts>;
  stop(): Promise<void>;
}

/** @param log where lines go; warnings and errors are worth a look in any bench. */
export async function newCountedHome(log: (line: string) => void): Promise<CountedHome> {
  const folder = await mkdtemp(join(tmpdir(), "berth-counted-"));
  const [table, queue] = [await startTable(), await startQueue({ port: 0 })];
  let counts: Counts = { requests: {}, items: 0 };
  const seen = (operation: string, answer: Buffer): void => {
    counts.requests[operation] = (counts.requests[operation] ?? 0) + 1;
    counts.items += itemsIn(answer);
  };
  const proxies = [await startProxy(table.endpoint, seen), await startProxy(queue.endpoint, seen)];
  const [tableEndpoint = "", queueEndpoint = ""] = proxies.map(({ endpoint }) => endpoint);
  await ready(table.endpoint);
  await createTable(table.endpoint, "berth");
  const { region, credentials } = localClient(tableEndpoint);
  const opened = open({
    homeTenant,
    url: "https://berth.internal",
    region,
    credentials,
    table: { name: "berth", endpoint: tableEndpoint },
    queue: { url: queue.url, deadURL: queue.deadURL, endpoint: queueEndpoint },
    key: { file: join(folder, "key") },
  });
  const quiet = { info: () => undefined, warn: log, error: log };
  return {
    deps: {
      ...opened,
      meter: { count: () => undefined },
      log: {
        info: quiet.info,
        warn: (text, fields) => quiet.warn(`${text} ${JSON.stringify(fields ?? {})}`),
        error: (text, fields) => quiet.error(`${text} ${JSON.stringify(fields ?? {})}`),
      },
    },
    async count(work) {
      counts = { requests: {}, items: 0 };
      await work();
      return counts;
    },
    async stop() {
      opened.close();
      await Promise.all(proxies.map(({ server }) => close(server)));
      await queue.stop();
      await table.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function itemsIn(answer: Buffer): number {
  const read = JSON.parse(answer.length === 0 ? "{}" : answer.toString()) as {
    ScannedCount?: number;
    Item?: object;
    Responses?: Record<string, unknown[]>;
  };
  const batch = Array.isArray(read.Responses) ? [] : Object.values(read.Responses ?? {}).flat();
  return (read.ScannedCount ?? 0) + (read.Item === undefined ? 0 : 1) + batch.length;
}

/** Passes requests on, and tells of each once its answer is there. */
async function startProxy(
  target: string,
  seen: (operation: string, answer: Buffer) => void,
): Promise<{ endpoint: string; server: Server }> {
  const server = createServer((inbound, outbound) => {
    const operation = String(inbound.headers["x-amz-target"]).split(".")[1] ?? "";
    const sent = request(target, { method: inbound.method, path: inbound.url, headers: inbound.headers }, (answer) => {
      void buffer(answer).then((body) => {
        seen(operation, body);
        outbound.writeHead(answer.statusCode ?? 502, answer.headers).end(body);
      });
    });
    sent.once("error", () => outbound.destroy());
    inbound.pipe(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
