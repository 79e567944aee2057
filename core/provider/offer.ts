import type { Context } from "../context.ts";
import { discover, Unfit } from "./discovery.ts";
import { providersOf } from "./home.ts";
import type { Offer } from "./schema.ts";

/**
 * How one may sign in to a tenant; for a tenant that is not there, nothing.
 * @param name the tenant's name or id.
 */
export async function offers(ctx: Pick<Context, "home" | "now">, name: string): Promise<Offer[]> {
  const providers = await providersOf(ctx, name);
  return await Promise.all(
    providers.map(async ({ name: called, title, issuer, clientID, scopes, tenant }) => {
      const endpoints = await endpointsOf({ ...ctx, tenant }, issuer);
      return { name: called, title, issuer, clientID, scopes, endpoints };
    }),
  );
}

async function endpointsOf(ctx: Parameters<typeof discover>[0], issuer: string): Promise<Offer["endpoints"]> {
  try {
    const { keys: _, ...endpoints } = await discover(ctx, issuer);
    return endpoints;
  } catch (error) {
    if (error instanceof Unfit) return null;
    throw error;
  }
}
