import * as z from "zod";
import { idOf } from "#core/id.ts";
import * as Token from "#core/token/index.ts";
import { body, json, newRouter, route } from "./door.ts";
import { PageQuery, pageOf } from "./page.ts";
import { Confirmation, tell } from "./tell.ts";

const View = Token.View.meta({ id: "Token", description: "An API key or a session of a member, without its secret." });
const Created = Token.Created.meta({ id: "TokenCreated", description: "A new token. `token` is shown only here." });
const Ended = Token.View.extend({ confirmation: Confirmation }).meta({
  id: "TokenEnded",
  description: "A token that was ended, and which of the clusters that it entered hold that by now.",
});
const params = z.object({ id: idOf("token") });
const tags = ["tokens"];

export const tokens = newRouter()
  .openapi(
    route(
      { permission: "token:read" },
      {
        method: "get",
        path: "/v1/tokens",
        operationId: "listTokens",
        tags,
        summary: "List tokens",
        description:
          "The caller's own; an owner's list has every member's. Those that ended stay in it for 90 days. Of filters, " +
          "those that meet all.",
        request: { query: PageQuery.extend(Token.Filter.shape) },
        responses: { 200: json("A page.", pageOf(View, "TokenPage")) },
      },
    ),
    async (c) => c.json(await Token.list(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "token:write", fresh: true, secret: true },
      {
        method: "post",
        path: "/v1/tokens",
        operationId: "createToken",
        tags,
        summary: "Create a token",
        description:
          "For the caller itself, or, with `member`, by an owner for a robot; with the caller's own rights at most. " +
          "With `clusters` or `projects` it may do nothing but with these. The secret is in this answer and nowhere else.",
        request: { body: body(Token.CreateInput.meta({ id: "TokenCreate" })) },
        responses: {
          201: { ...json("The token, with its secret.", Created), headers: z.object({ Location: z.string() }) },
        },
      },
    ),
    async (c) => {
      const created = await Token.create(c.var.ctx, c.req.valid("json"));
      return c.json(created, 201, { Location: `/v1/tokens/${created.id}` });
    },
  )
  .openapi(
    route(
      { permission: "token:read" },
      {
        method: "get",
        path: "/v1/tokens/{id}",
        operationId: "getToken",
        tags,
        summary: "Get a token",
        description: "One of the caller's own; an owner sees any. Never its secret.",
        request: { params },
        responses: { 200: json("The token.", View) },
      },
    ),
    async (c) => c.json(await Token.get(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route(
      { permission: "token:write", fresh: true, secret: true },
      {
        method: "post",
        path: "/v1/tokens/{id}/rotate",
        operationId: "rotateToken",
        tags,
        summary: "Rotate a token",
        description:
          "A new secret under a new id, with the same name, scopes, bounds and length of life. The old one works for " +
          "`overlapSeconds` more and then expires; with 0 it ends at once, and the new one takes its place in the quota.",
        request: { params, body: body(Token.RotateInput.meta({ id: "TokenRotate" })) },
        responses: {
          201: { ...json("The new token, with its secret.", Created), headers: z.object({ Location: z.string() }) },
        },
      },
    ),
    async (c) => {
      const created = await Token.rotate(c.var.ctx, c.req.valid("param").id, c.req.valid("json"));
      await tell(c);
      return c.json(created, 201, { Location: `/v1/tokens/${created.id}` });
    },
  )
  .openapi(
    route(
      { permission: "token:write" },
      {
        method: "delete",
        path: "/v1/tokens/{id}",
        operationId: "revokeToken",
        tags,
        summary: "Revoke a token",
        description:
          "One of the caller's own, a key or a session; an owner may revoke any. It ends everywhere within 10 s, and " +
          "the clusters that it got credentials of are told.",
        request: { params },
        responses: { 200: json("The token, revoked.", Ended) },
      },
    ),
    async (c) => {
      const view = await Token.revoke(c.var.ctx, c.req.valid("param").id);
      return c.json({ ...view, confirmation: await tell(c, { seconds: 5 }) }, 200);
    },
  );
