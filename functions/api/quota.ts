import * as Quota from "#core/quota/index.ts";
import { json, newRouter, route } from "./door.ts";
import { pageOf } from "./page.ts";

const View = Quota.View.meta({
  id: "Quota",
  description: "How much of something the tenant may have, and how much it has; what is not counted has no `used`.",
});

export const quotas = newRouter().openapi(
  route(
    { permission: "quota:read" },
    {
      method: "get",
      path: "/v1/quotas",
      operationId: "listQuotas",
      tags: ["quotas"],
      summary: "List quotas",
      description: "All of them on one page. The platform's staff can change a limit.",
      responses: { 200: json("The quotas.", pageOf(View, "QuotaPage")) },
    },
  ),
  async (c) => c.json({ items: await Quota.list(c.var.ctx), next: null }, 200),
);
