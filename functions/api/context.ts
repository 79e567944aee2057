import * as Access from "#core/access/index.ts";
import { json, newRouter, route } from "./door.ts";
import { PageQuery, pageOf } from "./page.ts";

const View = Access.Place.meta({ id: "ClusterContext", description: "A cluster that the caller has a right in." });

/** What a kubeconfig of all of one's clusters is made of. It holds no secret. */
export const contexts = newRouter().openapi(
  route(
    { permission: "cluster:access" },
    {
      method: "get",
      path: "/v1/me/contexts",
      operationId: "listContexts",
      tags: ["access"],
      summary: "List the clusters and projects that one has a right in",
      description:
        "Where each of them answers, and by which permission groups one comes in, as granted; oldest first. Clusters " +
        "that are being made or removed are not among them. None for a token that is bound to projects.",
      request: { query: PageQuery },
      responses: { 200: json("A page.", pageOf(View, "ClusterContextPage")) },
    },
  ),
  async (c) => c.json(await Access.contexts(c.var.ctx, c.req.valid("query")), 200),
);
