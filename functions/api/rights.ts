import * as z from "zod";
import * as Access from "#core/access/index.ts";
import { idOf } from "#core/id.ts";
import { json, newRouter, route } from "./door.ts";
import { PageQuery, pageOf } from "./page.ts";

const Explained = Access.Explained.meta({ id: "Rights", description: "What a member may do somewhere, and why." });
const Able = Access.Able.meta({ id: "Able", description: "One who may do what was asked, and why." });
const Unused = Access.Unused.meta({ id: "UnusedGrant", description: "A grant that nobody has used for long." });
const UnusedPage = pageOf(Unused, "UnusedGrantPage").extend({
  since: z.iso
    .datetime()
    .nullable()
    .describe("From when on the audit trail was looked at; of what was before, nothing is known."),
});
const tags = ["rights"];

/** Rights, explained: from grants alone, so it is what clusters are to enforce. It goes before the routes of grants. */
export const rights = newRouter()
  .openapi(
    route(
      { permission: "grant:read" },
      {
        method: "get",
        path: "/v1/can-i",
        operationId: "explainRights",
        tags,
        summary: "What may I do there, and why",
        description:
          "On a cluster, or in a project on one or each of its clusters. With `verb` and `resource`: whether it is " +
          "allowed on each, and by which grants; without: every rule of every grant that holds there. Of oneself it " +
          "also tells how the token is held back; of others only who has `member:read` may ask.",
        request: {
          query: Access.RightsInput.extend({
            member: idOf("member").optional().describe("Of whom; left out, of the caller."),
          }),
        },
        responses: { 200: json("The answer.", Explained) },
      },
    ),
    async (c) => c.json(await Access.can(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "grant:read" },
      {
        method: "get",
        path: "/v1/who-can",
        operationId: "listAble",
        tags,
        summary: "Who may do this there, and why",
        description:
          "Members who may do it on at least one of the clusters that are asked about, with the grants that give it. " +
          "It also asks for `member:read`.",
        request: {
          query: PageQuery.extend(Access.RightsInput.shape).extend({
            verb: Access.RightsInput.shape.verb.unwrap(),
            resource: Access.RightsInput.shape.resource.unwrap(),
          }),
        },
        responses: { 200: json("A page.", pageOf(Able, "AblePage")) },
      },
    ),
    async (c) => c.json(await Access.whoCan(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "audit:read" },
      {
        method: "get",
        path: "/v1/grants/unused",
        operationId: "listUnusedGrants",
        tags,
        summary: "List grants that nobody uses",
        description:
          "Active grants older than so many days by which nobody came into any cluster that they reach in that time, " +
          "as the audit trail tells. For owners. The newest 10,000 entries are looked at; `since` tells how far back " +
          "that was.",
        request: {
          query: PageQuery.extend({
            days: z.coerce.number().int().min(1).max(3_650).default(30).describe("Unused for so long."),
          }),
        },
        responses: { 200: json("A page.", UnusedPage) },
      },
    ),
    async (c) => c.json(await Access.unused(c.var.ctx, c.req.valid("query")), 200),
  );
