import * as z from "zod";
import * as Grant from "#core/grant/index.ts";
import { idOf } from "#core/id.ts";
import { body, json, newRouter, route } from "./door.ts";
import { etagOf, generationIn, IfMatch, PageQuery, pageOf } from "./page.ts";
import { Confirmation, tell } from "./tell.ts";

const View = Grant.View.meta({ id: "Grant", description: "A permission group, given to somebody, somewhere." });
const Told = View.extend({ confirmation: Confirmation }).meta({
  id: "GrantTold",
  description: "A grant, and which clusters hold the change by now.",
});
const params = z.object({ id: idOf("grant") });
const tags = ["groups"];
/** How long an answer waits for clusters to have taken rights away. */
const seconds = 5;

const may =
  "An owner may, and who holds `admin` or `owner` there or in the tenant and all that the group may do there: else 403, " +
  "naming the rule.";
const born = z.object({ Location: z.string(), ETag: z.string() });

export const grants = newRouter()
  .openapi(
    route(
      { permission: "grant:read" },
      {
        method: "get",
        path: "/v1/grants",
        operationId: "listGrants",
        tags,
        summary: "List grants",
        description:
          "Grants and requests of the tenant that meet all of the filters, oldest first. A member's are those of its " +
          "teams too. What owners hold by their role is no grant.",
        request: { query: PageQuery.extend(Grant.Filter.shape) },
        responses: { 200: json("A page.", pageOf(View, "GrantPage")) },
      },
    ),
    async (c) => c.json(await Grant.list(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "grant:write", fresh: true, last: "grant:create" },
      {
        method: "post",
        path: "/v1/grants",
        operationId: "createGrant",
        tags,
        summary: "Give a permission group",
        description:
          "To a member or a team; in the whole tenant, on a cluster or in a project; for good, or for `expiresInDays`. " +
          "On a cluster or the tenant it holds in the namespaces of all projects there. " +
          may,
        request: { body: body(Grant.CreateInput.meta({ id: "GrantCreate" })) },
        responses: { 201: { ...json("The grant.", Told), headers: born } },
      },
    ),
    async (c) => {
      const view = await Grant.create(c.var.ctx, c.req.valid("json"));
      const headers = { Location: `/v1/grants/${view.id}`, ETag: etagOf(view.generation) };
      return c.json({ ...view, confirmation: await tell(c, { seconds, gives: true }) }, 201, headers);
    },
  )
  .openapi(
    route(
      { permission: "grant:request", fresh: true, last: "grant:request" },
      {
        method: "post",
        path: "/v1/grants/requests",
        operationId: "requestGrant",
        tags,
        summary: "Ask for a permission group",
        description: "For oneself. It gives nothing until somebody who may give it approves; after 14 days it is gone.",
        request: { body: body(Grant.RequestInput.meta({ id: "GrantRequest" })) },
        responses: { 201: { ...json("The request.", View), headers: born } },
      },
    ),
    async (c) => {
      const view = await Grant.request(c.var.ctx, c.req.valid("json"));
      return c.json(view, 201, { Location: `/v1/grants/${view.id}`, ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "grant:read" },
      {
        method: "get",
        path: "/v1/grants/{id}",
        operationId: "getGrant",
        tags,
        summary: "Get a grant",
        description: "A grant or a request. Its ETag is its generation.",
        request: { params },
        responses: { 200: json("The grant.", View) },
      },
    ),
    async (c) => {
      const view = await Grant.get(c.var.ctx, c.req.valid("param").id);
      return c.json(view, 200, { ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "grant:write", fresh: true },
      {
        method: "delete",
        path: "/v1/grants/{id}",
        operationId: "removeGrant",
        tags,
        summary: "Take a permission group back",
        description:
          "The answer waits up to 5 s for the clusters and tells which have taken the right away; the others are tried " +
          `until they have. One's own request may be withdrawn. ${may}`,
        request: { params, headers: IfMatch },
        responses: { 200: json("The grant as it was.", Told) },
      },
    ),
    async (c) => {
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      const view = await Grant.remove(c.var.ctx, c.req.valid("param").id, only);
      return c.json({ ...view, confirmation: await tell(c, { seconds }) }, 200);
    },
  )
  .openapi(
    route(
      { permission: "grant:write", fresh: true },
      {
        method: "post",
        path: "/v1/grants/{id}/approve",
        operationId: "approveGrant",
        tags,
        summary: "Approve a request",
        description: `Its time begins now. Nobody approves its own. ${may}`,
        request: { params, headers: IfMatch },
        responses: { 200: json("The grant.", Told) },
      },
    ),
    async (c) => {
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      const view = await Grant.approve(c.var.ctx, c.req.valid("param").id, only);
      return c.json({ ...view, confirmation: await tell(c, { seconds, gives: true }) }, 200, {
        ETag: etagOf(view.generation),
      });
    },
  )
  .openapi(
    route(
      { permission: "grant:write", fresh: true },
      {
        method: "post",
        path: "/v1/grants/{id}/deny",
        operationId: "denyGrant",
        tags,
        summary: "Deny a request",
        description: `The request goes. ${may}`,
        request: { params, headers: IfMatch },
        responses: { 200: json("The request as it was.", View) },
      },
    ),
    async (c) => {
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      return c.json(await Grant.deny(c.var.ctx, c.req.valid("param").id, only), 200);
    },
  );
