import * as z from "zod";
import * as Host from "#core/host/index.ts";
import { idOf } from "#core/id.ts";
import * as Version from "#core/version/index.ts";
import { workOf } from "../deps.ts";
import { body, json, newRouter, route } from "./door.ts";
import { etagOf, generationIn, IfMatch, PageQuery, pageOf } from "./page.ts";

const View = Host.View.meta({ id: "Host", description: "A Kubernetes cluster that carries control planes." });
const Drain = Host.Drain.meta({ id: "HostDrain", description: "A host that drains, and what it still carries." });
/** A version that the catalogue does not know could never be asked for: it is a slip of the pen. */
const known = <T extends z.ZodType<{ versions?: string[] | undefined }>>(input: T): T =>
  input.superRefine(({ versions = [] }, { addIssue }) => {
    for (const [at, version] of versions.entries()) {
      if (Version.knows(version)) continue;
      addIssue({ code: "custom", path: ["versions", at], message: `${version} is not in the version catalogue` });
    }
  });
const params = z.object({ id: idOf("host") });
const tagged = (host: Host.View) => ({ ETag: etagOf(host.generation) });
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
        request: { body: body(known(Host.RegisterInput).meta({ id: "HostRegister" })) },
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
    async (c) => {
      const host = await Host.get(c.var.ctx, c.req.valid("param").id);
      return c.json(host, 200, tagged(host));
    },
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
        description:
          "Answers what it then is, also whether it refuses older workers' writes. For the platform's staff.",
        request: { params },
        responses: { 200: json("The host.", View) },
      },
    ),
    async (c) => {
      const work = await workOf(c.var.deps, c.var.ctx);
      return c.json(await Host.check(work, c.req.valid("param").id), 200);
    },
  )
  .openapi(
    route(
      { permission: "home:write" },
      {
        method: "patch",
        path: "/v1/home/hosts/{id}",
        operationId: "updateHost",
        tags,
        summary: "Change a host",
        description:
          "What is left out stays. With `If-Match`, only that generation is changed. For the platform's staff.",
        request: { params, headers: IfMatch, body: body(known(Host.UpdateInput).meta({ id: "HostUpdate" })) },
        responses: { 200: json("The host.", View) },
      },
    ),
    async (c) => {
      const generation = generationIn(c.req.valid("header")["if-match"]);
      const host = await Host.update(c.var.ctx, c.req.valid("param").id, c.req.valid("json"), { generation });
      return c.json(host, 200, tagged(host));
    },
  )
  .openapi(
    route(
      { permission: "home:write" },
      {
        method: "put",
        path: "/v1/home/hosts/{id}/credential",
        operationId: "replaceHostCredential",
        tags,
        summary: "Replace Berth's credential on a host",
        description:
          "The new one must work now, and on the cluster that was registered. It is sealed and never shown. For the " +
          "platform's staff.",
        request: { params, body: body(Host.CredentialInput.meta({ id: "HostCredential" })) },
        responses: { 200: json("The host.", View) },
      },
    ),
    async (c) => {
      const work = await workOf(c.var.deps, c.var.ctx);
      return c.json(await Host.replaceCredential(work, c.req.valid("param").id, c.req.valid("json")), 200);
    },
  )
  .openapi(
    route(
      { permission: "home:write" },
      {
        method: "post",
        path: "/v1/home/hosts/{id}/drain",
        operationId: "drainHost",
        tags,
        summary: "Let no new clusters come to a host",
        description: "Those there stay; the answer names them, and says why. For the platform's staff.",
        request: { params },
        responses: { 200: json("The host, and what it carries.", Drain) },
      },
    ),
    async (c) => c.json(await Host.drain(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route(
      { permission: "home:write" },
      {
        method: "post",
        path: "/v1/home/hosts/{id}/resume",
        operationId: "resumeHost",
        tags,
        summary: "Let new clusters come again",
        description: "The end of draining. For the platform's staff.",
        request: { params },
        responses: { 200: json("The host.", View) },
      },
    ),
    async (c) => {
      const host = await Host.resume(c.var.ctx, c.req.valid("param").id);
      return c.json(host, 200, tagged(host));
    },
  )
  .openapi(
    route(
      { permission: "home:write" },
      {
        method: "delete",
        path: "/v1/home/hosts/{id}",
        operationId: "removeHost",
        tags,
        summary: "Forget a host",
        description:
          "One that has drained for a minute and carries no cluster. On the host itself nothing is touched. For the " +
          "platform's staff.",
        request: { params, headers: IfMatch },
        responses: { 204: { description: "It is forgotten." } },
      },
    ),
    async (c) => {
      const generation = generationIn(c.req.valid("header")["if-match"]);
      await Host.remove(c.var.ctx, c.req.valid("param").id, { generation });
      return c.body(null, 204);
    },
  );
