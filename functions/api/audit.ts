import * as z from "zod";
import * as Audit from "#core/audit/index.ts";
import { json, newRouter, route } from "./door.ts";
import { PageQuery, pageOf } from "./page.ts";

const View = Audit.View.meta({ id: "AuditEntry", description: "Who did what to what. Values are never in it." });
const Digest = Audit.Digest.meta({
  id: "AuditDigest",
  description: "Up to 90 entries by their SHA-256, chained to the digest before, and signed.",
});
const Key = Audit.KeyView.meta({ id: "AuditKey", description: "A public key that digests are checked with." });
const DigestPage = pageOf(Digest, "AuditDigestPage")
  .extend({ head: Audit.Head.nullable().describe("The end of the chain; null before the first digest.") })
  .meta({ id: "AuditDigestPage", description: "One page of a list." });
const tags = ["audit"];

export const audits = newRouter()
  .openapi(
    route(
      { permission: "audit:read" },
      {
        method: "get",
        path: "/v1/audit",
        operationId: "listAudit",
        tags,
        summary: "List audit entries",
        description:
          "Every change in the tenant, newest first. For owners. A filtered page looks at 1,000 entries at most, so it " +
          "may be short, or empty, while `next` says that there is more.",
        request: { query: PageQuery.extend(Audit.Filter.shape) },
        responses: { 200: json("A page.", pageOf(View, "AuditPage")) },
      },
    ),
    async (c) => c.json(await Audit.list(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "audit:read" },
      {
        method: "get",
        path: "/v1/audit/export",
        operationId: "exportAudit",
        tags,
        summary: "Export audit entries",
        description:
          "Every entry of a period as it was sealed, oldest first, one JSON object on each line. For owners. With " +
          "`names` each also says what its actor and target are called now; such lines can't be checked.",
        request: {
          query: Audit.Period.extend({
            names: z.enum(["true", "false"]).default("false").describe("Add what things are called now."),
          }),
        },
        responses: {
          200: { description: "Lines.", content: { "application/x-ndjson": { schema: z.string() } } },
        },
      },
    ),
    async (c) => {
      const { names, ...period } = c.req.valid("query");
      const pages = Audit.entries(c.var.ctx, { ...period, names: names === "true" });
      // The first page before the answer begins: what fails until then is still answered as a problem.
      const first = await pages.next();
      const body = ReadableStream.from(lines(first, pages, c.var.still));
      // The types take ndjson for one JSON value, which this is not.
      return c.body(body, 200, { "Content-Type": "application/x-ndjson" }) as never;
    },
  )
  .openapi(
    route(
      { permission: "audit:read" },
      {
        method: "get",
        path: "/v1/audit/digests",
        operationId: "listAuditDigests",
        tags,
        summary: "List audit digests",
        description: "The tenant's digests, oldest first. For owners; `berth audit verify` checks them.",
        request: { query: PageQuery },
        responses: { 200: json("A page.", DigestPage) },
      },
    ),
    async (c) => c.json(await Audit.digests(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "audit:read" },
      {
        method: "get",
        path: "/v1/audit/keys",
        operationId: "listAuditKeys",
        tags,
        summary: "List the keys of audit digests",
        description: "The public keys of the platform that digests were ever signed with. For owners.",
        request: { query: PageQuery },
        responses: { 200: json("A page.", pageOf(Key, "AuditKeyPage")) },
      },
    ),
    async (c) => c.json(await Audit.keys(c.var.ctx, c.req.valid("query")), 200),
  );

async function* lines(
  first: IteratorResult<unknown[], void>,
  rest: AsyncGenerator<unknown[], void>,
  still: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  for (let page = first; page.value !== undefined; page = await rest.next()) {
    await still();
    if (page.value.length > 0) yield Buffer.from(page.value.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
  }
}
