import * as z from "zod";
import { limitDefault, limitMax } from "#core/page.ts";

/** The query of every list. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(limitMax).default(limitDefault).describe("How many at most."),
  after: z.string().min(1).max(1024).optional().describe("The `next` of the page before."),
});

/** The answer of a list; `id` names it in the OpenAPI document. */
export const pageOf = <T extends z.ZodType>(items: T, id: string) =>
  z
    .object({
      items: z.array(items),
      next: z.string().nullable().describe("The `after` of the next page; null at the end."),
    })
    .meta({ id, description: "One page of a list." });
