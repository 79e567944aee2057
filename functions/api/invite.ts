import * as z from "zod";
import * as Grant from "#core/grant/index.ts";
import { idOf } from "#core/id.ts";
import * as Invite from "#core/invite/index.ts";
import { contextOf, system } from "../deps.ts";
import { body, json, knock, newRouter, route } from "./door.ts";
import { PageQuery, pageOf } from "./page.ts";
import { tell } from "./tell.ts";

const View = Invite.View.meta({ id: "Invite", description: "An invite of one person, without its link." });
const Created = Invite.Created.meta({ id: "InviteCreated", description: "A new invite. `link` is shown only here." });
const Accepted = Invite.Accepted.meta({
  id: "InviteAccepted",
  description: "Who came in, with a session. `token` is shown only here.",
});
const params = z.object({ id: idOf("invite") });
const tags = ["members"];

/** What an invite's text says of where it is kept: without the secret, and the same for every guess at one invite. */
const placeOf = (link: string): string => link.trim().slice(-101, -39);

export const invites = newRouter()
  .openapi(
    route(
      { permission: "invite:read" },
      {
        method: "get",
        path: "/v1/invites",
        operationId: "listInvites",
        tags,
        summary: "List invites",
        description: "The invites of the tenant, oldest first, without their links. Those that ended stay for 90 days.",
        request: { query: PageQuery.extend(Invite.Filter.shape) },
        responses: { 200: json("A page.", pageOf(View, "InvitePage")) },
      },
    ),
    async (c) => c.json(await Invite.list(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "invite:write", fresh: true, secret: true },
      {
        method: "post",
        path: "/v1/invites",
        operationId: "createInvite",
        tags,
        summary: "Invite a person",
        description:
          "With a role that is not above the caller's own, and, in the moment of accepting, teams and grants that the " +
          "caller may give. The link is in this answer and nowhere else; it works once, and as long as who made it is " +
          "an active owner.",
        request: { body: body(Invite.CreateInput.meta({ id: "InviteCreate" })) },
        responses: {
          201: { ...json("The invite, with its link.", Created), headers: z.object({ Location: z.string() }) },
        },
      },
    ),
    async (c) => {
      const created = await Invite.create(c.var.ctx, c.req.valid("json"), Grant.givable);
      return c.json(created, 201, { Location: `/v1/invites/${created.id}` });
    },
  )
  .openapi(
    route(
      { permission: "public", secret: true },
      {
        method: "post",
        path: "/v1/invites/accept",
        operationId: "acceptInvite",
        tags,
        summary: "Accept an invite",
        description:
          "Makes the member that the invite is for, and answers a session of it. Whoever has the link may ask; every " +
          "invite that does not work, for whatever reason, gets one and the same answer.",
        request: { body: body(Invite.AcceptInput.meta({ id: "InviteAccept" })) },
        responses: { 201: json("The new member, with its session.", Accepted) },
      },
    ),
    async (c) => {
      const input = c.req.valid("json");
      const { deps, requestID } = c.var;
      const knocking = { ...deps, requestID };
      const accepted = await knock(c, `invite/${placeOf(input.invite)}`, () =>
        Invite.accept(knocking, input, Grant.giving),
      );
      await tell({ var: { deps, ctx: contextOf(deps, system(accepted.tenant.id), requestID) } });
      return c.json(accepted, 201);
    },
  )
  .openapi(
    route(
      { permission: "invite:read" },
      {
        method: "get",
        path: "/v1/invites/{id}",
        operationId: "getInvite",
        tags,
        summary: "Get an invite",
        description: "What it gives, and what became of it. Never its link.",
        request: { params },
        responses: { 200: json("The invite.", View) },
      },
    ),
    async (c) => c.json(await Invite.get(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route(
      { permission: "invite:write" },
      {
        method: "delete",
        path: "/v1/invites/{id}",
        operationId: "revokeInvite",
        tags,
        summary: "Revoke an invite",
        description: "Its link works no more. One that was accepted or has expired stays as it is.",
        request: { params },
        responses: { 200: json("The invite.", View) },
      },
    ),
    async (c) => c.json(await Invite.revoke(c.var.ctx, c.req.valid("param").id), 200),
  );
