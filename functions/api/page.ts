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

/** The headers of a change that may be made on condition. */
export const IfMatch = z.object({
  "if-match": z.string().max(1024).optional().describe("The ETag that was read; with another there now: 412."),
});

/** The ETag of a thing at this generation. Status has no part in it, so a thing that settles breaks no condition. */
export const etagOf = (generation: number): string => `"${generation}"`;

/**
 * The one generation that an `If-Match` allows; undefined when any will do, -1 when none can be meant: comparison is
 * strong (RFC 9110, 13.1.1), so a weak tag is none. Of a list it is the highest, for generations only rise: who has
 * seen a later one knows that the earlier are no more.
 */
export function generationIn(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === "*") return undefined;
  const tags = [...header.matchAll(/(?:^|,)\s*"(\d{1,15})"\s*(?=,|$)/g)].map(([, digits]) => Number(digits));
  return Math.max(-1, ...tags);
}
