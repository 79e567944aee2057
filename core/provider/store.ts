import type { Context } from "../context.ts";
import { missing } from "../error.ts";
import type { ID } from "../id.ts";
import { nameKind, type Provider, providerKind } from "./schema.ts";

/** @throws Fault `missing`, also for what belongs to another tenant. */
export async function get({ table }: Pick<Context, "table">, id: ID<"provider">): Promise<Provider> {
  const provider = await table.get(providerKind, id);
  if (provider === undefined) throw missing("provider");
  return provider;
}

/** The provider of a name, if there is one. */
export async function byName({ table }: Pick<Context, "table">, name: string): Promise<Provider | undefined> {
  const held = await table.get(nameKind, name);
  return held && (await table.get(providerKind, held.id));
}
