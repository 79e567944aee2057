import * as z from "zod";
import * as Grant from "#core/grant/index.ts";
import { idOf } from "#core/id.ts";
import * as Project from "#core/project/index.ts";
import { body, json, newRouter, route } from "./door.ts";
import { etagOf, generationIn, IfMatch, PageQuery, pageOf } from "./page.ts";
import { show, shown, Told, told, View } from "./shown.ts";
import { tell } from "./tell.ts";

const Receipt = Project.Receipt.meta({ id: "ProjectReceipt", description: "What is left of a removed project." });
const Split = Project.SplitView.meta({ id: "Split", description: "What limits come to on each cluster." });
const params = z.object({ id: idOf("project") });
const tags = ["projects"];
/** How long an answer waits for clusters to have taken rights away. */
const seconds = 5;

const labelled = z.string().regex(/^[^=]{1,317}=.{0,63}$/, "must be key=value");
const ProjectQuery = PageQuery.extend({
  name: z.string().min(1).max(63).optional().describe("Only the one of this name."),
  cluster: idOf("cluster").optional().describe("Only those that have a namespace there."),
  label: z
    .union([labelled.transform((one) => [one]), z.array(labelled).max(16)], { error: "must be key=value" })
    .optional()
    .describe("`key=value`, may be repeated: all must be there."),
  expiring: z.enum(["true", "false"]).optional().describe("Those that end within a week or have ended, or the others."),
});
const WaitQuery = z.strictObject({
  wait: z.coerce.number().int().min(0).max(25).default(0).describe("Seconds to wait until it is Ready everywhere."),
});
const Confirm = z.strictObject({ confirm: z.string().max(63).optional().describe("The project's name.") });

const etag = (view: Project.View): string => etagOf(view.generation);
const split = (label: string): [string, string] => {
  const at = label.indexOf("=");
  return [label.slice(0, at), label.slice(at + 1)];
};

export const projects = newRouter()
  .openapi(
    route(
      { permission: "project:read" },
      {
        method: "get",
        path: "/v1/projects",
        operationId: "listProjects",
        tags,
        summary: "List projects",
        description:
          "The tenant's projects that fit all of the filters and that the token reaches, oldest first. A page may hold " +
          "few or none and still have a `next`: follow it.",
        request: { query: ProjectQuery },
        responses: { 200: json("A page.", pageOf(View, "ProjectPage")) },
      },
    ),
    async (c) => {
      const { label, expiring, ...page } = c.req.valid("query");
      const filter = { labels: (label ?? []).map(split), expiring: expiring && expiring === "true" };
      const { items, next } = await Project.list(c.var.ctx, { ...page, ...filter });
      return c.json({ items: await shown(c.var.ctx, items), next }, 200);
    },
  )
  .openapi(
    route(
      { permission: "project:write" },
      {
        method: "post",
        path: "/v1/projects",
        operationId: "createProject",
        tags,
        summary: "Create a project",
        description:
          "Answers at once, with the project in its first state; wait for it with `?wait`. A namespace of its name that " +
          "is there already is left alone, and told of in that place's state.",
        request: { body: body(Project.CreateInput.meta({ id: "ProjectCreate" })) },
        responses: {
          201: {
            ...json("The project in its first state.", View),
            headers: z.object({ Location: z.string(), ETag: z.string() }),
          },
        },
      },
    ),
    async (c) => {
      const project = await Project.create(c.var.ctx, c.req.valid("json"));
      await tell(c);
      const view = await show(c.var.ctx, project);
      return c.json(view, 201, { Location: `/v1/projects/${view.id}`, ETag: etag(view) });
    },
  )
  .openapi(
    route(
      { permission: "project:read" },
      {
        method: "post",
        path: "/v1/projects/split",
        operationId: "splitLimits",
        tags,
        summary: "Show how limits would be split",
        description: "What each cluster would get of these limits, and what would be kept back. Nothing is made.",
        request: { body: body(Project.SplitInput.meta({ id: "SplitInput" })) },
        responses: { 200: json("The shares.", Split) },
      },
    ),
    async (c) => c.json(await Project.preview(c.var.ctx, c.req.valid("json")), 200),
  )
  .openapi(
    route(
      { permission: "project:read" },
      {
        method: "get",
        path: "/v1/projects/{id}",
        operationId: "getProject",
        tags,
        summary: "Get a project",
        description: "With `wait`, answers once it is Ready on all of its clusters or the time is up.",
        request: { params, query: WaitQuery },
        responses: { 200: json("The project.", View) },
      },
    ),
    async (c) => {
      const { ctx, deps } = c.var;
      const { id } = c.req.valid("param");
      const { wait } = c.req.valid("query");
      const options = {
        seconds: wait,
        sleep: (ms: number) => deps.sleep(ms),
        show: (one: Project.Project) => show(ctx, one),
      };
      const view = await Project.wait(ctx, id, options);
      return c.json(view, 200, { ETag: etag(view) });
    },
  )
  .openapi(
    route(
      { permission: "project:write" },
      {
        method: "patch",
        path: "/v1/projects/{id}",
        operationId: "updateProject",
        tags,
        summary: "Change a project",
        description:
          "What is left out stays. `places` names all clusters that it is to be on: from the others its namespace goes " +
          "with all that is in it, for which `confirm` must be its name. With `If-Match`, only the generation of that " +
          "ETag is changed: else 412.",
        request: { params, headers: IfMatch, body: body(Project.UpdateInput.meta({ id: "ProjectUpdate" })) },
        responses: { 200: json("The project as it is wanted now.", Told) },
      },
    ),
    async (c) => {
      const input = c.req.valid("json");
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      const project = await Project.update(c.var.ctx, c.req.valid("param").id, input, only);
      const takes = input.places !== undefined || input.expiresAt !== undefined;
      const view = await told(c, project, takes ? seconds : 0);
      return c.json(view, 200, { ETag: etag(view) });
    },
  )
  .openapi(
    route(
      { permission: "project:write" },
      {
        method: "delete",
        path: "/v1/projects/{id}",
        operationId: "removeProject",
        tags,
        summary: "Remove a project",
        description:
          "Its namespaces go with all that is in them; that goes on after the answer, and its receipt tells when it is " +
          "done. `confirm`, in the query or the body, must be its name. A project with deletionProtection is not removed. " +
          "What would go is told by `GET /v1/kube/projects/{id}/contents`.",
        request: { params, headers: IfMatch, query: Confirm, body: { ...body(Confirm), required: false } },
        responses: { 202: json("The project, being removed.", Told) },
      },
    ),
    async (c) => {
      const confirm = c.req.valid("query").confirm ?? c.req.valid("json").confirm;
      const generation = generationIn(c.req.valid("header")["if-match"]);
      const { id } = c.req.valid("param");
      const project = await Project.remove(c.var.ctx, id, { confirm, generation });
      // Its people have no right in it any more, however long its namespaces take to end.
      await Grant.endScope(c.var.ctx, id);
      const view = await told(c, project, seconds);
      return c.json(view, 202, { ETag: etag(view) });
    },
  )
  .openapi(
    route(
      { permission: "project:read" },
      {
        method: "get",
        path: "/v1/projects/{id}/receipt",
        operationId: "getProjectReceipt",
        tags,
        summary: "Get a removed project's receipt",
        description: "There once all of its namespaces are gone, and not before.",
        request: { params },
        responses: { 200: json("The receipt.", Receipt) },
      },
    ),
    async (c) => c.json(await Project.receipt(c.var.ctx, c.req.valid("param").id), 200),
  );
