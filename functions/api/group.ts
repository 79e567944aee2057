import * as z from "zod";
import * as Grant from "#core/grant/index.ts";
import * as Group from "#core/group/index.ts";
import { body, json, newRouter, route } from "./door.ts";
import { etagOf, generationIn, IfMatch, PageQuery, pageOf } from "./page.ts";
import { Confirmation, tell } from "./tell.ts";

const View = Group.View.meta({
  id: "Group",
  description: "A permission group: Kubernetes rules for projects' namespaces, and for cluster scope.",
});
const Told = View.extend({ confirmation: Confirmation }).meta({
  id: "GroupTold",
  description: "A permission group, and which clusters hold the change by now.",
});
const params = z.object({ id: Group.Ref.describe("The id of a group, or the name of a built-in one.") });
const tags = ["groups"];
/** How long an answer waits for clusters to have taken rights away. */
const seconds = 5;

export const groups = newRouter()
  .openapi(
    route(
      { permission: "group:read" },
      {
        method: "get",
        path: "/v1/groups",
        operationId: "listGroups",
        tags,
        summary: "List permission groups",
        description: "The built-in ones, then the tenant's own, oldest first.",
        request: { query: PageQuery.extend({ name: z.string().min(1).max(63).optional().describe("Only this one.") }) },
        responses: { 200: json("A page.", pageOf(View, "GroupPage")) },
      },
    ),
    async (c) => c.json(await Group.list(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "group:write", fresh: true },
      {
        method: "post",
        path: "/v1/groups",
        operationId: "createGroup",
        tags,
        summary: "Create a permission group",
        description:
          "`rules` hold in the namespaces of projects, `clusterRules` at cluster scope where the group is granted on a " +
          "cluster or the tenant; both in Kubernetes' form. It can't hold what its maker does not hold in the whole " +
          "tenant. What would let its holder become somebody else is an owner's alone to make, and is told in `warnings`.",
        request: { body: body(Group.CreateInput.meta({ id: "GroupCreate" })) },
        responses: {
          201: { ...json("The group.", View), headers: z.object({ Location: z.string(), ETag: z.string() }) },
        },
      },
    ),
    async (c) => {
      const view = await Group.create(c.var.ctx, c.req.valid("json"), Grant.holds);
      return c.json(view, 201, { Location: `/v1/groups/${view.id}`, ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "group:read" },
      {
        method: "get",
        path: "/v1/groups/{id}",
        operationId: "getGroup",
        tags,
        summary: "Get a permission group",
        description: "One of the tenant's own by its id, a built-in one by its name. Its ETag is its generation.",
        request: { params },
        responses: { 200: json("The group.", View) },
      },
    ),
    async (c) => {
      const view = await Group.get(c.var.ctx, c.req.valid("param").id);
      return c.json(view, 200, { ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "group:write", fresh: true },
      {
        method: "patch",
        path: "/v1/groups/{id}",
        operationId: "updateGroup",
        tags,
        summary: "Change a permission group",
        description:
          "What is left out stays. Who is given it has the new rules as soon as the clusters were told; the answer waits " +
          "up to 5 s for that. New rules of one that is given take what giving it in the whole tenant would. The built-in " +
          "ones stay as they are.",
        request: { params, headers: IfMatch, body: body(Group.UpdateInput.meta({ id: "GroupUpdate" })) },
        responses: { 200: json("The group as it is now.", Told) },
      },
    ),
    async (c) => {
      const input = c.req.valid("json");
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      const view = await Group.update(c.var.ctx, c.req.valid("param").id, input, only, Grant.holds);
      const ruled = input.rules !== undefined || input.clusterRules !== undefined;
      const confirmation = await tell(c, { seconds: ruled ? seconds : 0 });
      return c.json({ ...view, confirmation }, 200, { ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "group:write", fresh: true },
      {
        method: "delete",
        path: "/v1/groups/{id}",
        operationId: "removeGroup",
        tags,
        summary: "Remove a permission group",
        description: "One that nobody is given: else 409, with how many grants there are. No built-in one.",
        request: { params, headers: IfMatch },
        responses: { 200: json("The group as it was.", Told) },
      },
    ),
    async (c) => {
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      const how = { holds: Grant.holds, used: Grant.using };
      const view = await Group.remove(c.var.ctx, c.req.valid("param").id, only, how);
      return c.json({ ...view, confirmation: await tell(c) }, 200);
    },
  );
