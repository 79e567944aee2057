import { allow } from "../allow.ts";
import type { Context } from "../context.ts";
import { count, type Whose } from "./store.ts";
import { counters, defaults, type Ledger, quotaKind, rateDefault, type View } from "./schema.ts";

/** What the tenant may have, and what it has. One read. */
export async function list(ctx: Context): Promise<View[]> {
  allow(ctx, "quota:read");
  return await views(ctx, ctx.actor.rate ?? rateDefault);
}

/** Every limit of a tenant, with a recount of its rows. It tells a difference and repairs none: that is for a person. */
export async function ledger(whose: Whose, rate = rateDefault): Promise<Ledger[]> {
  const told = await views(whose, rate);
  return await Promise.all(
    told.map(async (view) => {
      const counted = view.what === "requestsPerSecond" ? null : await count(whose.table, view.what);
      return { ...view, counted };
    }),
  );
}

async function views({ table }: Whose, rate: number): Promise<View[]> {
  const rows = await table.getAll(counters.map((what) => [quotaKind, what] as const));
  const counted = counters.map(async (what, at): Promise<View> => {
    const row = rows[at];
    return { what, used: row?.used ?? (await count(table, what)), limit: row?.limit ?? defaults[what] };
  });
  return [...(await Promise.all(counted)), { what: "requestsPerSecond", used: null, limit: rate }];
}
