import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { type AddressInfo, createServer as listen } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ready, tableCommand } from "../../local/table.ts";

/** A port that nothing listens on just now. */
export async function freePort(): Promise<number> {
  const server = listen();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A DynamoDB Local of one's own, its data in a folder that is gone after `stop`. */
export async function startTable(): Promise<{ endpoint: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "berth-table-"));
  const port = await freePort();
  const { command, env } = await tableCommand({ data: join(folder, "data"), port, cache: join(folder, "cache") });
  const [file, ...args] = command;
  const child = spawn(file, args, { stdio: "ignore", env: { PATH: process.env["PATH"], ...env } });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await ready(endpoint);
  } catch (cause) {
    await stop();
    throw cause;
  }
  return { endpoint, stop };
}

/**
 * What becomes of one request. `cut`: the server does it, and its answer is lost. The others are answered instead of
 * sent: a throttle, a 500, a transaction cancelled by a conflict, a batch of which every key was left over.
 */
export type Trouble = "cut" | "throttle" | "broken" | "conflict" | "left" | undefined;

const fault = (name: string, more: object = {}): string =>
  JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: "no", ...more });

/** Status and body of an answer that did not come from the server. */
const answers: Record<Exclude<Trouble, "cut" | undefined>, [number, (body: string) => string]> = {
  throttle: [400, () => fault("ThrottlingException")],
  broken: [500, () => fault("InternalServerError")],
  conflict: [
    400,
    () =>
      fault("TransactionCanceledException", {
        CancellationReasons: [{ Code: "None" }, { Code: "TransactionConflict" }],
      }),
  ],
  left: [200, (body) => JSON.stringify({ Responses: {}, UnprocessedKeys: JSON.parse(body).RequestItems })],
};

/**
 * A proxy in front of a server. `trouble` is asked for each request, with the operation's name, such as `PutItem`;
 * `meanwhile`, when set, runs between a cut answer and its end, so that another may get in between.
 */
export async function startProxy(target: string): Promise<{
  endpoint: string;
  trouble: (operation: string) => Trouble;
  meanwhile: (() => Promise<void>) | undefined;
  seen: string[];
  stop(): Promise<void>;
}> {
  const server = createServer((inbound, outbound) => {
    const operation = String(inbound.headers["x-amz-target"]).split(".")[1] ?? "";
    proxy.seen.push(operation);
    const trouble = proxy.trouble(operation);
    if (trouble !== undefined && trouble !== "cut") {
      const [status, answer] = answers[trouble];
      void text(inbound).then((body) => {
        outbound.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(answer(body));
      });
      return;
    }
    const sent = request(target, { method: inbound.method, path: inbound.url, headers: inbound.headers }, (answer) => {
      if (trouble === "cut") {
        answer
          .resume()
          .once("end", () => void (proxy.meanwhile?.() ?? Promise.resolve()).then(() => outbound.destroy()));
        return;
      }
      outbound.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outbound);
    });
    sent.once("error", () => outbound.destroy());
    inbound.pipe(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    trouble: (() => undefined) as (operation: string) => Trouble,
    meanwhile: undefined as (() => Promise<void>) | undefined,
    seen: [] as string[],
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
