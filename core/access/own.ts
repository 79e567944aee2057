import type { Kube, Work } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import { newKept } from "./home.ts";
import { enter, lifeSeconds } from "./session.ts";

interface Own {
  kube: Kube;
  /** Milliseconds since 1970: 80 % of its token's life. */
  until: number;
}

const owns = newKept<Promise<Own>>();

// With the tenant and the API token: two of one member's are two sessions, of which each ends by itself.
const keyOf = ({ tenant, actor }: Work, id: ID<"cluster">): string => [tenant, actor.member, actor.token, id].join("/");

/**
 * A client of the cluster as the calling member itself: by a token of its own account there, of 10 minutes, that never
 * leaves this process and ends with the API token that the member calls with.
 * @throws Fault as `issue` does.
 */
export async function kubeFor(ctx: Work, id: ID<"cluster">): Promise<Kube> {
  const { member, token } = ctx.actor;
  if (member === "system" || token === null) throw new Fault("forbidden", "Only a member has an account in a cluster.");
  const key = keyOf(ctx, id);
  for (let own = owns.get(ctx, key); own !== undefined; own = owns.get(ctx, key)) {
    const { kube, until } = await own;
    if (Date.parse(ctx.now()) < until) return kube;
    // Whoever waited for it too finds nothing now, or what another has begun by then.
    owns.drop(ctx, key, own);
  }
  const opening = open(ctx, id);
  owns.keep(ctx, key, opening);
  try {
    return (await opening).kube;
  } catch (error) {
    owns.drop(ctx, key, opening);
    throw error;
  }
}

/** What the cluster does not take any more, or where it may be no more, is not used again. */
export const forget = (ctx: Work, id: ID<"cluster">): void => owns.drop(ctx, keyOf(ctx, id));

async function open(ctx: Work, id: ID<"cluster">): Promise<Own> {
  const begun = Date.parse(ctx.now());
  // On record is what is done by it, not that it is there: it is given to nobody.
  const { target, expiresAt } = await enter(ctx, id, { seconds: lifeSeconds.min, also: () => [] });
  return { kube: ctx.kube(target), until: begun + 0.8 * (Date.parse(expiresAt) - begun) };
}
