import * as z from "zod";
import type { Context } from "#core/context.ts";
import * as Grant from "#core/grant/index.ts";
import { idOf } from "#core/id.ts";
import * as Member from "#core/member/index.ts";
import * as Team from "#core/team/index.ts";
import * as Tenant from "#core/tenant/index.ts";
import * as Token from "#core/token/index.ts";
import { body, json, newRouter, route } from "./door.ts";
import { etagOf, generationIn, IfMatch, PageQuery, pageOf } from "./page.ts";
import { Confirmation, tell } from "./tell.ts";

const View = Member.View.meta({ id: "Member", description: "A person or a robot in the tenant." });
const Me = Tenant.Me.meta({ id: "Me", description: "Who the caller's token speaks for, and how far." });
const Told = View.extend({ confirmation: Confirmation }).meta({
  id: "MemberTold",
  description: "A member, and which clusters hold the change by now.",
});
const params = z.object({ id: idOf("member") });
const tags = ["members"];
/** How long an answer waits for clusters to have taken rights away. */
const seconds = 5;

/** What hangs on a member. Suspended by then, it has no right any more; its row is still there, so a repeat goes on. */
async function ended(ctx: Context, id: Member.Member["id"]): Promise<void> {
  await Token.endAll(ctx, id);
  await Grant.endSubject(ctx, id);
  await Team.drop(ctx, id);
}

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
      await tell(c);
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
          "Name, role or state. The tokens of a suspended member stop within 10 s, and its accounts go from the " +
          "clusters: `confirmation` says from which by now. The last active owner stays one.",
        request: { params, headers: IfMatch, body: body(Member.UpdateInput.meta({ id: "MemberUpdate" })) },
        responses: { 200: json("The member as it is now.", Told) },
      },
    ),
    async (c) => {
      const input = c.req.valid("json");
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      const view = await Member.update(c.var.ctx, c.req.valid("param").id, input, only);
      const takes = input.role !== undefined || input.state === "suspended";
      const confirmation = await tell(c, { seconds: takes ? seconds : 0 });
      return c.json({ ...view, confirmation }, 200, { ETag: etagOf(view.generation) });
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
          "Its tokens, sessions, grants and places in teams end with it; its accounts go from the clusters, and " +
          "`confirmation` says from which by now. The last active owner can't be removed. What it did stays in the audit.",
        request: { params, headers: IfMatch },
        responses: { 200: json("The member as it was.", Told) },
      },
    ),
    async (c) => {
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      const view = await Member.remove(c.var.ctx, c.req.valid("param").id, only, ended);
      return c.json({ ...view, confirmation: await tell(c, { seconds }) }, 200);
    },
  )
  .openapi(
    route(
      { permission: "member:write", fresh: true },
      {
        method: "post",
        path: "/v1/members/{id}/transfer",
        operationId: "transferOwnership",
        tags,
        summary: "Hand your ownership over",
        description:
          "The member gets the caller's own role, and the caller the one in the body, both at once: there is an owner " +
          "at every moment.",
        request: { params, body: body(Member.TransferInput.meta({ id: "OwnershipTransfer" })) },
        responses: { 200: json("The member who is the owner now.", Told) },
      },
    ),
    async (c) => {
      const view = await Member.transfer(c.var.ctx, c.req.valid("param").id, c.req.valid("json"));
      const confirmation = await tell(c, { seconds });
      return c.json({ ...view, confirmation }, 200, { ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "member", fresh: true, last: "member:remove" },
      {
        method: "delete",
        path: "/v1/me",
        operationId: "leaveTenant",
        tags,
        summary: "Leave the tenant",
        description:
          "The caller removes itself, with all that it has here. Not the last active owner, and not with a token that " +
          "may do less than its member.",
        responses: { 200: json("The member as it was.", Told) },
      },
    ),
    async (c) => {
      const view = await Member.leave(c.var.ctx, ended);
      return c.json({ ...view, confirmation: await tell(c, { seconds }) }, 200);
    },
  );
