import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import type { Context } from "../context.ts";
import { limitDefault, type Page } from "../page.ts";
import type { Redriven, RedriveInput, View } from "./schema.ts";

/**
 * Some of the dead letters, in no order: a queue can't be paged, so `next` is always null. They stay where they are.
 * @throws Fault `missing` to all but staff.
 */
export async function list(ctx: Context, { limit = limitDefault }: { limit?: number }): Promise<Page<View>> {
  allow(ctx, "home:read");
  const letters = await ctx.home.letters(limit);
  return { items: letters.map(({ poke, ...told }) => ({ ...told, names: poke ?? null })), next: null };
}

/**
 * Sends dead letters back to the queue. None is lost: whoever dies in between has sent one twice, which is harmless.
 * @throws Fault `missing` to all but staff.
 */
export async function redrive(ctx: Context, { limit }: RedriveInput): Promise<Redriven> {
  allow(ctx, "home:write");
  // The queue is in no transaction of ours: what is asked is on record before it happens.
  await ctx.table.write(Audit.entry(ctx, { verb: "letter:redrive", target: "letters" }));
  return { redriven: await ctx.home.redrive(limit) };
}
