import compare from "semver/functions/compare.js";
import { allow } from "../allow.ts";
import type { Context } from "../context.ts";
import * as Host from "../host/index.ts";
import type { Page } from "../page.ts";
import { entries } from "./catalogue.ts";
import type { View } from "./schema.ts";

/** The whole catalogue, newest first, each with the regions where it can be run now. One page, always. */
export async function list(ctx: Context): Promise<Page<View>> {
  allow(ctx, "version:read");
  const offers = await Host.offers(ctx);
  const items = entries
    .toSorted((a, b) => compare(b.version, a.version))
    .map((entry) => ({
      ...entry,
      regions: [...new Set(offers.filter((o) => o.versions.includes(entry.version)).map((o) => o.region))].sort(),
    }));
  return { items, next: null };
}
