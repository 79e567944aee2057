import * as Version from "#core/version/index.ts";
import { json, newRouter, route } from "./door.ts";
import { pageOf } from "./page.ts";

const View = Version.View.meta({ id: "Version", description: "A Kubernetes version and where it can be run now." });

export const versions = newRouter().openapi(
  route(
    { permission: "version:read" },
    {
      method: "get",
      path: "/v1/versions",
      operationId: "listVersions",
      tags: ["versions"],
      summary: "List Kubernetes versions",
      description: "The whole catalogue, newest first, in one page.",
      responses: { 200: json("The catalogue.", pageOf(View, "VersionPage")) },
    },
  ),
  async (c) => c.json(await Version.list(c.var.ctx), 200),
);
