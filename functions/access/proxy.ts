import type { Handler, MiddlewareHandler } from "hono";
import * as Access from "#core/access/index.ts";
import { Fault } from "#core/error.ts";
import type { ID } from "#core/id.ts";
import { newRouter } from "../api/door.ts";
import type { Env } from "../api/env.ts";
import type { Rates } from "../api/rate.ts";
import { workOf } from "../deps.ts";
import { passes } from "./pass.ts";

/** What follows the prefix is Kubernetes' own, slashes and all. */
const pattern = "/v1/kube/:id{cls_[0-9a-z]+}/:path{.+}";
const origin = /^[a-z]+:\/\/[^/]+/;

/** As it came: what the framework makes of a path, it has decoded, and a server would read it once more. */
function placeIn(url: string): { id: ID<"cluster">; path: string; query: string } {
  const [, id, path, query = ""] =
    /^\/v1\/kube\/(cls_[0-7][0-9a-hjkmnp-tv-z]{25})(\/[^?#]*)(?:\?([^#]*))?/.exec(url.replace(origin, "")) ?? [];
  if (id === undefined || path === undefined) throw new Fault("missing", "There is no such page.");
  return { id: id as ID<"cluster">, path, query };
}

/** So many streams one tenant may have open at this process: each holds a place here for minutes. */
const streamsMax = 50;
// Kept per door, as rates are.
const streams = new WeakMap<Rates, Map<ID<"tenant">, number>>();

/** Counts one more stream of a tenant. @returns what ends it; more than once is harmless. @throws Fault `limit`. */
function opened(rates: Rates, tenant: ID<"tenant">): () => void {
  const open = streams.get(rates) ?? new Map<ID<"tenant">, number>();
  streams.set(rates, open);
  const count = open.get(tenant) ?? 0;
  if (count >= streamsMax) {
    throw new Fault("limit", `${count} streams of this tenant are open here, which is the most.`, {
      retryAfterSeconds: 5,
    });
  }
  open.set(tenant, count + 1);
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    const left = (open.get(tenant) ?? 1) - 1;
    if (left > 0) open.set(tenant, left);
    else open.delete(tenant);
  };
}

/** A stream that ends with whoever reads it. @param ended told once, however it ends. */
function readable(
  pieces: AsyncIterable<Uint8Array>,
  gone: AbortController,
  ended: () => void,
): ReadableStream<Uint8Array> {
  const source = pieces[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      try {
        const piece = (await source.next()) as IteratorResult<Uint8Array, undefined>;
        if (piece.done !== true) return controller.enqueue(piece.value);
        ended();
        controller.close();
      } catch (error) {
        ended();
        throw error;
      }
    },
    // The source may wait for its next piece; that it is wanted no more ends the wait.
    cancel() {
      ended();
      gone.abort();
    },
  });
}

const pass: Handler<Env> = async (c) => {
  const work = await workOf(c.var.deps, c.var.ctx);
  const { id, path, query } = placeIn(c.req.url);
  const { method, raw } = c.req;
  if (method === "HEAD") throw new Fault("invalid", "Kubernetes knows no HEAD: use GET.");
  const gone = new AbortController();
  raw.signal.addEventListener("abort", () => gone.abort(), { once: true });
  const sent = method === "GET" ? new Uint8Array() : new Uint8Array(await c.req.arrayBuffer());
  const { status, headers, body } = await Access.proxy(work, id, {
    method: method as Access.ProxyRequest["method"],
    path,
    query,
    headers: raw.headers,
    body: sent.byteLength === 0 ? undefined : sent,
    signal: gone.signal,
    still: () => c.var.still({ fresh: true }),
  });
  const init = { status, headers: { ...headers, "Content-Security-Policy": "sandbox" } };
  if (!(body instanceof Uint8Array)) {
    try {
      return c.newResponse(readable(body, gone, opened(c.var.rates, c.var.ctx.tenant)), init as never);
    } catch (error) {
      gone.abort();
      throw error;
    }
  }
  // Of some statuses an answer must have no body, not even an empty one.
  return c.newResponse(body.byteLength === 0 ? null : new Uint8Array(body), init as never);
};

/** The way through Berth into clusters: `/v1/kube/{id}/…`. */
export const proxies = newRouter();
for (const { method, middleware } of passes as unknown as { method: string; middleware: MiddlewareHandler<Env> }[]) {
  proxies.on(method.toUpperCase(), pattern, middleware, pass);
}
