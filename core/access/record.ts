import * as z from "zod";
import * as Audit from "../audit/index.ts";
import { type Kind, Refused, type Work } from "../context.ts";
import type { ID } from "../id.ts";
import type { Ask } from "./ask.ts";
import type { Place } from "./path.ts";

/** That an API token read through Berth in an hour: under `<token>/<cluster>/<hour>`, so that it is told of once. */
const readKind: Kind<{ ttl: number }> = { name: "proxied", schema: z.object({ ttl: z.number().int() }) };

/** On record before it happens: each change by itself, and of reading that it was, once an hour. */
export async function noted(ctx: Work, id: ID<"cluster">, { verb, writes }: Ask, { resource }: Place): Promise<void> {
  const { plural = "", group = "", subresource } = resource ?? {};
  const what = [plural, group].filter(Boolean).join(".") + (subresource === undefined ? "" : `/${subresource}`);
  const entry = (changes: string[]) => Audit.entry(ctx, { verb: "cluster:proxy", target: id, changes });
  if (writes) return await ctx.table.write(entry([`${verb} ${what}`.trim()]));
  const now = ctx.now();
  const key = `${ctx.actor.token}/${id}/${now.slice(0, 13)}`;
  if ((await ctx.table.get(readKind, key)) !== undefined) return;
  try {
    const ttl = Math.ceil(Date.parse(now) / 1_000) + 7_200;
    await ctx.table.write(ctx.table.insert(readKind, key, { ttl }), entry(["read"]));
  } catch (error) {
    // Another request of the same token told of it just now.
    if (!(error instanceof Refused)) throw error;
  }
}
