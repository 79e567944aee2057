import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: unknown;
}

export interface Reply {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Sent as it is, in place of `body`. */
  text?: string;
}

/** What answers `GET /v1/me` and the like; the first whose key is `METHOD path` wins, else a 404 like the API's. */
export type Routes = Record<string, (call: Call) => Reply | Promise<Reply>>;

export interface Stub {
  url: string;
  calls: Call[];
  /** A private home for the command: nothing of the machine's user is read or written. */
  home: string;
  run(args: string[], options?: RunOptions): Promise<Ended>;
}

export interface RunOptions {
  env?: Record<string, string>;
  input?: string;
  cwd?: string;
  /** In place of the launcher itself. */
  command?: string;
  signal?: AbortSignal;
}

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

export const launcher = join(import.meta.dirname, "..", "..", "bin", "berth");
export const clusterID = "cls_01k0000000000000000000000a";

/** A URL on this machine where nothing listens. */
export async function nowhere(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** A cluster as the API shows it. */
export const cluster = (more: { name?: string; phase?: string; conditions?: object[]; generation?: number } = {}) => ({
  id: clusterID,
  name: more.name ?? "red",
  createdAt: "2026-01-02T03:04:05.000Z",
  createdBy: "mbr_01k0000000000000000000000b",
  generation: more.generation ?? 1,
  observedGeneration: 1,
  spec: {
    version: "1.34.4",
    region: "local",
    serviceCIDRs: ["10.97.0.0/16"],
    podCIDRs: ["172.31.0.0/16"],
    labels: { team: "blue" },
    deletionProtection: false,
  },
  status: { phase: more.phase ?? "Ready", conditions: more.conditions ?? [condition("Ready", "True")] },
});

export const condition = (type: string, status: "True" | "False", message = "") => ({
  type,
  status,
  reason: status === "True" ? "Done" : "Waiting",
  message,
  at: "2026-01-02T03:04:10.000Z",
  startedAt: "2026-01-02T03:04:05.000Z",
  ...(status === "True" ? { tookSeconds: 5 } : {}),
});

export const problem = (status: number, kind: string, errors: object[] = []): Reply => ({
  status,
  headers: { "content-type": "application/problem+json" },
  body: { type: "about:blank", title: kind, status, detail: `It was ${kind}.`, kind, requestID: "req-1", errors },
});

/** A server that speaks the API's documented shapes, and a command that is signed in to it by its environment. */
export async function stub(routes: Routes): Promise<Stub> {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      const url = new URL(request.url ?? "/", "http://stub");
      const method = request.method ?? "GET";
      const parsed: unknown = body === "" ? undefined : JSON.parse(body);
      const call = { method, path: url.pathname, query: url.searchParams, headers: request.headers, body: parsed };
      calls.push(call);
      const route = routes[`${method} ${url.pathname}`];
      const reply = route === undefined ? problem(404, "missing") : await route(call);
      const text = reply.text ?? (reply.body === undefined ? "" : JSON.stringify(reply.body));
      response.writeHead(reply.status ?? 200, { "content-type": "application/json", ...reply.headers }).end(text);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const home = mkdtempSync(join(tmpdir(), "berth-cli-"));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(home, { recursive: true, force: true });
  });
  const env = {
    PATH: "",
    HOME: home,
    BERTH_STATE: join(home, "state"),
    BERTH_SERVER: url,
    BERTH_TOKEN: "secret-of-test",
  };
  return { url, calls, home, run: (args, options = {}) => run(args, { ...options, env: { ...env, ...options.env } }) };
}

function run(args: string[], { env, input, cwd, command = launcher, signal }: RunOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd: cwd ?? tmpdir(), signal, stdio: "pipe" });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    child.stdin.on("error", () => undefined).end(input ?? "");
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out, err }));
  });
}
