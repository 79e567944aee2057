import * as z from "zod";
import type { Context, Home } from "../context.ts";
import { idOf, nounOf, type ID } from "../id.ts";
import { collect } from "../page.ts";
import { type Provider, providerKind } from "./schema.ts";
import { byName } from "./store.ts";

/** The home that discovery is kept for, and what the operator allows to be asked. */
export const outside = ({ home }: Pick<Context, "home">): { home: Home; allowed: readonly string[] } => ({
  home,
  allowed: home.privateIssuers ?? [],
});

/**
 * What signing in needs of the platform's directory. The tenant room knows tokens and much else, so this reads its rows
 * by itself; rows of any form will do.
 */
const Listed = z.object({ id: idOf("tenant"), state: z.enum(["active", "suspended"]) });
const any = Number.MAX_SAFE_INTEGER;
const listedKind = { name: "tenantName", schema: Listed, form: any };
const standingKind = { name: "tenant", schema: Listed, form: any };

/** Stands where no tenant is, so that as much is read for a name that is none. No clock will ever make it an id. */
const nobody: ID<"tenant"> = "tnt_7zzzzzzzzzzzzzzzzzzzzzzzzz";

/** The tenant that a name or an id means, when it is active. */
async function tenantOf(home: Home, text: string): Promise<ID<"tenant"> | undefined> {
  const found =
    nounOf(text) === "tenant"
      ? await home.table(text as ID<"tenant">).get(standingKind, text)
      : await home.table(home.tenant).get(listedKind, text);
  return found?.state === "active" ? found.id : undefined;
}

/**
 * The tenant's provider that a sign-in names. As much is read when there is no such tenant as when there is.
 * @returns undefined for what is not there.
 */
export async function find(
  { home }: Pick<Context, "home">,
  named: { tenant: string; provider: string },
): Promise<Provider | undefined> {
  const tenant = await tenantOf(home, named.tenant);
  const table = home.table(tenant ?? nobody);
  if (nounOf(named.provider) === "provider") return await table.get(providerKind, named.provider);
  return await byName({ table }, named.provider);
}

/** The providers of the tenant that a name or an id means; of one that is not there, none. */
export async function providersOf({ home }: Pick<Context, "home">, tenant: string): Promise<Provider[]> {
  const table = home.table((await tenantOf(home, tenant)) ?? nobody);
  return await collect((page) => table.list(providerKind, page));
}
