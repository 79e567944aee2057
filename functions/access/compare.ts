import * as z from "zod";
import * as Access from "#core/access/index.ts";
import { idOf } from "#core/id.ts";
import { json, route } from "../api/door.ts";

const Comparison = Access.Comparison.meta({
  id: "RightsComparison",
  description: "What was granted to a member, beside what a cluster says that its account holds.",
});

export const compareRights = route(
  { permission: "cluster:access", fresh: true },
  {
    method: "get",
    path: "/v1/kube/clusters/{id}/rights",
    operationId: "compareRights",
    tags: ["rights"],
    summary: "Compare rights with what the cluster says",
    description:
      "The cluster is asked as the member's own account (SelfSubjectRulesReview), by a token that is not given out and " +
      "ends with the call. Of others only owners may ask. 409 while the member has no account there.",
    request: {
      params: z.object({ id: idOf("cluster") }),
      query: z.strictObject({
        project: idOf("project")
          .optional()
          .describe("In its namespace; left out, in `default`, which is no project's."),
        member: idOf("member").optional().describe("Of whom; left out, of the caller."),
      }),
    },
    responses: { 200: json("The comparison.", Comparison) },
  },
);
