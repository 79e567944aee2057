import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import { type Context, Refused } from "../context.ts";
import { Fault, unmoved } from "../error.ts";
import { type ID, newID } from "../id.ts";
import * as Member from "../member/index.ts";
import { collect, type Page, type PageInput } from "../page.ts";
import * as Token from "../token/index.ts";
import { discover, Unfit } from "./discovery.ts";
import type * as schema from "./schema.ts";
import { type CreateInput, nameKind, type Provider, providerKind, providersMax, type UpdateInput } from "./schema.ts";
import * as store from "./store.ts";

/**
 * A provider, looked at before: its discovery document must name the same issuer, and endpoints that may be asked.
 * @throws Fault `invalid`, naming the field, when it does not; `conflict` when the name is taken; `limit`.
 */
export async function create(ctx: Context, input: CreateInput): Promise<schema.View> {
  allow(ctx, "provider:write");
  covered(ctx, input);
  await room(ctx);
  await look(ctx, input.issuer);
  const own = { id: newID(ctx, "provider"), generation: 1, createdAt: ctx.now() };
  const provider: Provider = { ...own, ...filled(ctx, input) };
  const taken = (cause?: unknown): Fault =>
    new Fault("conflict", `There is a provider named ${input.name} already.`, { cause });
  try {
    await Member.asCaller(ctx, async (caller) => {
      const changes = [
        ctx.table.insert(nameKind, provider.name, { id: provider.id }),
        ctx.table.insert(providerKind, provider.id, provider),
        Audit.entry(ctx, { verb: "provider:create", target: provider.id }),
      ];
      await ctx.table.write(...caller, ...changes);
    });
  } catch (cause) {
    if (cause instanceof Refused) throw taken(cause);
    throw cause;
  }
  return provider;
}

/** What `create` would make, and what the provider says of itself; nothing is written. @throws Fault as `create` does. */
export async function attempt(ctx: Context, input: CreateInput): Promise<schema.Tried> {
  allow(ctx, "provider:write");
  covered(ctx, input);
  await room(ctx);
  const { keys: _, ...endpoints } = await look(ctx, input.issuer);
  if ((await store.byName(ctx, input.name)) !== undefined) {
    throw new Fault("conflict", `There is a provider named ${input.name} already.`);
  }
  return { ...filled(ctx, input), endpoints };
}

/** The providers of the tenant, oldest first. */
export async function list(ctx: Context, page: PageInput): Promise<Page<schema.View>> {
  allow(ctx, "provider:read");
  return await ctx.table.list(providerKind, page);
}

/** @throws Fault `missing`. */
export async function get(ctx: Context, id: ID<"provider">): Promise<schema.View> {
  allow(ctx, "provider:read");
  return await store.get(ctx, id);
}

/**
 * Changes all but name and issuer. Sessions that it gave go on.
 * @param only.generation when given, the one generation that may be changed.
 * @throws Fault `missing`; `stale`.
 */
export async function update(
  ctx: Context,
  id: ID<"provider">,
  input: UpdateInput,
  only: { generation?: number | undefined } = {},
): Promise<schema.View> {
  allow(ctx, "provider:write");
  for (let left = 20; left > 0; left -= 1) {
    const provider = await store.get(ctx, id);
    unmoved("provider", provider.generation, only.generation);
    const given = Object.entries(input).filter(([, value]) => value !== undefined);
    const set = { ...Object.fromEntries(given), generation: provider.generation + 1 };
    covered(ctx, { ...provider, ...set });
    const changes = [
      ctx.table.update(providerKind, id, { set, when: { generation: provider.generation } }),
      Audit.entry(ctx, { verb: "provider:update", target: id, changes: given.map(([field]) => field) }),
    ];
    try {
      await Member.asCaller(ctx, (caller) => ctx.table.write(...caller, ...changes));
      return { ...provider, ...set };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  throw new Fault("unavailable", "The provider is changed by others all the time.", { retryAfterSeconds: 1 });
}

/**
 * Removes a provider, and ends every session that it gave. Members stay: an owner removes them, or another provider of
 * the same issuer lets them in again. A repeat goes on where it was left.
 * @throws Fault `missing`; `stale`.
 */
export async function remove(
  ctx: Context,
  id: ID<"provider">,
  only: { generation?: number | undefined } = {},
): Promise<void> {
  allow(ctx, "provider:write");
  const provider = await store.get(ctx, id);
  unmoved("provider", provider.generation, only.generation);
  const changes = [
    ctx.table.remove(nameKind, provider.name),
    ctx.table.remove(providerKind, id, { generation: provider.generation }),
    Audit.entry(ctx, { verb: "provider:remove", target: id }),
  ];
  // Twice: the first ends most while a repeat still finds the provider, the second who came in at the very last.
  await Token.endSessions(ctx, id);
  try {
    await Member.asCaller(ctx, (caller) => ctx.table.write(...caller, ...changes));
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause;
    throw new Fault("stale", "The provider was changed meanwhile.", { cause });
  }
  await Token.endSessions(ctx, id);
}

/** Who lets people make themselves members gives them their role. @throws Fault `forbidden` beyond the token's scopes. */
function covered(ctx: Context, { jit, defaultRole }: Pick<Provider, "jit" | "defaultRole">): void {
  if (jit) Member.covered(ctx, defaultRole);
}

function filled(
  ctx: Context,
  { title, audience, ...input }: CreateInput,
): Omit<Provider, "id" | "generation" | "createdAt"> {
  return { tenant: ctx.tenant, ...input, title: title ?? input.name, ...(audience !== undefined && { audience }) };
}

async function look(ctx: Context, issuer: string) {
  try {
    return await discover(ctx, issuer, { anew: true });
  } catch (cause) {
    if (!(cause instanceof Unfit)) throw cause;
    const errors = [{ field: "issuer", message: cause.message }];
    throw new Fault("invalid", "The provider can't be used.", { errors, cause });
  }
}

/** A list that everyone who signs in is shown is kept short; it is not counted exactly. */
async function room(ctx: Context): Promise<void> {
  const all = await collect((page) => ctx.table.list(providerKind, page));
  if (all.length < providersMax) return;
  throw new Fault("limit", `The limit is ${providersMax} providers, and ${all.length} are used.`);
}
