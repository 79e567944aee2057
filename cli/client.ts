import { setTimeout as sleep } from "node:timers/promises";
import { exitOf, Stop, type FieldLine } from "./fault.ts";
import type { Page } from "./shape.ts";

export interface Asked {
  /** A list is said once for each of its texts. */
  query?: Record<string, string | number | readonly string[] | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  /** For so long a 503 that says when to come again is tried again, though it is no read. */
  patienceMs?: number;
}

export interface Answer<T> {
  status: number;
  value: T;
  etag: string | null;
}

/** The server's answer to one request; every failure is a Stop with the server's own words. */
export interface Client {
  readonly server: string;
  get<T>(path: string, query?: Asked["query"]): Promise<T>;
  call<T>(method: string, path: string, asked?: Asked): Promise<Answer<T>>;
  text(path: string, query?: Asked["query"]): Promise<string>;
  /** A long answer as it comes, in pieces of any size. */
  stream(path: string, query?: Asked["query"]): AsyncIterable<Uint8Array>;
  /** The items of one page, or with `all` of every page from there on. */
  list<T>(path: string, query: Asked["query"], all?: boolean): Promise<Page<T>>;
}

const timeoutMs = 40_000;
const tries = 4;

/**
 * Retries reads only, and only what says that it was not served: a refused connection, or 503 with Retry-After. With
 * patience also other requests, for a 503.
 */
async function send(method: string, url: URL, init: RequestInit, patienceMs = 0): Promise<Response> {
  const begun = performance.now();
  for (let round = 1; ; round++) {
    const last = method !== "GET" || round === tries;
    try {
      // No redirect is ours: following one could carry the token elsewhere.
      const signal = init.signal ?? AbortSignal.timeout(timeoutMs);
      const answer = await fetch(url, { ...init, method, redirect: "manual", signal });
      const seconds = Number(answer.headers.get("retry-after") ?? Number.NaN);
      const waits = performance.now() - begun + Math.max(seconds, 0.2) * 1000 <= patienceMs;
      if ((last && !waits) || answer.status !== 503 || !(seconds >= 0)) return answer;
      await answer.body?.cancel();
      await sleep(Math.min(Math.max(seconds, last ? 0.2 : 0), 10) * 1000);
    } catch (cause) {
      if (last || code(cause) !== "ECONNREFUSED") throw unreachable(url, cause);
      await sleep(150 * 2 ** round);
    }
  }
}

function code(cause: unknown): string | undefined {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return inner instanceof Error ? (inner as NodeJS.ErrnoException).code : undefined;
}

function unreachable(url: URL, cause: unknown): Stop {
  if (cause instanceof Error && cause.name === "TimeoutError") {
    return new Stop("timeout", `${url.origin} did not answer within ${timeoutMs / 1000} s.`, { cause });
  }
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const why = code(cause) ?? (inner instanceof Error ? inner.message : String(inner));
  return new Stop("fault", `${url.origin} cannot be reached (${why}). Is it running?`, { cause });
}

async function failure(answer: Response): Promise<Stop> {
  const text = await answer.text();
  let problem: { title?: string; detail?: string; requestID?: string; errors?: FieldLine[] } = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) problem = parsed;
  } catch {
    // Not one of our own answers: the status has to do.
  }
  const said = problem.detail ?? problem.title ?? `The server answered ${answer.status} ${answer.statusText}.`;
  const request = problem.requestID === undefined || answer.status < 500 ? "" : ` (request ${problem.requestID})`;
  const hint = answer.status === 401 ? " Run berth login." : "";
  const fields = Array.isArray(problem.errors) ? problem.errors : [];
  return new Stop(exitOf(answer.status), `${said}${request}${hint}`, { fields });
}

/** @param token none for what is public. */
export function newClient(server: string, token: string | undefined): Client {
  async function raw(
    method: string,
    path: string,
    asked: Asked,
    accept: string,
    signal?: AbortSignal,
  ): Promise<Response> {
    const url = new URL(server + path);
    for (const [key, value] of Object.entries(asked.query ?? {})) {
      if (value === undefined) continue;
      for (const each of typeof value === "object" ? value : [value]) url.searchParams.append(key, String(each));
    }
    const headers: Record<string, string> = { accept, ...asked.headers };
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    if (asked.body !== undefined) headers["content-type"] = "application/json";
    const body = asked.body === undefined ? {} : { body: JSON.stringify(asked.body) };
    const answer = await send(method, url, { ...body, headers, ...(signal && { signal }) }, asked.patienceMs);
    if (!answer.ok) throw await failure(answer);
    return answer;
  }

  async function call<T>(method: string, path: string, asked: Asked = {}): Promise<Answer<T>> {
    const answer = await raw(method, path, asked, "application/json");
    const text = await answer.text();
    try {
      const value = (text === "" ? undefined : JSON.parse(text)) as T;
      return { status: answer.status, value, etag: answer.headers.get("etag") };
    } catch (cause) {
      throw new Stop("fault", `${server} did not answer with JSON: is it a Berth server?`, { cause });
    }
  }

  const get = async <T>(path: string, query: Asked["query"] = {}): Promise<T> =>
    (await call<T>("GET", path, { query })).value;

  return {
    server,
    get,
    call,
    text: async (path, query = {}) => (await raw("GET", path, { query }, "application/yaml, text/plain")).text(),
    async *stream(path, query = {}) {
      // As a whole it may take its time: only silence ends it.
      const silent = new AbortController();
      const timer = setTimeout(() => silent.abort(new DOMException("no byte came", "TimeoutError")), timeoutMs);
      try {
        const { body } = await raw("GET", path, { query }, "*/*", silent.signal);
        for await (const piece of body ?? []) {
          timer.refresh();
          yield piece;
        }
      } catch (cause) {
        throw cause instanceof Stop ? cause : unreachable(new URL(server), cause);
      } finally {
        clearTimeout(timer);
      }
    },
    async list<T>(path: string, query: Asked["query"], all = false) {
      const page = await get<Page<T>>(path, query);
      const items = [...page.items];
      let next = page.next ?? null;
      while (all && next !== null) {
        const more = await get<Page<T>>(path, { ...query, after: next });
        items.push(...more.items);
        next = more.next ?? null;
      }
      return { items, next };
    },
  };
}
