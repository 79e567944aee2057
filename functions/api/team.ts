import * as z from "zod";
import * as Grant from "#core/grant/index.ts";
import { idOf } from "#core/id.ts";
import * as Team from "#core/team/index.ts";
import { body, json, newRouter, route } from "./door.ts";
import { etagOf, generationIn, IfMatch, PageQuery, pageOf } from "./page.ts";
import { Confirmation, tell } from "./tell.ts";

const View = Team.View.meta({ id: "Team", description: "A set of members that rights are granted to as one." });
const Told = View.extend({ confirmation: Confirmation }).meta({
  id: "TeamTold",
  description: "A team, and which clusters hold the change by now.",
});
const params = z.object({ id: idOf("team") });
const seat = z.object({ id: idOf("team"), member: idOf("member") });
const tags = ["members"];
/** How long an answer waits for clusters to have taken rights away. */
const seconds = 5;

export const teams = newRouter()
  .openapi(
    route(
      { permission: "team:read" },
      {
        method: "get",
        path: "/v1/teams",
        operationId: "listTeams",
        tags,
        summary: "List teams",
        description: "The teams of the tenant, oldest first; with `member`, those that it is in.",
        request: { query: PageQuery.extend(Team.Filter.shape) },
        responses: { 200: json("A page.", pageOf(View, "TeamPage")) },
      },
    ),
    async (c) => c.json(await Team.list(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "team:write", fresh: true },
      {
        method: "post",
        path: "/v1/teams",
        operationId: "createTeam",
        tags,
        summary: "Create a team",
        description:
          "It gives its members nothing until a right is granted to it. With `claims`, whoever signs in by a provider " +
          "whose groups claim holds one of them is in it, and no one else who signs in there.",
        request: { body: body(Team.CreateInput.meta({ id: "TeamCreate" })) },
        responses: {
          201: { ...json("The team.", View), headers: z.object({ Location: z.string(), ETag: z.string() }) },
        },
      },
    ),
    async (c) => {
      const view = await Team.create(c.var.ctx, c.req.valid("json"));
      return c.json(view, 201, { Location: `/v1/teams/${view.id}`, ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "team:read" },
      {
        method: "get",
        path: "/v1/teams/{id}",
        operationId: "getTeam",
        tags,
        summary: "Get a team",
        description: "One team with its members.",
        request: { params },
        responses: { 200: json("The team.", View) },
      },
    ),
    async (c) => {
      const view = await Team.get(c.var.ctx, c.req.valid("param").id);
      return c.json(view, 200, { ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "team:write", fresh: true },
      {
        method: "patch",
        path: "/v1/teams/{id}",
        operationId: "updateTeam",
        tags,
        summary: "Change a team",
        description:
          "Title, claims, or the whole list of members. A list of up to 80 new members is checked in the write itself; " +
          "of a longer one, who is removed at that very moment stays named, and has no right by it.",
        request: { params, headers: IfMatch, body: body(Team.UpdateInput.meta({ id: "TeamUpdate" })) },
        responses: { 200: json("The team as it is now.", Told) },
      },
    ),
    async (c) => {
      const input = c.req.valid("json");
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      const view = await Team.update(c.var.ctx, c.req.valid("param").id, input, only);
      const confirmation = await tell(c, { seconds: input.members === undefined ? 0 : seconds });
      return c.json({ ...view, confirmation }, 200, { ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "team:write", fresh: true, last: "team:remove" },
      {
        method: "delete",
        path: "/v1/teams/{id}",
        operationId: "removeTeam",
        tags,
        summary: "Remove a team",
        description: "All that is granted to it ends with it. Its members stay members of the tenant.",
        request: { params, headers: IfMatch },
        responses: { 200: json("The team as it was.", Told) },
      },
    ),
    async (c) => {
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      const view = await Team.remove(c.var.ctx, c.req.valid("param").id, only, Grant.endSubject);
      return c.json({ ...view, confirmation: await tell(c, { seconds }) }, 200);
    },
  )
  .openapi(
    route(
      { permission: "team:write", fresh: true },
      {
        method: "post",
        path: "/v1/teams/{id}/members/{member}",
        operationId: "joinTeam",
        tags,
        summary: "Put a member into a team",
        description: "It has all that the team is granted from then on. A second time is harmless.",
        request: { params: seat },
        responses: { 200: json("The team as it is now.", Told) },
      },
    ),
    async (c) => {
      const { id, member } = c.req.valid("param");
      const view = await Team.join(c.var.ctx, id, member);
      return c.json({ ...view, confirmation: await tell(c, { seconds, gives: true }) }, 200, {
        ETag: etagOf(view.generation),
      });
    },
  )
  .openapi(
    route(
      { permission: "team:write", fresh: true },
      {
        method: "delete",
        path: "/v1/teams/{id}/members/{member}",
        operationId: "leaveTeam",
        tags,
        summary: "Take a member out of a team",
        description: "What it had by the team is taken from it in every cluster.",
        request: { params: seat },
        responses: { 200: json("The team as it is now.", Told) },
      },
    ),
    async (c) => {
      const { id, member } = c.req.valid("param");
      const view = await Team.leave(c.var.ctx, id, member);
      return c.json({ ...view, confirmation: await tell(c, { seconds }) }, 200, { ETag: etagOf(view.generation) });
    },
  );
