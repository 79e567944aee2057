import * as z from "zod";
import * as Parked from "#core/parked/index.ts";
import { body, json, newRouter, route } from "./door.ts";
import { PageQuery, pageOf } from "./page.ts";

const View = Parked.View.meta({ id: "Parked", description: "A row that failed too often and waits for a person." });
const tags = ["home"];

/** For the platform's own staff; to everyone else these routes are not there. */
export const parked = newRouter()
  .openapi(
    route(
      { permission: "home:read" },
      {
        method: "get",
        path: "/v1/home/parked",
        operationId: "listParked",
        tags,
        summary: "List parked rows",
        description: "Of every tenant, those that wait longest first. For the platform's staff.",
        request: { query: PageQuery },
        responses: { 200: json("A page.", pageOf(View, "ParkedPage")) },
      },
    ),
    async (c) => c.json(await Parked.list(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "home:write" },
      {
        method: "post",
        path: "/v1/home/parked/{id}/release",
        operationId: "releaseParked",
        tags,
        summary: "Release a parked row",
        description:
          "It is looked at again, as if it had never failed. What is not parked is left as it is, and `released` says " +
          "so. For the platform's staff.",
        request: {
          params: z.object({ id: Parked.rowID }),
          body: body(Parked.ReleaseInput.meta({ id: "ParkedRelease" })),
        },
        responses: { 200: json("Whether it was.", Parked.Released.meta({ id: "ParkedReleased" })) },
      },
    ),
    async (c) => c.json(await Parked.release(c.var.ctx, c.req.valid("param").id, c.req.valid("json")), 200),
  );
