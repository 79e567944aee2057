import * as z from "zod";
import * as Access from "#core/access/index.ts";
import * as Cluster from "#core/cluster/index.ts";
import { idOf } from "#core/id.ts";
import { body, json, newRouter, route } from "./door.ts";
import { etagOf, generationIn, IfMatch, PageQuery, pageOf } from "./page.ts";

const View = Cluster.View.meta({
  id: "Cluster",
  description: "A tenant's Kubernetes: what is wanted, and what is so.",
});
const Receipt = Cluster.Receipt.meta({
  id: "Receipt",
  description: "What is left of a removed cluster: what had been made, and the proof that it is gone.",
});
const params = z.object({ id: idOf("cluster") });
const tags = ["clusters"];

const WaitQuery = z.strictObject({
  wait: z.coerce.number().int().min(0).max(25).default(0).describe("Seconds to wait for the condition."),
  for: z
    .string()
    .regex(/^[A-Z][A-Za-z]{0,62}$/, "must be the type of a condition, such as Ready")
    .default("Ready")
    .describe("The type of the condition that must be True. What is there when time is up is answered with 200 too."),
});
const CommandQuery = z.strictObject({
  command: z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, "must be a program's name or path, in plain characters without spaces")
    .default("berth")
    .describe("The `berth` command on the caller's machine, by name or absolute path."),
});
const Confirm = z.strictObject({ confirm: z.string().max(63).optional().describe("The cluster's name.") });

const text = z.string().min(1).max(63);
const labelled = z.string().regex(/^[^=]{1,317}=.{0,63}$/, "must be key=value");
const ClusterQuery = PageQuery.extend({
  name: text.optional().describe("Only the one of this name."),
  phase: Cluster.View.shape.status.shape.phase.optional(),
  region: text.optional(),
  version: z
    .string()
    .regex(/^\d{1,3}\.\d{1,3}(\.\d{1,3})?$/, "must be a version such as 1.34 or 1.34.4")
    .optional()
    .describe("A version, or a minor for each of its patches."),
  label: z
    .union([labelled.transform((one) => [one]), z.array(labelled).max(16)], { error: "must be key=value" })
    .optional()
    .describe("`key=value`, may be repeated: all must be there."),
  sort: z.enum(Cluster.sorts).optional().describe("`createdAt` unless said; `-` turns it round."),
});

const created = {
  ...json("The cluster in its first state.", View),
  headers: z.object({ Location: z.string(), ETag: z.string() }),
};
const etag = (view: Cluster.View): string => etagOf(view.generation);

const split = (label: string): [string, string] => {
  const at = label.indexOf("=");
  return [label.slice(0, at), label.slice(at + 1)];
};

export const clusters = newRouter()
  .openapi(
    route(
      { permission: "cluster:read" },
      {
        method: "get",
        path: "/v1/clusters",
        operationId: "listClusters",
        tags,
        summary: "List clusters",
        description:
          "The tenant's clusters that fit all of the filters. One request looks at 1,000 at most, so a page may hold " +
          "few or none and still have a `next`: follow it.",
        request: { query: ClusterQuery },
        responses: { 200: json("A page.", pageOf(View, "ClusterPage")) },
      },
    ),
    async (c) => {
      const { label, ...page } = c.req.valid("query");
      const labels = (label ?? []).map(split);
      return c.json(await Cluster.list(c.var.ctx, { ...page, labels }), 200);
    },
  )
  .openapi(
    route(
      { permission: "cluster:write" },
      {
        method: "post",
        path: "/v1/clusters",
        operationId: "createCluster",
        tags,
        summary: "Create a cluster",
        description: "Answers at once, with the cluster in its first state; wait for it with `?wait`.",
        request: { body: body(Cluster.CreateInput.meta({ id: "ClusterCreate" })) },
        responses: { 201: created },
      },
    ),
    async (c) => {
      const { ctx } = c.var;
      const also = (id: Cluster.View["id"]) => [Access.birth(ctx, id)];
      const view = await Cluster.create(ctx, c.req.valid("json"), { also });
      return c.json(view, 201, { Location: `/v1/clusters/${view.id}`, ETag: etag(view) });
    },
  )
  .openapi(
    route(
      { permission: "cluster:read" },
      {
        method: "get",
        path: "/v1/clusters/{id}",
        operationId: "getCluster",
        tags,
        summary: "Get a cluster",
        description: "With `wait`, answers once the condition is True or the time is up, whichever is first.",
        request: { params, query: WaitQuery },
        responses: { 200: json("The cluster.", View) },
      },
    ),
    async (c) => {
      const { id } = c.req.valid("param");
      const { wait, for: condition } = c.req.valid("query");
      const sleep = c.var.deps.sleep;
      const { ctx } = c.var;
      const view =
        wait === 0 ? await Cluster.get(ctx, id) : await Cluster.wait(ctx, id, { condition, seconds: wait, sleep });
      return c.json(view, 200, { ETag: etag(view) });
    },
  )
  .openapi(
    route(
      { permission: "cluster:write" },
      {
        method: "patch",
        path: "/v1/clusters/{id}",
        operationId: "updateCluster",
        tags,
        summary: "Change a cluster",
        description: "What is left out stays. With `If-Match`, only the generation of that ETag is changed: else 412.",
        request: { params, headers: IfMatch, body: body(Cluster.UpdateInput.meta({ id: "ClusterUpdate" })) },
        responses: { 200: json("The cluster as it is wanted now.", View) },
      },
    ),
    async (c) => {
      const { id } = c.req.valid("param");
      const generation = generationIn(c.req.valid("header")["if-match"]);
      const view = await Cluster.update(c.var.ctx, id, c.req.valid("json"), { generation });
      return c.json(view, 200, { ETag: etag(view) });
    },
  )
  .openapi(
    route(
      { permission: "cluster:write" },
      {
        method: "delete",
        path: "/v1/clusters/{id}",
        operationId: "removeCluster",
        tags,
        summary: "Remove a cluster",
        description:
          "Removal goes on after the answer; its receipt tells when it is done. `confirm`, in the query or the body, " +
          "must be the cluster's name where one is given. A cluster with deletionProtection is not removed. With " +
          "`If-Match`, only the generation of that ETag is: else 412.",
        request: { params, headers: IfMatch, query: Confirm, body: { ...body(Confirm), required: false } },
        responses: { 202: json("The cluster, being removed.", View) },
      },
    ),
    async (c) => {
      const confirm = c.req.valid("query").confirm ?? c.req.valid("json").confirm;
      const generation = generationIn(c.req.valid("header")["if-match"]);
      const view = await Cluster.remove(c.var.ctx, c.req.valid("param").id, { confirm, generation });
      return c.json(view, 202, { ETag: etag(view) });
    },
  )
  .openapi(
    route(
      { permission: "cluster:read" },
      {
        method: "get",
        path: "/v1/clusters/{id}/kubeconfig",
        operationId: "getKubeconfig",
        tags,
        summary: "Get a kubeconfig",
        description: "It holds no secret: kubectl asks the `berth` command for a short-lived token.",
        request: { params, query: CommandQuery },
        responses: { 200: { description: "YAML", content: { "application/yaml": { schema: z.string() } } } },
      },
    ),
    async (c) => {
      const text = await Cluster.kubeconfig(c.var.ctx, c.req.valid("param").id, c.req.valid("query"));
      return c.body(text, 200, { "Content-Type": "application/yaml" });
    },
  )
  .openapi(
    route(
      { permission: "cluster:read" },
      {
        method: "get",
        path: "/v1/clusters/{id}/receipt",
        operationId: "getReceipt",
        tags,
        summary: "Get a removal's receipt",
        description: "There once the cluster is gone, and not before.",
        request: { params },
        responses: { 200: json("The receipt.", Receipt) },
      },
    ),
    async (c) => c.json(await Cluster.receipt(c.var.ctx, c.req.valid("param").id), 200),
  );
