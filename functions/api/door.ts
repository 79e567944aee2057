import { createRoute, OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import type { MiddlewareHandler, Context as Asked } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import * as z from "zod";
import { allow, type Permission } from "#core/allow.ts";
import type { Actor, Context } from "#core/context.ts";
import { Fault } from "#core/error.ts";
import { type ID, nounOf } from "#core/id.ts";
import * as Token from "#core/token/index.ts";
import { contextOf, type Deps, newRequestID } from "../deps.ts";
import { stackOf } from "../log.ts";
import type { Env } from "./env.ts";
import { etagOf } from "./page.ts";
import { header, once, type Repeatable } from "./once.ts";
import { faultOf, noSuchPage, Problem, problemOf, tooLarge } from "./problem.ts";
import { newRates, type Rates, sourceOf } from "./rate.ts";

/** Who may call a route: anyone, any member, or members with a permission. */
export interface Access {
  permission: Permission | "member" | "public";
  /** Read the token anew: for routes that issue credentials. */
  fresh?: boolean;
  /** Its answer holds what is shown once: it is never kept for repeats. */
  secret?: boolean;
  /** Of what takes several writes, the verb of the last one's audit entry: with that one an idempotency key is kept. */
  last?: string;
}

const bodyBytesMax = 64 * 1024;
const passedBytesMax = 3 * 1024 * 1024;

/** A router whose validation failures are faults. Every router of ours comes from here. */
export const newRouter = (): OpenAPIHono<Env> =>
  new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (!result.success) throw faultOf(result.error);
    },
  });

/** The whole door: what holds for every request and every answer, whatever the route. */
export function newDoor(deps: Deps): OpenAPIHono<Env> {
  const app = newRouter();
  const rates = newRates();
  app.use(
    "*",
    begin(deps, rates, (path, init, env) => Promise.resolve(app.request(path, init, env))),
  );
  app.use("*", bounded);
  app.use("*", emptyBody);
  app.notFound(() => {
    throw noSuchPage();
  });
  app.onError((error, c) => {
    const requestID = c.get("requestID");
    const problem = problemOf(error, requestID);
    if (problem.kind === "internal") {
      deps.log.error("a request failed", { requestID, route: c.req.routePath, stack: stackOf(error) });
    }
    if (problem.kind === "unauthenticated") c.header("WWW-Authenticate", "Bearer");
    if (error instanceof Fault && error.retryAfterSeconds !== undefined) {
      c.header("Retry-After", String(error.retryAfterSeconds));
    }
    if (error instanceof Fault && error.generation !== undefined) c.header("ETag", etagOf(error.generation));
    return c.json(problem, problem.status as ContentfulStatusCode, { "Content-Type": "application/problem+json" });
  });
  return app;
}

/**
 * Declares a route: its caller is known and allowed before anything it sent is looked at. The permission stands in the
 * OpenAPI document as `x-permission`, from which a test walks every route as everyone who must not get in.
 */
export function route<P extends string, R extends Omit<RouteConfig, "path"> & { path: P }>(access: Access, config: R) {
  const open = access.permission === "public";
  const problem = { description: "A problem", content: { "application/problem+json": { schema: Problem } } };
  const { operationId = "", path, method } = config;
  const success = Object.keys(config.responses).find((status) => status.startsWith("2"));
  const repeatable = {
    operationId,
    path,
    status: Number(success ?? 200),
    secret: access.secret ?? false,
    last: access.last,
  };
  const declared = {
    ...config,
    ...(open ? {} : { security: [{ bearer: [] }], middleware: identify(access, repeatable) }),
    // What a route does not know it does not pass over in silence: a misspelt filter would answer with everything.
    request: { ...config.request, query: config.request?.query ?? z.strictObject({}) },
    ...(open || method === "get" ? {} : { parameters: [onceHeader] }),
    responses: { ...config.responses, default: problem },
    "x-permission": access.permission,
    ...(access.secret === true && { "x-secret": true }),
  };
  // The additions are about what may go wrong, which handlers throw; so their types stay those of `config`.
  return createRoute(declared) as unknown as ReturnType<typeof createRoute<P, R>>;
}

const onceHeader = {
  in: "header" as const,
  name: header,
  required: false,
  schema: { type: "string" as const, minLength: 1, maxLength: 255 },
  description: "A text of the caller's own: a repeat with the same one within 24 h changes nothing more.",
};

/** The content of a JSON answer or body, in the form that a declaration takes. */
export const json = <S>(description: string, schema: S) => ({
  description,
  content: { "application/json": { schema } },
});
export const body = <S>(schema: S) => ({ required: true as const, content: { "application/json": { schema } } });

const limited = bodyLimit({ maxSize: bodyBytesMax, onError: () => Promise.reject(tooLarge()) });
/** What goes on into a cluster may be as large as that takes; its store takes 1.5 MB, in whatever form it came. */
const passed = bodyLimit({
  maxSize: passedBytesMax,
  onError: () => Promise.reject(new Fault("large", "The body may have 3 MB at most.")),
});
/** No route reads the body of a GET; to look for one makes a whole request of what is but a path and headers. */
const bounded: MiddlewareHandler<Env> = (c, next) =>
  c.req.method === "GET" || c.req.method === "HEAD"
    ? next()
    : (c.req.path.startsWith("/v1/kube/cls_") ? passed : limited)(c, next);

/** Many clients name the type of a body that they don't send; without a body there is nothing to parse. */
const emptyBody: MiddlewareHandler<Env> = async (c, next) => {
  if (
    c.req.method === "DELETE" &&
    c.req.header("content-type") !== undefined &&
    (await c.req.raw.clone().text()) === ""
  ) {
    const headers = new Headers(c.req.raw.headers);
    headers.delete("content-type");
    c.req.raw = new Request(c.req.raw.url, { method: "DELETE", headers });
  }
  await next();
};

function begin(
  deps: Deps,
  rates: Rates,
  request: (path: string, init: RequestInit, env: unknown) => Promise<Response>,
): MiddlewareHandler<Env> {
  return async (c, next) => {
    const requestID = newRequestID(deps);
    c.set("deps", deps);
    c.set("rates", rates);
    c.set("again", (path, init) => request(path, init, c.env));
    c.set("requestID", requestID);
    c.header("X-Request-Id", requestID);
    c.header("Cache-Control", "no-store");
    c.header("X-Content-Type-Options", "nosniff");
    const start = performance.now();
    await next();
    const ms = Math.round((performance.now() - start) * 10) / 10;
    const { method, routePath } = c.req;
    const tenant = (c.get("ctx") as Context | undefined)?.tenant;
    const named = c.get("named");
    deps.log.info("request", { requestID, method, route: routePath, status: c.res.status, ms, tenant, ...named });
  };
}

/** The cluster that a path names, for each log line of its request. */
function clusterOf(c: { req: { param(name: string): string | undefined } }): { cluster?: ID } {
  const id = c.req.param("id");
  return id !== undefined && nounOf(id) === "cluster" ? { cluster: id as ID } : {};
}

function identify({ permission, fresh = false }: Access, route: Repeatable): MiddlewareHandler<Env> {
  return async (c, next) => {
    const { deps, requestID } = c.var;
    // Before anybody may be refused: the line of a request that was refused names its cluster too.
    const named = clusterOf(c);
    c.set("named", named);
    const text = /^Bearer (\S+)$/i.exec(c.req.header("Authorization") ?? "")?.[1] ?? "";
    const actor = await (deps.limits === false ? Token.authenticate(deps, text, { fresh }) : counted(c, text, fresh));
    const ctx = contextOf(deps, actor, requestID, named);
    // What it is about, the verb knows; a token that is bound is asked there.
    if (permission !== "member" && permission !== "public") allow(ctx, permission, "some");
    c.set("ctx", ctx);
    c.set("still", async (options) => {
      const now = contextOf(deps, await Token.authenticate(deps, text, options), requestID);
      if (permission !== "member" && permission !== "public") allow(now, permission, "some");
    });
    return await once(c, next, route);
  };
}

/** A stranger asks for what is open, and costs us reads. @throws Fault `limit` when one source does so too often. */
export function look(c: Asked<Env>): void {
  const { deps, rates } = c.var;
  if (deps.limits === false) return;
  rates.look(sourceOf(c.env, c.req.header("CloudFront-Viewer-Address")), Date.parse(deps.now()));
}

/**
 * What a stranger tries to prove, and whether it was refused too often: counted by where it comes from, and by what it
 * tries to open, as one who guesses may come from many places.
 */
export async function knock<T>(c: Asked<Env>, at: string, work: () => Promise<T>): Promise<T> {
  const { deps, rates } = c.var;
  if (deps.limits === false) return await work();
  const source = sourceOf(c.env, c.req.header("CloudFront-Viewer-Address"));
  const now = Date.parse(deps.now());
  rates.meet(source, "", now);
  rates.meetAt(at, now);
  try {
    return await work();
  } catch (error) {
    if (error instanceof Fault && ["unauthenticated", "forbidden"].includes(error.kind)) {
      rates.fail(source, "", now);
      rates.failAt(at, now);
    }
    throw error;
  }
}

/** Who asks, and whether they ask too often. */
async function counted(c: Asked<Env>, text: string, fresh: boolean): Promise<Actor> {
  const { deps, rates } = c.var;
  const source = sourceOf(c.env, c.req.header("CloudFront-Viewer-Address"));
  const now = Date.parse(deps.now());
  rates.meet(source, text, now);
  try {
    const actor = await Token.authenticate(deps, text, { fresh });
    rates.prove(text, now);
    const { limit, remaining, fault } = rates.take(actor, now);
    c.header("RateLimit-Limit", String(limit));
    c.header("RateLimit-Remaining", String(remaining));
    if (fault !== undefined) throw fault;
    return actor;
  } catch (error) {
    if (error instanceof Fault && error.kind === "unauthenticated") rates.fail(source, text, now);
    throw error;
  }
}
