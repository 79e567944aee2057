import * as Member from "#core/member/index.ts";
import * as Tenant from "#core/tenant/index.ts";
import { json, newRouter, route } from "./door.ts";
import { PageQuery, pageOf } from "./page.ts";

const View = Member.View.meta({ id: "Member", description: "A person or a robot in the tenant." });
const Me = Tenant.Me.meta({ id: "Me", description: "Who the caller's token speaks for, and how far." });
const tags = ["members"];

export const members = newRouter()
  .openapi(
    route(
      { permission: "member" },
      {
        method: "get",
        path: "/v1/me",
        operationId: "getMe",
        tags,
        summary: "Who am I",
        description: "The tenant, the member, its role and the token's scopes. Every working token may ask.",
        responses: { 200: json("The caller.", Me) },
      },
    ),
    async (c) => c.json(await Tenant.me(c.var.ctx), 200),
  )
  .openapi(
    route(
      { permission: "member:read" },
      {
        method: "get",
        path: "/v1/members",
        operationId: "listMembers",
        tags,
        summary: "List members",
        description: "The members of the tenant, oldest first.",
        request: { query: PageQuery },
        responses: { 200: json("A page.", pageOf(View, "MemberPage")) },
      },
    ),
    async (c) => c.json(await Member.list(c.var.ctx, c.req.valid("query")), 200),
  );
