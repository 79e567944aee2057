import * as z from "zod";
import { idOf } from "#core/id.ts";
import { route } from "../api/door.ts";

// Declarations only, so that the API can describe these routes without loading what serves them.

const methods = ["get", "post", "put", "patch", "delete"] as const;

const description = `A request to the cluster's own API server, as the caller's own account there: the cluster decides what it may.
\`path\` is a path of Kubernetes, with its slashes: \`/api\`, \`/apis\`, \`/openapi\`, \`/version\`, \`/healthz\`, \`/livez\`,
\`/readyz\`. The answer is the cluster's own, its refusals too (a \`Status\`), as JSON, YAML, protobuf or plain text.
Lists come in pages of 500 at most (\`limit\`, \`continue\`). Bodies may have 3 MB, answers 6 MB; 25 s are the most that one
may take. Watches and logs that are followed are streams: each ends after 14 minutes at most, when nothing came for 50 s,
and within seconds when the right to it is taken. Shells, attach, port-forward, upgrades and \`*/proxy\` don't go this way.`;

/** One per method, of one path. Their order is that of the document. */
export const passes = methods.map((method) =>
  route(
    { permission: "cluster:access", secret: method !== "get", last: "cluster:proxy" },
    {
      method,
      path: "/v1/kube/{id}/{path}",
      operationId: `${method}ThroughCluster`,
      tags: ["access"],
      summary: `${method.toUpperCase()} in a cluster`,
      description: description.replaceAll("\n", " "),
      request: {
        params: z.object({
          id: idOf("cluster"),
          path: z
            .string()
            .regex(/^(api|apis|openapi|version|healthz|livez|readyz)(\/.*)?$/)
            .describe("Of Kubernetes, slashes and all."),
        }),
        query: z.looseObject({}),
      },
      responses: { 200: { description: "The cluster's own answer, with its own status." } },
    },
  ),
);
