import { type Context, Refused } from "../context.ts";
import { limits } from "../lease.ts";
import { pages } from "../page.ts";
import { clusterKind } from "./schema.ts";

/**
 * Every cluster of the tenant is to be looked at now: what is wanted in them follows from more than their own rows.
 * A lost poke costs a minute, as each is due. Who holds a lease is told to look again; what is parked stays so.
 */
export async function stir(ctx: Context): Promise<void> {
  for await (const clusters of pages((page) => ctx.table.list(clusterKind, page))) {
    await Promise.all(
      clusters.map(async ({ id }) => {
        // Dirty also where nobody was seen to hold it: somebody may since, who looked before the change.
        const set = { lookAt: ctx.now(), dirty: true };
        try {
          await ctx.table.edit(clusterKind, id, { set, when: { failures: { below: limits.parkedAfterFailures } } });
        } catch (error) {
          // Parked, or gone by now: there is nothing to wake.
          if (!(error instanceof Refused)) throw error;
          return;
        }
        await ctx.poke(id);
      }),
    );
  }
}
