import { createHash } from "node:crypto";
import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import * as Cluster from "../cluster/index.ts";
import { type Found, type Kube, KubeFault, ours, type Work } from "../context.ts";
import { Fault } from "../error.ts";
import { type ID, kubeName } from "../id.ts";
import * as PKI from "../pki/index.ts";

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

/** How long a token may live: 10 minutes to 24 hours. */
export const lifeSeconds = { min: 600, max: 86_400, default: 3_600 } as const;

/**
 * A token of the caller's own account in the cluster, bound to the session's Secret: deleting that Secret ends it.
 * @throws Fault `missing`; `forbidden` without a right there; `unavailable` while the cluster does not answer.
 */
export async function issue(ctx: Work, id: ID<"cluster">, { seconds }: { seconds: number }): Promise<Issued> {
  return (await enter(ctx, id, seconds)).issued;
}

/** A kubeconfig that holds such a token, for programs that can't run a credential command. */
export async function kubeconfig(
  ctx: Work,
  id: ID<"cluster">,
  { seconds }: { seconds: number },
): Promise<{ kubeconfig: string; expiresAt: string }> {
  const { name, issued } = await enter(ctx, id, seconds);
  const { token, expiresAt, ...where } = issued;
  return { kubeconfig: PKI.kubeconfig({ name, ...where, user: { token } }), expiresAt };
}

async function enter(ctx: Work, id: ID<"cluster">, seconds: number): Promise<{ name: string; issued: Issued }> {
  allow(ctx, "cluster:access");
  if (seconds < lifeSeconds.min || seconds > lifeSeconds.max) {
    const message = `must be from ${lifeSeconds.min} to ${lifeSeconds.max}`;
    throw new Fault("invalid", "The token can't live so long.", { errors: [{ field: "seconds", message }] });
  }
  const { name, target, namespace, ...where } = await Cluster.accessTarget(ctx, id);
  const kube = ctx.kube(target);
  try {
    const session = await sessionSecret(ctx, kube, namespace);
    const account = { name: kubeName(ctx.actor.member), namespace };
    const secret = { name: session.metadata.name, uid: session.metadata.uid };
    const issued = await kube.token(account, { seconds, secret });
    // Known to the table before it is known to the caller: no credential is out that nobody can account for.
    await ctx.table.write(Audit.entry(ctx, { verb: "cluster:access", target: id }));
    return { name, issued: { ...issued, ...where } };
  } catch (error) {
    if (!(error instanceof KubeFault)) throw error;
    ctx.log.warn("a cluster token was not issued", { cluster: id, kind: error.kind, why: error.message });
    if (error.kind === "missing") {
      throw new Fault("forbidden", "You have no account in this cluster (yet).", { cause: error });
    }
    const why = error.kind === "unavailable" ? "The cluster does not answer." : "The cluster can't issue a token yet.";
    throw new Fault("unavailable", why, { cause: error, retryAfterSeconds: 2 });
  }
}

/** One Secret per API token of the caller. It holds nothing; it only has to exist. */
async function sessionSecret(ctx: Work, kube: Kube, namespace: string): Promise<Found> {
  const key = createHash("sha256").update(`${ctx.actor.member}/${ctx.actor.token}`).digest("hex").slice(0, 20);
  const name = `session-${key}`;
  const ref = { apiVersion: "v1", kind: "Secret", name, namespace };
  const found = await kube.get(ref);
  if (found !== undefined) return found;
  const labels = { ...ours, "berth.dev/member": kubeName(ctx.actor.member) };
  try {
    return await kube.create({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace, labels },
      type: "berth.dev/session",
    });
  } catch (error) {
    if (!(error instanceof KubeFault) || error.kind !== "conflict") throw error;
    const other = await kube.get(ref);
    if (other === undefined) throw error;
    return other;
  }
}
