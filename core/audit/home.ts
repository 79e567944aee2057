import { allow } from "../allow.ts";
import { type Binding, type Context, type Home, Refused, type Table, type Work } from "../context.ts";
import type { ID } from "../id.ts";
import type { Page, PageInput } from "../page.ts";
import { hashOf } from "./canonical.ts";
import { newKey, newSigner, type Signer } from "./key.ts";
import {
  auditKeyKind,
  auditKind,
  type Digest,
  digestKind,
  Entry,
  headID,
  headKind,
  type Key,
  KeyView,
  signerID,
  signerKind,
} from "./schema.ts";

/** How many entries one digest holds at most: with the digest and the head they must fit into one write. */
export const entriesMax = 90;

/**
 * Puts these entries into the tenant's next digest: digest, head of the chain and the marks on the entries move in one
 * transaction, so whatever ends in the middle has sealed all of them or none, and none twice.
 * @param ids up to 90; those that are sealed already, or gone, are left out.
 * @returns how many were sealed; 0 when nothing was left to seal, or another sealer was quicker.
 */
export async function seal(
  ctx: { home: Home; now(): string },
  tenant: ID<"tenant">,
  ids: readonly string[],
  signer: Signer,
): Promise<number> {
  const table = ctx.home.table(tenant);
  const rows = await table.getAll([...new Set(ids)].sort().map((id) => [auditKind, id] as const));
  const open = rows.flatMap((row) => (row?.unsealed === undefined ? [] : [{ row, mark: row.unsealed }]));
  if (open.length === 0) return 0;
  const head = await table.get(headKind, headID);
  const sequence = (head?.sequence ?? 0) + 1;
  const times = open.map(({ row }) => row.at).sort();
  const digest: Digest = signer.sign({
    id: String(sequence).padStart(12, "0"),
    sequence,
    tenant,
    from: times[0] ?? ctx.now(),
    to: times.at(-1) ?? ctx.now(),
    entries: open.map(({ row }) => ({ id: row.id, sha256: hashOf(Entry.parse(row)) })),
    previous: head?.sha256 ?? null,
    at: ctx.now(),
  });
  const next = { sequence, sha256: hashOf(digest) };
  try {
    await table.write(
      head === undefined
        ? table.insert(headKind, headID, next)
        : table.update(headKind, headID, { set: next, when: head }),
      table.insert(digestKind, digest.id, digest),
      ...open.map(({ row, mark }) =>
        table.update(auditKind, row.id, { remove: ["unsealed"], when: { unsealed: mark } }),
      ),
    );
    return open.length;
  } catch (error) {
    if (error instanceof Refused) return 0;
    throw error;
  }
}

/**
 * The key that signs now; made at the first call ever. Of two that make one at once, one is kept, and both sign with it.
 * It stands in the home tenant, sealed.
 */
export async function openSigner(ctx: Pick<Work, "home" | "now" | "random" | "seal">): Promise<Signer> {
  const { tenant } = ctx.home;
  const binding = (name: string): Binding => ({ tenant, cluster: "audit", name });
  const table = ctx.home.table(tenant);
  const known = await current(table);
  if (known !== undefined) return newSigner(known.id, await ctx.seal.open(known.sealed, binding(known.id)));
  const { privateKey, ...told } = newKey(ctx.random(32));
  const row: Key = { ...told, sealed: await ctx.seal.seal(privateKey, binding(told.id)), createdAt: ctx.now() };
  try {
    await table.write(table.insert(signerKind, signerID, { keyID: row.id }), table.insert(auditKeyKind, row.id, row));
    return newSigner(row.id, privateKey);
  } catch (error) {
    const other = error instanceof Refused ? await current(table) : undefined;
    if (other === undefined) throw error;
    return newSigner(other.id, await ctx.seal.open(other.sealed, binding(other.id)));
  }
}

async function current(table: Table): Promise<Key | undefined> {
  const signer = await table.get(signerKind, signerID);
  if (signer === undefined) return undefined;
  const key = await table.get(auditKeyKind, signer.keyID);
  if (key === undefined) throw new Error(`the key ${signer.keyID}, which signs digests, is gone`);
  return key;
}

/** The public keys that digests are checked with, of all tenants' digests alike. For owners. */
export async function keys(ctx: Context, page: PageInput): Promise<Page<KeyView>> {
  allow(ctx, "audit:read");
  const { items, next } = await ctx.home.table(ctx.home.tenant).list(auditKeyKind, page);
  return { items: items.map((item) => KeyView.parse(item)), next };
}
