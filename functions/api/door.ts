import { createRoute, OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { allow, type Permission } from "#core/allow.ts";
import type { Context } from "#core/context.ts";
import { Fault } from "#core/error.ts";
import * as Token from "#core/token/index.ts";
import { contextOf, type Deps, newRequestID } from "../deps.ts";
import { stackOf } from "../log.ts";
import { faultOf, noSuchPage, Problem, problemOf, tooLarge } from "./problem.ts";

export interface Env {
  Variables: { deps: Deps; requestID: string; ctx: Context };
}

/** Who may call a route: anyone, any member, or members with a permission. */
export interface Access {
  permission: Permission | "member" | "public";
  /** Read the token anew: for routes that issue credentials. */
  fresh?: boolean;
}

const bodyBytesMax = 64 * 1024;

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
  app.use("*", begin(deps));
  app.use("*", bodyLimit({ maxSize: bodyBytesMax, onError: () => Promise.reject(tooLarge()) }));
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
  const declared = {
    ...config,
    ...(open ? {} : { security: [{ bearer: [] }], middleware: identify(access) }),
    responses: { ...config.responses, default: problem },
    "x-permission": access.permission,
  };
  // The additions are about what may go wrong, which handlers throw; so their types stay those of `config`.
  return createRoute(declared) as unknown as ReturnType<typeof createRoute<P, R>>;
}

/** The content of a JSON answer or body, in the form that a declaration takes. */
export const json = <S>(description: string, schema: S) => ({
  description,
  content: { "application/json": { schema } },
});
export const body = <S>(schema: S) => ({ required: true as const, content: { "application/json": { schema } } });

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

function begin(deps: Deps): MiddlewareHandler<Env> {
  return async (c, next) => {
    const requestID = newRequestID(deps);
    c.set("deps", deps);
    c.set("requestID", requestID);
    c.header("X-Request-Id", requestID);
    c.header("Cache-Control", "no-store");
    c.header("X-Content-Type-Options", "nosniff");
    const start = performance.now();
    await next();
    const ms = Math.round((performance.now() - start) * 10) / 10;
    const { method, routePath } = c.req;
    const tenant = (c.get("ctx") as Context | undefined)?.tenant;
    deps.log.info("request", { requestID, method, route: routePath, status: c.res.status, ms, tenant });
  };
}

function identify({ permission, fresh = false }: Access): MiddlewareHandler<Env> {
  return async (c, next) => {
    const deps = c.get("deps");
    const text = /^Bearer (\S+)$/i.exec(c.req.header("Authorization") ?? "")?.[1];
    const actor = await Token.authenticate(deps, text ?? "", { fresh });
    const ctx = contextOf(deps, actor, c.get("requestID"));
    if (permission !== "member" && permission !== "public") allow(ctx, permission);
    c.set("ctx", ctx);
    await next();
  };
}
