import * as z from "zod";
import * as Access from "#core/access/index.ts";
import { idOf } from "#core/id.ts";
import { json, newRouter, route } from "../api/door.ts";
import { workOf } from "../deps.ts";

const params = z.object({ id: idOf("project") });
const tags = ["projects"];
const Contents = Access.Contents.meta({
  id: "ProjectContents",
  description: "What is in a project's namespaces, by name and number, as far as the caller may see it.",
});
const Usage = Access.Usage.meta({ id: "ProjectUsage", description: "How much of its limits a project uses." });

export const readContents = route(
  { permission: "cluster:access", fresh: true },
  {
    method: "get",
    path: "/v1/kube/projects/{id}/contents",
    operationId: "readProjectContents",
    tags,
    summary: "List what is in a project's namespaces",
    description:
      "What would go with them: for each cluster the number and first 20 names of each kind, read with the caller's own " +
      "rights. A cluster that does not answer within 5 s is named with the reason.",
    request: { params },
    responses: { 200: json("The contents.", Contents) },
  },
);

export const readUsage = route(
  { permission: "cluster:access", fresh: true },
  {
    method: "get",
    path: "/v1/kube/projects/{id}/usage",
    operationId: "readProjectUsage",
    tags,
    summary: "Tell how much of its limits a project uses",
    description:
      "As each cluster counts it, read with the caller's own rights. A cluster that does not answer within 5 s is named " +
      "with the reason, and is not in the total.",
    request: { params },
    responses: { 200: json("The usage.", Usage) },
  },
);

/** Both speak to the clusters of a project, all at once. */
export const projectContents = newRouter()
  .openapi(readContents, async (c) => {
    const work = await workOf(c.var.deps, c.var.ctx);
    return c.json(await Access.contents(work, c.req.valid("param").id), 200);
  })
  .openapi(readUsage, async (c) => {
    const work = await workOf(c.var.deps, c.var.ctx);
    return c.json(await Access.usage(work, c.req.valid("param").id), 200);
  });
