import * as z from "zod";
import { idOf } from "#core/id.ts";
import * as Provider from "#core/provider/index.ts";
import { body, json, newRouter, route } from "./door.ts";
import { etagOf, generationIn, IfMatch, PageQuery, pageOf } from "./page.ts";
import { Confirmation, tell } from "./tell.ts";

const View = Provider.View.meta({ id: "Provider", description: "Where members of the tenant prove who they are." });
const Tried = Provider.Tried.meta({ id: "ProviderTried", description: "A provider that was looked at and not made." });
const Removed = z
  .object({ confirmation: Confirmation })
  .meta({ id: "ProviderRemoved", description: "Which clusters hold the end of its sessions by now." });
const params = z.object({ id: idOf("provider") });
const tags = ["providers"];

export const providers = newRouter()
  .openapi(
    route(
      { permission: "provider:read" },
      {
        method: "get",
        path: "/v1/providers",
        operationId: "listProviders",
        tags,
        summary: "List identity providers",
        description: "All of the tenant's, oldest first.",
        request: { query: PageQuery },
        responses: { 200: json("A page.", pageOf(View, "ProviderPage")) },
      },
    ),
    async (c) => c.json(await Provider.list(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "provider:write", fresh: true },
      {
        method: "post",
        path: "/v1/providers",
        operationId: "createProvider",
        tags,
        summary: "Add an identity provider",
        description:
          "An issuer of OpenID Connect, with a public client that uses PKCE; Berth keeps no secret of it. Its discovery " +
          "document is read at once and must name the same issuer; addresses that are not public are refused. With " +
          "`dryRun=true` nothing is made, and what it says of itself is answered.",
        request: {
          query: z.strictObject({ dryRun: z.enum(["true", "false"]).optional().describe("Look, and make nothing.") }),
          body: body(Provider.CreateInput.meta({ id: "ProviderCreate" })),
        },
        responses: {
          200: json("What would be made.", Tried),
          201: { ...json("The provider.", View), headers: z.object({ Location: z.string(), ETag: z.string() }) },
        },
      },
    ),
    async (c) => {
      const input = c.req.valid("json");
      if (c.req.valid("query").dryRun === "true") return c.json(await Provider.attempt(c.var.ctx, input), 200);
      const view = await Provider.create(c.var.ctx, input);
      return c.json(view, 201, { Location: `/v1/providers/${view.id}`, ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "provider:read" },
      {
        method: "get",
        path: "/v1/providers/{id}",
        operationId: "getProvider",
        tags,
        summary: "Get an identity provider",
        description: "Its ETag is its generation.",
        request: { params },
        responses: { 200: json("The provider.", View) },
      },
    ),
    async (c) => {
      const view = await Provider.get(c.var.ctx, c.req.valid("param").id);
      return c.json(view, 200, { ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "provider:write", fresh: true },
      {
        method: "patch",
        path: "/v1/providers/{id}",
        operationId: "updateProvider",
        tags,
        summary: "Change an identity provider",
        description: "All but its name and issuer, as members are known by the issuer. Its sessions go on.",
        request: { params, headers: IfMatch, body: body(Provider.UpdateInput.meta({ id: "ProviderUpdate" })) },
        responses: { 200: json("The provider as it is now.", View) },
      },
    ),
    async (c) => {
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      const view = await Provider.update(c.var.ctx, c.req.valid("param").id, c.req.valid("json"), only);
      return c.json(view, 200, { ETag: etagOf(view.generation) });
    },
  )
  .openapi(
    route(
      { permission: "provider:write", fresh: true, last: "provider:remove" },
      {
        method: "delete",
        path: "/v1/providers/{id}",
        operationId: "removeProvider",
        tags,
        summary: "Remove an identity provider",
        description: "Nobody signs in by it any more, and every session that it gave ends. Its members stay members.",
        request: { params, headers: IfMatch },
        responses: { 200: json("It is gone.", Removed) },
      },
    ),
    async (c) => {
      const only = { generation: generationIn(c.req.valid("header")["if-match"]) };
      await Provider.remove(c.var.ctx, c.req.valid("param").id, only);
      return c.json({ confirmation: await tell(c, { seconds: 5 }) }, 200);
    },
  );
