import * as z from "zod";
import * as Cluster from "#core/cluster/index.ts";
import { idOf } from "#core/id.ts";
import { body, json, newRouter, route } from "./door.ts";

const PokeInput = z
  .strictObject({
    pokes: z
      .array(
        z.strictObject({
          tenant: idOf("tenant"),
          id: z.union([idOf("cluster"), idOf("access")], {
            error: "must be the id of a cluster, or of what it grants",
          }),
        }),
      )
      .min(1)
      .max(100),
  })
  .meta({ id: "PokeInput", description: "Clusters, and what they grant, that want to be looked at." });

/** For the ears on hosts; to everyone else this route is not there. */
export const pokes = newRouter().openapi(
  route(
    { permission: "home:poke" },
    {
      method: "post",
      path: "/v1/home/pokes",
      operationId: "poke",
      tags: ["home"],
      summary: "Hint that clusters want to be looked at",
      description:
        "For the ears on hosts, whose tokens need no other scope. A hint about nothing is harmless, and one that is " +
        "lost costs a lap.",
      request: { body: body(PokeInput) },
      responses: { 202: json("Passed on.", z.object({ pokes: z.number().int().describe("How many.") })) },
    },
  ),
  async (c) => {
    const { pokes } = c.req.valid("json");
    await Cluster.hear(c.var.ctx, pokes);
    return c.json({ pokes: pokes.length }, 202);
  },
);
