// The few calls that `local` itself makes to the host: plain HTTPS with the administrator's certificate.
import { Agent, request } from "node:https";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Keys } from "./keys.ts";

export interface Answer {
  status: number;
  body: string;
}

export interface Api {
  /** One request; `body` is sent as JSON. Throws only when no answer came. */
  call(method: string, path: string, body?: object, type?: string): Promise<Answer>;
  /** Reads a watch line by line until the server or `signal` ends it. */
  watch(path: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Opens the API at `https://address:6443`. */
export function open(keys: Pick<Keys, "folder" | "authority">, address: string): Api {
  const agent = new Agent({
    keepAlive: true,
    ca: readFileSync(keys.authority),
    cert: readFileSync(join(keys.folder, "admin.crt")),
    key: readFileSync(join(keys.folder, "admin.key")),
  });
  const base = { host: address, port: 6443, agent };
  return {
    call: (method, path, body, type = "application/json") =>
      new Promise((resolve, reject) => {
        const sent = body === undefined ? undefined : JSON.stringify(body);
        const headers = sent === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(sent) };
        const asked = request({ ...base, method, path, headers, timeout: 10_000 }, (response) => {
          let text = "";
          response
            .setEncoding("utf8")
            .on("data", (part: string) => (text += part))
            .once("error", reject);
          response.once("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
        });
        asked.once("timeout", () => asked.destroy(new Error(`${method} ${path} took more than 10 s`)));
        asked.once("error", reject).end(sent);
      }),
    watch: (path, onLine, signal) =>
      new Promise((resolve, reject) => {
        const asked = request({ ...base, path, signal }, (response) => {
          let rest = "";
          response.setEncoding("utf8").on("data", (part: string) => {
            const lines = (rest + part).split("\n");
            rest = lines.pop() ?? "";
            lines.forEach(onLine);
          });
          response.once("close", resolve).once("error", reject);
        });
        asked.once("error", reject).end();
      }),
    close: () => agent.destroy(),
  };
}

/** Reads an object or list; anything but 200 is an error. */
export async function get<T>(api: Api, path: string): Promise<T> {
  const { status, body } = await api.call("GET", path);
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${body}`);
  return JSON.parse(body) as T;
}

/** Makes an object so, whether or not it was there. */
export async function apply(api: Api, path: string, object: object): Promise<void> {
  const way = `${path}?fieldManager=berth-local&force=true`;
  const { status, body } = await api.call("PATCH", way, object, "application/apply-patch+yaml");
  if (status >= 300) throw new Error(`apply ${path}: ${status} ${body}`);
}
