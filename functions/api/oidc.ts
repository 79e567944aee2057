import * as z from "zod";
import * as Cluster from "#core/cluster/index.ts";
import type { Deps } from "../deps.ts";
import { json, newRouter, route } from "./door.ts";
import { noSuchPage } from "./problem.ts";

const Discovery = z
  .object({
    issuer: z.string(),
    jwks_uri: z.string(),
    response_types_supported: z.array(z.string()),
    subject_types_supported: z.array(z.string()),
    id_token_signing_alg_values_supported: z.array(z.string()),
  })
  .meta({ id: "Discovery", description: "What a verifier needs to know of an issuer (OpenID Connect Discovery 1.0)." });
const Keys = z
  .object({ keys: z.array(Cluster.PublicKey) })
  .meta({ id: "JWKS", description: "The public keys of an issuer (RFC 7517)." });
// No more than texts: what can't be an id is as little there as what never was.
const params = z.object({ tenant: z.string(), cluster: z.string() });
const tags = ["oidc"];

const issuerOf = async (deps: Deps, { tenant, cluster }: z.output<typeof params>): Promise<Cluster.Issuer> => {
  const found = await Cluster.issuer(deps, tenant, cluster);
  if (found === undefined) throw noSuchPage();
  return found;
};

/** By these, others check the tokens of a cluster's ServiceAccounts. Open to all, as verifiers have no account here. */
export const issuers = newRouter()
  .openapi(
    route(
      { permission: "public" },
      {
        method: "get",
        path: "/oidc/{tenant}/{cluster}/.well-known/openid-configuration",
        operationId: "getDiscovery",
        tags,
        summary: "Discover a cluster's issuer",
        description: "For whoever trusts ServiceAccounts of this cluster. Needs no token.",
        request: { params },
        responses: { 200: json("The issuer.", Discovery) },
      },
    ),
    async (c) => {
      const { url } = await issuerOf(c.var.deps, c.req.valid("param"));
      const answer = {
        issuer: url,
        jwks_uri: `${url}/openid/v1/jwks`,
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
      };
      return c.json(answer, 200);
    },
  )
  .openapi(
    route(
      { permission: "public" },
      {
        method: "get",
        path: "/oidc/{tenant}/{cluster}/openid/v1/jwks",
        operationId: "getJWKS",
        tags,
        summary: "Get an issuer's public keys",
        description: "The keys by which its tokens are checked. Needs no token.",
        request: { params },
        responses: { 200: { description: "The keys.", content: { "application/jwk-set+json": { schema: Keys } } } },
      },
    ),
    async (c) => {
      const { key } = await issuerOf(c.var.deps, c.req.valid("param"));
      return c.json({ keys: [key] }, 200, { "Content-Type": "application/jwk-set+json" });
    },
  );
