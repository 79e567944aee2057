import type { OpenAPIHono } from "@hono/zod-openapi";
import * as Access from "#core/access/index.ts";
import * as Cluster from "#core/cluster/index.ts";
import { newDoor } from "../api/door.ts";
import type { Env } from "../api/env.ts";
import { hosts } from "../api/host.ts";
import { type Deps, workOf } from "../deps.ts";
import { compareRights } from "./compare.ts";
import { projectContents } from "./contents.ts";
import { proxies } from "./proxy.ts";
import { issueKubeconfig, issueToken, readLogs } from "./route.ts";

/** What speaks to Kubernetes: to tenants' clusters under `/v1/kube`, to hosts under `/v1/home/hosts`. */
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
  app.openapi(readLogs, async (c) => {
    const work = await workOf(deps, c.var.ctx);
    const { since, previous, ...query } = c.req.valid("query");
    const input = { ...query, since, previous: previous === "true" };
    return c.text(await Cluster.logs(work, c.req.valid("param").id, input), 200);
  });
  app.openapi(compareRights, async (c) => {
    const work = await workOf(deps, c.var.ctx);
    return c.json(await Access.comparison(work, c.req.valid("param").id, c.req.valid("query")), 200);
  });
  app.route("/", proxies);
  app.route("/", projectContents);
  app.route("/", hosts);
  return app;
}
