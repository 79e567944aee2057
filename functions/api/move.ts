import * as z from "zod";
import { idOf } from "#core/id.ts";
import * as Project from "#core/project/index.ts";
import { body, json, newRouter, route } from "./door.ts";
import { etagOf, generationIn, IfMatch } from "./page.ts";
import { show, View } from "./shown.ts";
import { tell } from "./tell.ts";

const params = z.object({ id: idOf("project") });
const tags = ["projects"];

/** What becomes of a project's namespaces, one cluster at a time. */
export const moves = newRouter()
  .openapi(
    route(
      { permission: "project:write" },
      {
        method: "post",
        path: "/v1/projects/{id}/move",
        operationId: "moveProject",
        tags,
        summary: "Move a project's namespace to another cluster",
        description:
          "`to` is added with the weight of `from`. Once the namespace is ready there, the one on `from` goes with all " +
          "that is in it: nothing is carried over, so `confirm` must be the project's name.",
        request: { params, headers: IfMatch, body: body(Project.MoveInput.meta({ id: "ProjectMove" })) },
        responses: { 200: json("The project as it is wanted now.", View) },
      },
    ),
    async (c) => {
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      const project = await Project.move(c.var.ctx, c.req.valid("param").id, c.req.valid("json"), only);
      await tell(c);
      const view = await show(c.var.ctx, project);
      return c.json(view, 200, { ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "project:write", fresh: true },
      {
        method: "post",
        path: "/v1/projects/{id}/adopt",
        operationId: "adoptNamespace",
        tags,
        summary: "Take over a namespace that is there already",
        description:
          "For owners, who have rights on both. The namespace becomes the project's: its limits, policies and people " +
          "come over what is in it, and it goes when the project does. `confirm` must be the project's name.",
        request: { params, headers: IfMatch, body: body(Project.AdoptInput.meta({ id: "ProjectAdopt" })) },
        responses: { 200: json("The project as it is wanted now.", View) },
      },
    ),
    async (c) => {
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      const project = await Project.adopt(c.var.ctx, c.req.valid("param").id, c.req.valid("json"), only);
      await tell(c);
      const view = await show(c.var.ctx, project);
      return c.json(view, 200, { ETag: etagOf(view.generation) });
    },
  );
