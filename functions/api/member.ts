import * as z from "zod";
import * as Cluster from "#core/cluster/index.ts";
import type { Context } from "#core/context.ts";
import { idOf } from "#core/id.ts";
import * as Member from "#core/member/index.ts";
import * as Tenant from "#core/tenant/index.ts";
import * as Token from "#core/token/index.ts";
import { body, json, newRouter, route } from "./door.ts";
import { etagOf, generationIn, IfMatch, PageQuery, pageOf } from "./page.ts";

const View = Member.View.meta({ id: "Member", description: "A person or a robot in the tenant." });
const Me = Tenant.Me.meta({ id: "Me", description: "Who the caller's token speaks for, and how far." });
const params = z.object({ id: idOf("member") });
const tags = ["members"];

/** Owners have accounts in clusters, so who is one is seen to there as soon as it changes. */
const settled = async (ctx: Context, ...roles: Member.View["role"][]): Promise<void> => {
  if (roles.includes("owner")) await Cluster.stir(ctx);
};

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
        description: "The members of the tenant, oldest first; of filters, those that meet all.",
        request: { query: PageQuery.extend(Member.Filter.shape) },
        responses: { 200: json("A page.", pageOf(View, "MemberPage")) },
      },
    ),
    async (c) => c.json(await Member.list(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "member:write", fresh: true },
      {
        method: "post",
        path: "/v1/members",
        operationId: "createMember",
        tags,
        summary: "Create a member",
        description: "With a role that is not above the caller's own. A robot gets its tokens from an owner.",
        request: { body: body(Member.CreateInput.meta({ id: "MemberCreate" })) },
        responses: {
          201: { ...json("The member.", View), headers: z.object({ Location: z.string(), ETag: z.string() }) },
        },
      },
    ),
    async (c) => {
      const view = await Member.create(c.var.ctx, c.req.valid("json"));
      await settled(c.var.ctx, view.role);
      return c.json(view, 201, { Location: `/v1/members/${view.id}`, ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "member:read" },
      {
        method: "get",
        path: "/v1/members/{id}",
        operationId: "getMember",
        tags,
        summary: "Get a member",
        description: "Its ETag is its generation.",
        request: { params },
        responses: { 200: json("The member.", View) },
      },
    ),
    async (c) => {
      const view = await Member.get(c.var.ctx, c.req.valid("param").id);
      return c.json(view, 200, { ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "member:write", fresh: true },
      {
        method: "patch",
        path: "/v1/members/{id}",
        operationId: "updateMember",
        tags,
        summary: "Change a member",
        description:
          "Name, role or state. The tokens of a suspended member stop within 10 s. The last active owner stays one.",
        request: { params, headers: IfMatch, body: body(Member.UpdateInput.meta({ id: "MemberUpdate" })) },
        responses: { 200: json("The member as it is now.", View) },
      },
    ),
    async (c) => {
      const input = c.req.valid("json");
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      const view = await Member.update(c.var.ctx, c.req.valid("param").id, input, only);
      // Whether it was an owner before is not told, so any change of role or state is seen to.
      if (input.role !== undefined || input.state !== undefined) await settled(c.var.ctx, "owner");
      return c.json(view, 200, { ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "member:write", fresh: true, last: "member:remove" },
      {
        method: "delete",
        path: "/v1/members/{id}",
        operationId: "removeMember",
        tags,
        summary: "Remove a member",
        description:
          "Its tokens are revoked with it and stop within 10 s; an owner's accounts go from the clusters. The last " +
          "active owner can't be removed. What it did stays in the audit.",
        request: { params, headers: IfMatch },
        responses: { 200: json("The member as it was.", View) },
      },
    ),
    async (c) => {
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      // Suspended by then, it is no owner any more. Its row is still there, so whatever ends here is gone on with.
      const ended = async (ctx: Context, id: Member.Member["id"], { role }: Member.View): Promise<void> => {
        await Token.endAll(ctx, id);
        await settled(ctx, role);
      };
      return c.json(await Member.remove(c.var.ctx, c.req.valid("param").id, only, ended), 200);
    },
  );
