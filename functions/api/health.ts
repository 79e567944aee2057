import * as z from "zod";
import * as Health from "#core/health/index.ts";
import { json, newRouter, route } from "./door.ts";

/** Whether the API is there, which asks no store, and how home is, which asks for staff. */
export const health = newRouter()
  .openapi(
    route(
      { permission: "public" },
      {
        method: "get",
        path: "/v1/health",
        operationId: "getHealth",
        tags: ["health"],
        summary: "Is the API there",
        description: "Needs no token and asks no store.",
        responses: { 200: json("It is.", z.object({ status: z.literal("ok") })) },
      },
    ),
    (c) => c.json({ status: "ok" as const }, 200),
  )
  .openapi(
    route(
      { permission: "home:read" },
      {
        method: "get",
        path: "/v1/home/health",
        operationId: "getHomeHealth",
        tags: ["home"],
        summary: "How is home",
        description: "Asks the table, and nothing else. For the platform's staff.",
        responses: { 200: json("How it is.", Health.Health.meta({ id: "HomeHealth" })) },
      },
    ),
    async (c) => c.json(await Health.look(c.var.ctx), 200),
  );
