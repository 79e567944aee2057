import { allow } from "../allow.ts";
import type { Work } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import * as PKI from "../pki/index.ts";
import { enter, givenOut, lifeSeconds, type Session } from "./session.ts";

/** A credential for one cluster, and where to use it. */
export interface Issued {
  token: string;
  /** ISO 8601 UTC. */
  expiresAt: string;
  server: string;
  /** PEM. */
  authority: string;
  serverName: string;
}

/**
 * A token of the caller's own account in the cluster, bound to the session's Secret: deleting that Secret ends it.
 * @throws Fault `missing`; `forbidden` without a right there, and for a token that is bound to projects or to other
 * clusters; `unavailable` while the account is being made or the cluster does not answer.
 */
export async function issue(ctx: Work, id: ID<"cluster">, { seconds }: { seconds: number }): Promise<Issued> {
  allow(ctx, "cluster:access", "some");
  const { token, expiresAt, server, authority, serverName } = await given(ctx, id, seconds);
  return { token, expiresAt, server, authority, serverName };
}

/** A kubeconfig that holds such a token, for programs that can't run a credential command. */
export async function kubeconfig(
  ctx: Work,
  id: ID<"cluster">,
  { seconds }: { seconds: number },
): Promise<{ kubeconfig: string; expiresAt: string }> {
  allow(ctx, "cluster:access", "some");
  const { name, token, expiresAt, server, authority, serverName } = await given(ctx, id, seconds);
  const where = { server, authority, serverName };
  return { kubeconfig: PKI.kubeconfig({ name, ...where, user: { token } }), expiresAt };
}

async function given(ctx: Work, id: ID<"cluster">, seconds: number): Promise<Session> {
  // The account of a member holds all that it holds there: no cluster could keep its token to some projects.
  if (ctx.actor.within?.projects !== undefined) {
    const why = "This token is bound to projects, and a cluster's own token would not be: use /v1/kube/{id}/….";
    throw new Fault("forbidden", why);
  }
  allow(ctx, "cluster:access", { cluster: id });
  if (seconds < lifeSeconds.min || seconds > lifeSeconds.max) {
    const message = `must be from ${lifeSeconds.min} to ${lifeSeconds.max}`;
    throw new Fault("invalid", "The token can't live so long.", { errors: [{ field: "seconds", message }] });
  }
  return await enter(ctx, id, { seconds, also: () => [givenOut(ctx, id)] });
}
