import * as Audit from "../audit/index.ts";
import { type Change, type Context, Refused } from "../context.ts";
import { Fault, missing } from "../error.ts";
import type { ID } from "../id.ts";
import * as Quota from "../quota/index.ts";
import { type Invite, inviteKind, over } from "./schema.ts";

const keepSeconds = 90 * 86_400;
const tries = 20;

/** @throws Fault `missing`, also for what belongs to another tenant. Gone 90 days after its end. */
export async function get({ table }: Pick<Context, "table">, id: ID<"invite">): Promise<Invite> {
  const invite = await table.get(inviteKind, id);
  if (invite === undefined) throw missing("invite");
  return invite;
}

/** The row's change that ends an invite for good, if nothing else did: its place is to be given back with it. */
export function ending(
  { table, now }: Pick<Context, "table" | "now">,
  id: ID<"invite">,
  set: Partial<Pick<Invite, "acceptedAt" | "acceptedBy" | "revokedAt">>,
): Change {
  const ttl = Math.ceil(Date.parse(now()) / 1000) + keepSeconds;
  return table.update(inviteKind, id, { set: { ...set, ttl }, remove: ["lookAt"], when: { ttl: { absent: true } } });
}

/** Reads an invite and writes what `work` makes of it; when it was ended meanwhile, once more from the start. */
export async function change<T>(ctx: Context, id: ID<"invite">, work: (invite: Invite) => Promise<T>): Promise<T> {
  for (let left = tries; left > 0; left -= 1) {
    const invite = await get(ctx, id);
    try {
      return await work(invite);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  throw new Fault("unavailable", "The invite is changed by others all the time; try again.", { retryAfterSeconds: 1 });
}

/**
 * Takes the place back of an invite that nobody accepted in time; one whose time is not over yet stays.
 * Woken by the sweep, and whatever woke it: it looks for itself.
 */
export async function expire(ctx: Context, id: ID<"invite">): Promise<"expired" | "waiting" | "gone"> {
  try {
    return await change(ctx, id, async (invite) => {
      if (invite.ttl !== undefined) return "gone";
      if (!over(invite, ctx.now())) return "waiting";
      const entry = Audit.entry(ctx, { verb: "invite:expired", target: id });
      await Quota.giving(ctx, "invites", [ending(ctx, id, {}), entry]);
      return "expired";
    });
  } catch (error) {
    if (error instanceof Fault && error.kind === "missing") return "gone";
    throw error;
  }
}
