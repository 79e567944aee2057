import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import { type Context, Refused } from "../context.ts";
import { Fault } from "../error.ts";
import { type ID, newID } from "../id.ts";
import * as Member from "../member/index.ts";
import * as Outbox from "../outbox/index.ts";
import type { Page, PageInput } from "../page.ts";
import * as Quota from "../quota/index.ts";
import { type Holds, mayMake } from "./make.ts";
import { isBuiltin } from "./rules.ts";
import { type CreateInput, type Group, groupKind, nameKind, type Ref, type UpdateInput, type View } from "./schema.ts";
import * as store from "./store.ts";

/**
 * A new group. It gives nothing until it is granted.
 * @throws Fault `forbidden` for a rule that the caller does not hold in the whole tenant; `conflict` for a name that is
 * taken, or a built-in one's; `limit` when the tenant may have no more.
 */
export async function create(ctx: Context, input: CreateInput, holds: Holds): Promise<View> {
  allow(ctx, "group:write");
  const { name, title = name, rules, clusterRules } = input;
  if (isBuiltin(name)) throw taken(name, `The name ${name} is a built-in group's.`);
  await mayMake(ctx, holds, [input]);
  const group: Group = {
    id: newID(ctx, "group"),
    tenant: ctx.tenant,
    name,
    title,
    rules,
    clusterRules,
    generation: 1,
    createdAt: ctx.now(),
    createdBy: ctx.actor.member,
  };
  try {
    await Member.asCaller(ctx, (caller) =>
      Quota.taking(ctx, "groups", [
        ...caller,
        ctx.table.insert(nameKind, name, { id: group.id }),
        ctx.table.insert(groupKind, group.id, group),
        Audit.entry(ctx, { verb: "group:create", target: group.id }),
      ]),
    );
  } catch (error) {
    throw error instanceof Refused ? taken(name, `There is a group named ${name} already.`, error) : error;
  }
  return store.view(group);
}

/** The built-in groups, then the tenant's own, oldest first; with `name` the one of that name or none. */
export async function list(
  ctx: Context,
  { name, ...page }: PageInput & { name?: string | undefined },
): Promise<Page<View>> {
  allow(ctx, "group:read");
  if (name === undefined) return await store.page(ctx, page);
  const found = await store.named(ctx, name);
  return { items: found === undefined ? [] : [found], next: null };
}

/** One of the tenant's own by its id, a built-in one by its name. @throws Fault `missing`. */
export async function get(ctx: Context, ref: Ref): Promise<View> {
  allow(ctx, "group:read");
  return isBuiltin(ref) ? store.builtinView(ref) : store.view(await store.get(ctx, ref));
}

/**
 * Changes title or rules; who is given the group has the new rules on every cluster as soon as that was told.
 * @param only.generation when given, the one generation that may be changed.
 * @throws Fault `missing`; `stale`; `conflict` for a built-in one; `forbidden` for a rule, old or new, that the caller
 * does not hold in the whole tenant, and for new rules of a group that is given to all who could not give it; `invalid`
 * when no rule would be left.
 */
export async function update(
  ctx: Context,
  ref: Ref,
  input: UpdateInput,
  only: store.Only,
  holds: Holds,
): Promise<View> {
  allow(ctx, "group:write");
  return await store.change(ctx, ref, only, async (group) => {
    const given = Object.entries(input).filter(([, value]) => value !== undefined);
    const next: Group = { ...group, ...Object.fromEntries(given), generation: group.generation + 1 };
    if (next.rules.length + next.clusterRules.length === 0) {
      const errors = [{ field: "rules", message: "must have a rule, here or in clusterRules" }];
      throw new Fault("invalid", "A group without rules is none: remove it.", { errors });
    }
    const ruled = input.rules !== undefined || input.clusterRules !== undefined;
    const guards = await mayMake(ctx, holds, [group, next], ruled ? group.id : undefined);
    const { table } = ctx;
    const set = { ...Object.fromEntries(given), generation: next.generation };
    await Member.asCaller(ctx, (caller) =>
      table.write(
        ...caller,
        table.update(groupKind, group.id, { set, when: { generation: group.generation } }),
        ...guards,
        Audit.entry(ctx, { verb: "group:update", target: group.id, changes: given.map(([field]) => field) }),
        ...(ruled ? [Outbox.note(ctx, "all")] : []),
      ),
    );
    return store.view(next);
  });
}

/**
 * Removes a group that nobody is given. A grant that comes at the same moment finds it gone, or gives nothing.
 * @param used how many grants, requests among them, are of the group.
 * @returns the group as it was.
 * @throws Fault `missing`; `stale`; `forbidden` as `update` does; `conflict` for a built-in one, and with how many
 * grants there are.
 */
export async function remove(
  ctx: Context,
  ref: Ref,
  only: store.Only,
  { holds, used }: { holds: Holds; used: (ctx: Context, id: ID<"group">) => Promise<number> },
): Promise<View> {
  allow(ctx, "group:write");
  return await store.change(ctx, ref, only, async (group) => {
    await mayMake(ctx, holds, [group]);
    const count = await used(ctx, group.id);
    if (count > 0) {
      const them = count === 1 ? "1 grant is" : `${count} grants are`;
      throw new Fault("conflict", `${them} of the group ${group.name}: remove them first.`);
    }
    const { table } = ctx;
    await Member.asCaller(ctx, (caller) =>
      Quota.giving(ctx, "groups", [
        ...caller,
        table.remove(groupKind, group.id, { generation: group.generation }),
        table.remove(nameKind, group.name, { id: group.id }),
        Audit.entry(ctx, { verb: "group:remove", target: group.id }),
        Outbox.note(ctx, "all"),
      ]),
    );
    return store.view(group);
  });
}

const taken = (name: string, message: string, cause?: unknown): Fault =>
  new Fault("conflict", message, { errors: [{ field: "name", message: `${name} is taken` }], cause });
