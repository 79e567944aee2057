import * as z from "zod";
import * as Letter from "#core/letter/index.ts";
import { body, json, newRouter, route } from "./door.ts";
import { PageQuery, pageOf } from "./page.ts";

const View = Letter.View.meta({ id: "Letter", description: "A message that nobody could work on." });
const tags = ["home"];

/** For the platform's own staff; to everyone else these routes are not there. */
export const letters = newRouter()
  .openapi(
    route(
      { permission: "home:read" },
      {
        method: "get",
        path: "/v1/home/letters",
        operationId: "listLetters",
        tags,
        summary: "List dead letters",
        description:
          "Some of them, in no order, and no next page: a queue has none. They stay where they are. For the platform's " +
          "staff.",
        request: { query: z.strictObject({ limit: PageQuery.shape.limit }) },
        responses: { 200: json("Some of them.", pageOf(View, "LetterPage")) },
      },
    ),
    async (c) => c.json(await Letter.list(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "home:write" },
      {
        method: "post",
        path: "/v1/home/letters/redrive",
        operationId: "redriveLetters",
        tags,
        summary: "Send dead letters again",
        description: "Back to the queue, up to `limit`; what can't be read stays. For the platform's staff.",
        request: { body: body(Letter.RedriveInput.meta({ id: "LetterRedrive" })) },
        responses: { 200: json("How many were.", Letter.Redriven.meta({ id: "LettersRedriven" })) },
      },
    ),
    async (c) => c.json(await Letter.redrive(c.var.ctx, c.req.valid("json")), 200),
  );
