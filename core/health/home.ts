import { allow } from "../allow.ts";
import type { Context } from "../context.ts";
import * as Host from "../host/index.ts";
import { bornAt } from "../id.ts";
import { limits } from "../lease.ts";
import { limitMax } from "../page.ts";
import type { Health } from "./schema.ts";

/** A row that is due is poked within a minute and looked at soon after. */
const overdueMilliseconds = 120_000;

/** How home is now: about a dozen reads, and no write. @throws Fault `missing` to all but staff. */
export async function look(ctx: Context): Promise<Health> {
  allow(ctx, "home:read");
  const { home } = ctx;
  const began = Date.parse(ctx.now());
  const hosts = await Host.all(home);
  const now = Date.parse(ctx.now());
  const before = new Date(now - overdueMilliseconds).toISOString();
  const shards = Array.from({ length: limits.dueShards }, (_, shard) => shard);
  const [parked, due, unsealed] = await Promise.all([
    home.parked({ limit: limitMax }),
    Promise.all(shards.map((shard) => home.due(shard, before, { limit: limitMax }))),
    Promise.all(shards.map((shard) => home.unsealed(shard, new Date(now).toISOString(), { limit: 1 }))),
  ]);
  const oldest = unsealed.flatMap(({ items }) => items.map(({ id }) => bornAt(id)));
  return {
    tableMilliseconds: now - began,
    hosts: { all: hosts.length, healthy: hosts.filter((host) => Host.healthy(host, ctx.now())).length },
    overdue: due.reduce((sum, { items }) => sum + items.length, 0),
    parked: parked.items.length,
    unsealedSeconds: oldest.length === 0 ? 0 : Math.max(0, Math.round((now - Math.min(...oldest)) / 1000)),
  };
}
