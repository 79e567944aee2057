import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { declared as accessRoutes } from "../access/route.ts";
import { audits } from "./audit.ts";
import { clusters } from "./cluster.ts";
import { type Env, json, newDoor, newRouter, route } from "./door.ts";
import { hosts } from "./host.ts";
import { members } from "./member.ts";
import { tenants } from "./tenant.ts";
import { tokens } from "./token.ts";
import { versions } from "./version.ts";

const health = newRouter().openapi(
  route(
    { permission: "public" },
    {
      method: "get",
      path: "/v1/health",
      operationId: "getHealth",
      tags: ["health"],
      summary: "Is the API there",
      description: "Needs no token and asks no store.",
      responses: { 200: json("It is.", z.object({ status: z.literal("ok") })) },
    },
  ),
  (c) => c.json({ status: "ok" as const }, 200),
);

/** All of the API but what speaks to clusters. Its own description is at `/v1/openapi.json`. */
export function api(deps: Deps): OpenAPIHono<Env> {
  const app = newDoor(deps);
  for (const room of [health, members, tokens, audits, versions, clusters, tenants, hosts]) app.route("/", room);
  for (const each of accessRoutes) app.openAPIRegistry.registerPath(each);
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "berth_…",
    description: "A token of a member, from `POST /v1/tokens`.",
  });
  let document: ReturnType<typeof describe> | undefined;
  // The short path is for people and tools that look there first; where only `/v1` is routed here, the long one serves.
  for (const path of ["/v1/openapi.json", "/openapi.json"])
    app.get(path, (c) => c.json((document ??= describe(app)), 200));
  return app;
}

const describe = (app: OpenAPIHono<Env>) =>
  app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Berth",
      version: "v1",
      description:
        "Kubernetes clusters as a service. Times are ISO 8601 UTC. Lists answer `{items, next}`. Every failure is a " +
        "problem (RFC 9457). `x-permission` says what a route asks of the caller.",
    },
    servers: [{ url: "/" }],
  });
