import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import { type Context, Newer, type Place, Refused } from "../context.ts";
import { missing } from "../error.ts";
import { type ID, nounOf } from "../id.ts";
import { wake } from "../lease.ts";
import type { Page, PageInput } from "../page.ts";
import { kindOf, type Released, type ReleaseInput, type View } from "./schema.ts";

/** Rows of any tenant that wait for a person, the longest first. @throws Fault `missing` to all but staff. */
export async function list(ctx: Context, page: PageInput): Promise<Page<View>> {
  allow(ctx, "home:read");
  const { items, next } = await ctx.home.parked(page);
  const views = await Promise.all(items.map((place) => view(ctx, place)));
  return { items: views.filter((each) => each !== undefined), next };
}

/**
 * Has a parked row looked at again, as if it had never failed. What is not parked is left as it is.
 * The entry is the home tenant's, whose staff acts: as with all that staff does to tenants.
 * @throws Fault `missing` when there is no such row, and to all but staff; `unavailable` for one of a newer release.
 */
export async function release(ctx: Context, id: ID, { tenant }: ReleaseInput): Promise<Released> {
  allow(ctx, "home:write");
  const noun = nounOf(id) ?? "row";
  const table = ctx.home.table(tenant);
  const kind = kindOf(noun);
  try {
    await ctx.table.write(
      table.update(kind, id, { ...wake(ctx.now()), when: { parkedAt: { present: true } } }),
      Audit.entry(ctx, { verb: "parked:release", target: id }),
    );
  } catch (refused) {
    if (!(refused instanceof Refused) || refused.index !== 0) throw refused;
    if (refused.found === undefined) throw missing(noun);
    return { tenant, id, released: false };
  }
  await ctx.home.poke(tenant, id);
  return { tenant, id, released: true };
}

/** Undefined when it was released between the two reads. */
async function view(ctx: Context, { tenant, id }: Place): Promise<View | undefined> {
  const noun = nounOf(id) ?? "unknown";
  try {
    const row = await ctx.home.table(tenant).get(kindOf(noun), id);
    if (row?.parkedAt === undefined) return undefined;
    const why = row.status.conditions.find(({ type }) => type === "Parked")?.message ?? "It failed too often.";
    return { tenant, id, noun, name: row.name ?? null, why, since: row.parkedAt };
  } catch (error) {
    if (!(error instanceof Newer)) throw error;
    return { tenant, id, noun, name: null, why: error.message, since: null };
  }
}
