import type { OpenAPIHono } from "@hono/zod-openapi";
import * as Access from "#core/access/index.ts";
import { type Env, newDoor } from "../api/door.ts";
import { type Deps, workOf } from "../deps.ts";
import { issueKubeconfig, issueToken } from "./route.ts";

/** What speaks to tenants' clusters, under `/v1/kube`. */
export function access(deps: Deps): OpenAPIHono<Env> {
  const app = newDoor(deps);
  app.openapi(issueToken, async (c) => {
    const work = await workOf(deps, c.var.ctx);
    return c.json(await Access.issue(work, c.req.valid("param").id, c.req.valid("json")), 201);
  });
  app.openapi(issueKubeconfig, async (c) => {
    const work = await workOf(deps, c.var.ctx);
    return c.json(await Access.kubeconfig(work, c.req.valid("param").id, c.req.valid("json")), 201);
  });
  return app;
}
