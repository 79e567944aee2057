import * as z from "zod";
import { idOf } from "#core/id.ts";
import * as Tenant from "#core/tenant/index.ts";
import { body, json, newRouter, route } from "./door.ts";
import { PageQuery, pageOf } from "./page.ts";

const View = Tenant.View.meta({ id: "Tenant", description: "A customer organisation." });
const Created = Tenant.Created.meta({
  id: "TenantCreated",
  description: "A new tenant. `token` is its first owner's, where one was asked for, and is shown only here.",
});
const Whole = Tenant.Whole.meta({
  id: "TenantWhole",
  description: "A tenant with its quotas. `counted` differs from `used` only when something is wrong with a counter.",
});
const params = z.object({ id: idOf("tenant") });
const tags = ["home"];

/** For the platform's own staff; to everyone else these routes are not there. */
export const tenants = newRouter()
  .openapi(
    route(
      { permission: "home:read" },
      {
        method: "get",
        path: "/v1/home/tenants",
        operationId: "listTenants",
        tags,
        summary: "List tenants",
        description: "Every tenant, by name. For the platform's staff.",
        request: { query: PageQuery },
        responses: { 200: json("A page.", pageOf(View, "TenantPage")) },
      },
    ),
    async (c) => c.json(await Tenant.list(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "home:write", fresh: true, secret: true },
      {
        method: "post",
        path: "/v1/home/tenants",
        operationId: "createTenant",
        tags,
        summary: "Create a tenant",
        description:
          "With its first owner, and that owner's token where `withToken` says so. For the platform's staff.",
        request: { body: body(Tenant.CreateInput.meta({ id: "TenantCreate" })) },
        responses: { 201: json("The tenant.", Created) },
      },
    ),
    async (c) => c.json(await Tenant.create(c.var.ctx, c.req.valid("json")), 201),
  )
  .openapi(
    route(
      { permission: "home:read" },
      {
        method: "get",
        path: "/v1/home/tenants/{id}",
        operationId: "getTenant",
        tags,
        summary: "Get a tenant",
        description: "With its limits, what it uses, and what a count of its rows comes to. For the platform's staff.",
        request: { params },
        responses: { 200: json("The tenant.", Whole) },
      },
    ),
    async (c) => c.json(await Tenant.get(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route(
      { permission: "home:write" },
      {
        method: "patch",
        path: "/v1/home/tenants/{id}",
        operationId: "updateTenant",
        tags,
        summary: "Change a tenant's state, title or limits",
        description:
          "A suspended tenant's tokens stop within 10 s; its clusters go on. A limit below what is used takes nothing " +
          "away: new work is refused. For the platform's staff.",
        request: {
          params,
          body: body(Tenant.UpdateInput.meta({ id: "TenantUpdate" })),
        },
        responses: { 200: json("The tenant.", Whole) },
      },
    ),
    async (c) => c.json(await Tenant.update(c.var.ctx, c.req.valid("param").id, c.req.valid("json")), 200),
  );
