import { createHash } from "node:crypto";
import * as Audit from "../audit/index.ts";
import * as Cluster from "../cluster/index.ts";
import { type Change, type Found, type Kube, KubeFault, ours, Refused, type Target, type Work } from "../context.ts";
import { Fault } from "../error.ts";
import * as Grant from "../grant/index.ts";
import { type ID, kubeName } from "../id.ts";
import * as Token from "../token/index.ts";
import { newKept } from "./home.ts";
import { accessOf } from "./schema.ts";

/** A token of the caller's own account in one cluster, and the way there. */
export interface Session {
  /** The cluster's. */
  name: string;
  token: string;
  /** ISO 8601 UTC. */
  expiresAt: string;
  /** As the caller. */
  target: Target;
  server: string;
  authority: string;
  serverName: string;
}

/** How long a token may live: 10 minutes to 24 hours. */
export const lifeSeconds = { min: 600, max: 86_400, default: 600 } as const;

/**
 * A new token of the caller's own account, bound to the Secret of the API token that it calls with: what ends that one
 * deletes the Secret, and with it ends this.
 * @param also what is written with it, before it is given out.
 * @throws Fault `missing`; `forbidden` without a right there; `unavailable` while the account is being made or the
 * cluster does not answer.
 */
export async function enter(
  ctx: Work,
  id: ID<"cluster">,
  { seconds, also }: { seconds: number; also: () => Change[] },
): Promise<Session> {
  // Read beside all else; what is awaited later must not be left alone with its failure until then.
  const entered = settled(Token.enter(ctx, id));
  const { name, target, namespace, ...where } = await Cluster.accessTarget(ctx, id);
  const kube = ctx.kube(target);
  try {
    const { secret, ...issued } = await issuedBy(ctx, kube, { id, namespace, seconds });
    const ref = { apiVersion: "v1", kind: "Secret", name: secret.name, namespace };
    await known(ctx, id, { entered, also, end: () => kube.remove(ref, { uid: secret.uid }) });
    return { name, ...issued, ...where, target: { ...target, user: { token: issued.token } } };
  } catch (error) {
    if (!(error instanceof KubeFault)) throw error;
    ctx.log.warn("a cluster token was not issued", { cluster: id, kind: error.kind, why: error.message });
    if (error.kind === "missing") throw await unmade(ctx, id, error);
    const why = error.kind === "unavailable" ? "The cluster does not answer." : "The cluster can't issue a token yet.";
    throw new Fault("unavailable", why, { cause: error, retryAfterSeconds: 2 });
  }
}

type Secret = { name: string; uid: string };
const secrets = newKept<Secret>();

/** By the Secret that was there the last time, so that it need not be looked for; where that has gone, by another. */
async function issuedBy(
  ctx: Work,
  kube: Kube,
  { id, namespace, seconds }: { id: ID<"cluster">; namespace: string; seconds: number },
): Promise<{ secret: Secret; token: string; expiresAt: string }> {
  const { member, token } = ctx.actor;
  const account = { name: kubeName(member), namespace };
  const key = [ctx.tenant, member, token, id].join("/");
  const kept = secrets.get(ctx, key);
  if (kept !== undefined) {
    try {
      return { secret: kept, ...(await kube.token(account, { seconds, secret: kept })) };
    } catch (error) {
      if (!(error instanceof KubeFault) || !["missing", "conflict"].includes(error.kind)) throw error;
      secrets.drop(ctx, key);
    }
  }
  const { name, uid } = (await sessionSecret(ctx, kube, { id, namespace })).metadata;
  const secret = { name, uid };
  const issued = await kube.token(account, { seconds, secret });
  secrets.keep(ctx, key, secret);
  return { secret, ...issued };
}

const settled = <T>(work: Promise<T>): Promise<T> => {
  work.catch(() => undefined);
  return work;
};

/** Known to the table before it is known to the caller: no credential is out that nobody can account for. */
async function known(
  ctx: Work,
  id: ID<"cluster">,
  { entered, also, end }: { entered: Promise<Change[]>; also: () => Change[]; end: () => Promise<void> },
): Promise<void> {
  try {
    return await ctx.table.write(...(await entered), ...also());
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  // Another request of the same token may have noted it first. What is refused once more has ended meanwhile.
  try {
    return await ctx.table.write(...(await Token.enter(ctx, id)), ...also());
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause;
    // The cluster may have been told of its end before this Secret was made, and would not look again.
    await end();
    throw new Fault("forbidden", "Your own token was ended meanwhile.", { cause });
  }
}

/** What to say to one without an account: that it comes, if there is a right to make it for. */
async function unmade(ctx: Work, id: ID<"cluster">, cause: unknown): Promise<Fault> {
  await needRight(ctx, id);
  await ctx.poke(accessOf(id));
  return new Fault("unavailable", "Your account in this cluster is being made.", { cause, retryAfterSeconds: 1 });
}

/** @throws Fault `forbidden` unless some right of the caller holds in this cluster. */
async function needRight(ctx: Work, id: ID<"cluster">): Promise<void> {
  const rows = await Grant.read(ctx);
  const now = ctx.now();
  const held = Grant.reaching(Grant.rights(rows, now), id, rows.projects, now);
  if (held.some(({ member }) => member === ctx.actor.member)) return;
  throw new Fault("forbidden", "You have no right in this cluster.");
}

/** One Secret per API token of the caller. It holds nothing; it only has to exist. */
async function sessionSecret(
  ctx: Work,
  kube: Kube,
  { id, namespace }: { id: ID<"cluster">; namespace: string },
): Promise<Found> {
  const { member, token } = ctx.actor;
  const key = createHash("sha256").update(`${member}/${token}`).digest("hex").slice(0, 20);
  const ref = { apiVersion: "v1", kind: "Secret", name: `session-${key}`, namespace };
  const found = await kube.get(ref);
  if (found !== undefined) return found;
  // Only here, as whoever has one had a right when it was made: nobody without one leaves anything in a cluster.
  await needRight(ctx, id);
  const labels = {
    ...ours,
    "berth.dev/member": kubeName(member),
    ...(token !== null && { "berth.dev/token": kubeName(token) }),
  };
  const metadata = { name: ref.name, namespace, labels };
  try {
    return await kube.create({ apiVersion: "v1", kind: "Secret", metadata, type: "berth.dev/session" });
  } catch (error) {
    if (!(error instanceof KubeFault) || error.kind !== "conflict") throw error;
    const other = await kube.get(ref);
    if (other === undefined) throw error;
    return other;
  }
}

/** The entry of a credential that is given out. */
export const givenOut = (ctx: Work, id: ID<"cluster">): Change =>
  Audit.entry(ctx, { verb: "cluster:access", target: id });
