import * as z from "zod";
import * as Host from "#core/host/index.ts";
import { idOf } from "#core/id.ts";
import { workOf } from "../deps.ts";
import { body, json, newRouter, route } from "./door.ts";
import { PageQuery, pageOf } from "./page.ts";

const View = Host.View.meta({ id: "Host", description: "A Kubernetes cluster that carries control planes." });
const params = z.object({ id: idOf("host") });
const tags = ["home"];

/** For the platform's own staff; to everyone else these routes are not there. */
export const hosts = newRouter()
  .openapi(
    route(
      { permission: "home:read" },
      {
        method: "get",
        path: "/v1/home/hosts",
        operationId: "listHosts",
        tags,
        summary: "List hosts",
        description: "Every host, oldest first. For the platform's staff.",
        request: { query: PageQuery },
        responses: { 200: json("A page.", pageOf(View, "HostPage")) },
      },
    ),
    async (c) => c.json(await Host.list(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route(
      { permission: "home:write" },
      {
        method: "post",
        path: "/v1/home/hosts",
        operationId: "registerHost",
        tags,
        summary: "Register a host",
        description:
          "Its API server must answer now; its credentials are sealed and never shown. For the platform's staff.",
        request: { body: body(Host.RegisterInput.meta({ id: "HostRegister" })) },
        responses: { 201: { ...json("The host.", View), headers: z.object({ Location: z.string() }) } },
      },
    ),
    async (c) => {
      const work = await workOf(c.var.deps, c.var.ctx);
      const host = await Host.register(work, c.req.valid("json"));
      return c.json(host, 201, { Location: `/v1/home/hosts/${host.id}` });
    },
  )
  .openapi(
    route(
      { permission: "home:read" },
      {
        method: "get",
        path: "/v1/home/hosts/{id}",
        operationId: "getHost",
        tags,
        summary: "Get a host",
        description: "As it was when it was last looked at. For the platform's staff.",
        request: { params },
        responses: { 200: json("The host.", View) },
      },
    ),
    async (c) => c.json(await Host.get(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route(
      { permission: "home:write" },
      {
        method: "post",
        path: "/v1/home/hosts/{id}/check",
        operationId: "checkHost",
        tags,
        summary: "Look at a host now",
        description: "Answers what it then is, within 5 s. For the platform's staff.",
        request: { params },
        responses: { 200: json("The host.", View) },
      },
    ),
    async (c) => {
      const work = await workOf(c.var.deps, c.var.ctx);
      return c.json(await Host.check(work, c.req.valid("param").id), 200);
    },
  );
