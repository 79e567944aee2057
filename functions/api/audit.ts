import * as Audit from "#core/audit/index.ts";
import { json, newRouter, route } from "./door.ts";
import { PageQuery, pageOf } from "./page.ts";

const View = Audit.View.meta({ id: "AuditEntry", description: "Who did what to what. Values are never in it." });

export const audits = newRouter().openapi(
  route(
    { permission: "audit:read" },
    {
      method: "get",
      path: "/v1/audit",
      operationId: "listAudit",
      tags: ["audit"],
      summary: "List audit entries",
      description: "Every change in the tenant, newest first. For owners.",
      request: { query: PageQuery },
      responses: { 200: json("A page.", pageOf(View, "AuditPage")) },
    },
  ),
  async (c) => c.json(await Audit.list(c.var.ctx, c.req.valid("query")), 200),
);
