import { type Context, Refused } from "../context.ts";
import { Fault, missing, unmoved } from "../error.ts";
import type { ID } from "../id.ts";
import { decodeCursor, encodeCursor, limitDefault, limitMax, type Page, type PageInput } from "../page.ts";
import { builtin } from "./builtin.ts";
import { dangers } from "./danger.ts";
import { isBuiltin } from "./rules.ts";
import { type BuiltinName, builtinNames, type Group, groupKind, nameKind, type Ref, type View } from "./schema.ts";

/** Which generation may be changed; left out, any. */
export interface Only {
  generation?: number | undefined;
}

const tries = 20;

/** @throws Fault `missing`, also for what belongs to another tenant. */
export async function get(ctx: Context, id: ID<"group">): Promise<Group> {
  const group = await ctx.table.get(groupKind, id);
  if (group === undefined) throw missing("group");
  return group;
}

/** The group of this name, built in or not. */
export async function named(ctx: Context, name: string): Promise<View | undefined> {
  if (isBuiltin(name)) return builtinView(name);
  const holder = await ctx.table.get(nameKind, name);
  const group = holder && (await ctx.table.get(groupKind, holder.id));
  return group && view(group);
}

/** The built-in ones first, by rank, then the tenant's own by age. A built-in one's cursor is its name. */
export async function page(ctx: Context, { limit = limitDefault, after }: PageInput): Promise<Page<View>> {
  const said = after === undefined ? "" : decodeCursor(after);
  const from = after === undefined ? 0 : isBuiltin(said) ? builtinNames.indexOf(said) + 1 : builtinNames.length;
  const first = builtinNames.slice(from).map(builtinView);
  const last = first[limit - 1];
  // Out of bounds, the table says so.
  if (last !== undefined && limit >= 1 && limit <= limitMax) {
    return { items: first.slice(0, limit), next: encodeCursor(last.id) };
  }
  const own = await ctx.table.list(groupKind, { limit: limit - first.length, ...(isBuiltin(said) ? {} : { after }) });
  return { items: [...first, ...own.items.map(view)], next: own.next };
}

/**
 * Reads a group of the tenant's own and writes what `work` makes of it; when it was changed meanwhile, once more.
 * @throws Fault `conflict` for a built-in one; `missing`; `stale`; what `work` throws.
 */
export async function change<T>(
  ctx: Context,
  ref: Ref,
  { generation }: Only,
  work: (group: Group) => Promise<T>,
): Promise<T> {
  if (isBuiltin(ref)) throw new Fault("conflict", `The group ${ref} is built in: it stays as it is.`);
  for (let left = tries; left > 0; left -= 1) {
    const group = await get(ctx, ref);
    unmoved("group", group.generation, generation);
    try {
      return await work(group);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  throw new Fault("unavailable", "The group is changed by others all the time; try again.", { retryAfterSeconds: 1 });
}

const titles: Record<BuiltinName, string> = {
  owner: "Everything, in every namespace and at cluster scope",
  admin: "Everything in projects but quotas, limits and bindings; labels and cordon of nodes",
  edit: "Workloads, configuration and Secrets of projects",
  view: "To see projects, without their Secrets",
  audit: "To see what there is and who may do what, without data and logs",
};

/** A built-in group as a caller sees it: its id is its name, and it never changes. */
export const builtinView = (name: BuiltinName): View => ({
  id: name,
  name,
  title: titles[name],
  builtin: true,
  ...builtin[name],
  warnings: dangers(builtin[name]),
  generation: 1,
});

export const view = ({ id, name, title, rules, clusterRules, generation, createdAt }: Group): View => ({
  id,
  name,
  title,
  builtin: false,
  rules,
  clusterRules,
  warnings: dangers({ rules, clusterRules }),
  generation,
  createdAt,
});
