import * as z from "zod";
import type { Context, Kind } from "../context.ts";
import { type ID, type Noun, nounOf } from "../id.ts";
import { limitMax } from "../page.ts";

// What things are called now. All rooms write entries, so none of theirs can be imported here without a circle; and a
// name is all that is read, so a row of any form will do.
const named = (name: string): Kind<{ name?: string | undefined }> => ({
  name,
  schema: z.object({ name: z.string().optional() }),
  form: Number.MAX_SAFE_INTEGER,
});
const tokenKind = named("token");
/** Whose a token is: its row lies under its member. */
const holderKind: Kind<{ member: string }> = {
  name: "tokenOwner",
  schema: z.object({ member: z.string() }),
  form: Number.MAX_SAFE_INTEGER,
};
/** The first of them that is there has the name; what is gone is known by its receipt. */
const kinds: Partial<Record<Noun, Kind<{ name?: string | undefined }>[]>> = {
  tenant: [named("tenant")],
  member: [named("member")],
  team: [named("team")],
  provider: [named("provider")],
  group: [named("group")],
  project: [named("project"), named("projectReceipt")],
  host: [named("host")],
  cluster: [named("cluster"), named("receipt")],
};

/** The names of things by their ids, as they are now; what has none, or is gone without a trace, is not in it. */
export async function namesOf(ctx: Pick<Context, "table">, ids: Iterable<string>): Promise<Map<string, string>> {
  const wanted = [...new Set(ids)];
  const tokens = wanted.filter((id): id is ID<"token"> => nounOf(id) === "token");
  const held = await readAll(
    ctx,
    tokens.map((id) => [holderKind, id] as const),
  );
  const keys = wanted.flatMap((id) => (kinds[nounOf(id) ?? "audit"] ?? []).map((kind) => ({ id, kind, key: id })));
  tokens.forEach((id, at) => {
    const member = held[at]?.member;
    if (member !== undefined) keys.push({ id, kind: tokenKind, key: `${member}/${id}` });
  });
  const rows = await readAll(
    ctx,
    keys.map(({ kind, key }) => [kind, key] as const),
  );
  const names = new Map<string, string>();
  keys.forEach(({ id }, at) => {
    const name = rows[at]?.name;
    if (name !== undefined && !names.has(id)) names.set(id, name);
  });
  return names;
}

async function readAll<T>(
  { table }: Pick<Context, "table">,
  keys: (readonly [Kind<T>, string])[],
): Promise<(T | undefined)[]> {
  const found: (T | undefined)[] = [];
  for (let from = 0; from < keys.length; from += limitMax)
    found.push(...(await table.getAll<(readonly [Kind<T>, string])[]>(keys.slice(from, from + limitMax))));
  return found;
}
