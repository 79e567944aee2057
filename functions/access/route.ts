import * as z from "zod";
import { idOf } from "#core/id.ts";
import { body, json, route } from "../api/door.ts";
import { compareRights } from "./compare.ts";
import { readContents, readUsage } from "./contents.ts";
import { passes } from "./pass.ts";

// Declarations only, so that the API can describe these routes without loading what serves them.

const params = z.object({ id: idOf("cluster") });
const seconds = z.number().int().min(600).max(86_400);
const tags = ["access"];

const TokenInput = z
  .strictObject({ seconds: seconds.default(600).describe("How long it works.") })
  .meta({ id: "AccessTokenCreate" });
const KubeconfigInput = z
  .strictObject({ seconds: seconds.default(600).describe("How long its token works.") })
  .meta({ id: "AccessKubeconfigCreate" });

/** A cluster's own credential. */
export const AccessToken = z
  .object({
    token: z.string(),
    expiresAt: z.iso.datetime(),
    server: z.string(),
    authority: z.string(),
    serverName: z.string(),
  })
  .meta({ id: "AccessToken", description: "A bearer token for the cluster's own API server, and where that is." });

const Kubeconfig = z
  .object({ kubeconfig: z.string(), expiresAt: z.iso.datetime() })
  .meta({ id: "AccessKubeconfig", description: "A kubeconfig with a token inside: a secret." });

export const issueToken = route(
  { permission: "cluster:access", fresh: true, secret: true },
  {
    method: "post",
    path: "/v1/kube/clusters/{id}/token",
    operationId: "issueAccessToken",
    tags,
    summary: "Get a token for a cluster",
    description:
      "A token of the caller's own account there, for 10 minutes (unless said) to 24 hours. It ends with the API token that " +
      "it was got by, and can do what was granted. 503 with `Retry-After` while the account is being made.",
    request: { params, body: body(TokenInput) },
    responses: { 201: json("The token.", AccessToken) },
  },
);

export const issueKubeconfig = route(
  { permission: "cluster:access", fresh: true, secret: true },
  {
    method: "post",
    path: "/v1/kube/clusters/{id}/kubeconfig",
    operationId: "issueAccessKubeconfig",
    tags,
    summary: "Get a kubeconfig with a token inside",
    description: "For programs that can't run the `berth` command. It works for 10 minutes (unless said) to 24 hours.",
    request: { params, body: body(KubeconfigInput) },
    responses: { 201: json("The kubeconfig.", Kubeconfig) },
  },
);

const LogQuery = z.strictObject({
  component: z.enum(["kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler"]).default("kube-apiserver"),
  lines: z.coerce.number().int().min(1).max(5_000).default(200).describe("The newest so many at most."),
  since: z.iso.datetime({ offset: true }).optional().describe("Only lines from this second on."),
  previous: z.enum(["true", "false"]).default("false").describe("Of the container before the one that runs now."),
});

export const readLogs = route(
  { permission: "cluster:logs" },
  {
    method: "get",
    path: "/v1/kube/clusters/{id}/logs",
    operationId: "readLogs",
    tags,
    summary: "Read the log of a part of a control plane",
    description: "Each line with its time, 4 MB at most, of the newest Pod. 409 while there is none.",
    request: { params, query: LogQuery },
    responses: { 200: { description: "Lines.", content: { "text/plain": { schema: z.string() } } } },
  },
);

export const declared = [issueToken, issueKubeconfig, readLogs, compareRights, ...passes, readContents, readUsage];
