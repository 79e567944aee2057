import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Deps } from "../deps.ts";
import { declared as accessRoutes } from "../access/route.ts";
import { audits } from "./audit.ts";
import { clusters } from "./cluster.ts";
import { contexts } from "./context.ts";
import { newDoor } from "./door.ts";
import type { Env } from "./env.ts";
import { grants } from "./grant.ts";
import { groups } from "./group.ts";
import { health } from "./health.ts";
import { letters } from "./letter.ts";
import { members } from "./member.ts";
import { invites } from "./invite.ts";
import { issuers } from "./oidc.ts";
import { parked } from "./parked.ts";
import { moves } from "./move.ts";
import { pokes } from "./poke.ts";
import { projects } from "./project.ts";
import { providers } from "./provider.ts";
import { quotas } from "./quota.ts";
import { rights } from "./rights.ts";
import { teams } from "./team.ts";
import { sessions } from "./session.ts";
import { tenants } from "./tenant.ts";
import { tokens } from "./token.ts";
import { versions } from "./version.ts";

/** All of the API but what speaks to Kubernetes. Its own description is at `/v1/openapi.json`. */
export function api(deps: Deps): OpenAPIHono<Env> {
  const app = newDoor(deps);
  for (const room of [
    health,
    members,
    teams,
    invites,
    tokens,
    sessions,
    providers,
    quotas,
    audits,
    // Before those of grants: "unused" is no grant's id.
    rights,
    groups,
    grants,
    versions,
    projects,
    moves,
    clusters,
    contexts,
    tenants,
    letters,
    parked,
    pokes,
    issuers,
  ])
    app.route("/", room);
  // What the access function serves is described here, with all else.
  for (const each of accessRoutes) app.openAPIRegistry.registerPath(each);
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "berth_…",
    description: "A token of a member, from `POST /v1/tokens`.",
  });
  let document: Promise<ReturnType<typeof describe>> | undefined;
  // The short path is for people and tools that look there first; where only `/v1` is routed here, the long one serves.
  for (const path of ["/v1/openapi.json", "/openapi.json"])
    app.get(path, async (c) => c.json(await (document ??= whole(app)), 200));
  return app;
}

/** With the routes of hosts, which the access function serves, and which are loaded for this alone. */
async function whole(app: OpenAPIHono<Env>): Promise<ReturnType<typeof describe>> {
  const { hosts } = await import("./host.ts");
  for (const each of hosts.openAPIRegistry.definitions)
    if (each.type === "route") app.openAPIRegistry.registerPath(each.route);
  return describe(app);
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
