// Signing in: a proof of a tenant's own provider is exchanged for a session of Berth's, once.
import * as Audit from "../audit/index.ts";
import { type Context, Refused } from "../context.ts";
import { Fault, missing } from "../error.ts";
import { nounOf } from "../id.ts";
import * as Member from "../member/index.ts";
import * as Quota from "../quota/index.ts";
import * as Team from "../team/index.ts";
import * as Token from "../token/index.ts";
import { asking, discover, Unfit } from "./discovery.ts";
import { ask } from "./fetch.ts";
import { outside } from "./home.ts";
import { type Proof, prove } from "./proof.ts";
import {
  type LinkInput,
  type Provider,
  providerKind,
  redeemedKind,
  type SignedIn,
  type SignInInput,
} from "./schema.ts";
import { byName } from "./store.ts";

const groupsMax = 500;
const nameMax = 100;

/** The one answer to every proof that proves nothing: which of the reasons it was is nobody's business. */
export const refused = (cause?: unknown): Fault =>
  new Fault("unauthenticated", "A valid proof of who you are is needed.", { cause });

/**
 * A session of whom the proof names. A member is who its issuer and subject are; the first time it becomes one where
 * the provider may make members, and each time it is put into the teams that its groups name.
 * @param ctx Berth's own, in the provider's tenant.
 * @returns also whether it came into teams or left some: clusters are to be told then.
 * @throws Fault `unauthenticated`, with one sentence for every proof that proves nothing, and for suspended members;
 * `forbidden` for who is proved and may not come in; `limit` when the tenant may have no more members; `unavailable`
 * while the provider does not answer.
 */
export async function signIn(
  ctx: Context,
  provider: Provider,
  input: SignInInput,
): Promise<{ session: SignedIn; moved: boolean }> {
  const proof = await proved(ctx, provider, input);
  // Looked at before anybody becomes a member by it; the write of the session holds it.
  if ((await ctx.table.get(redeemedKind, proof.hash)) !== undefined) throw refused();
  const email = emailOf(provider, proof);
  const member = await memberOf(ctx, provider, proof, email);
  if (member.state !== "active") throw refused();
  const moved = await Team.claim(ctx, member.id, groupsOf(provider, proof));
  const actor = { tenant: ctx.tenant, member: member.id, role: member.role, scopes: null, token: null };
  const also = [
    ctx.table.insert(redeemedKind, proof.hash, { ttl: proof.expiresAt }),
    ctx.table.check(providerKind, provider.id, { id: { present: true } }),
  ];
  const seconds = provider.sessionHours * 3_600;
  const signing = { member: member.id, name: provider.name, seconds, provider: provider.id };
  try {
    return { session: { ...(await Token.session({ ...ctx, actor }, signing, also)), holder: member }, moved };
  } catch (error) {
    // Redeemed, removed or suspended in this very moment.
    if (error instanceof Refused || (error instanceof Fault && error.kind === "forbidden")) throw refused(error);
    throw error;
  }
}

/**
 * Makes the caller known by what it proves, so that it signs in by that from now on: how who was invited gets there. No
 * permission is asked, as it gives nobody anything.
 * @throws Fault `missing` for a provider that is not there; `unauthenticated` for what proves nothing; `forbidden` for a
 * robot, or with a token that is not its member's whole; `conflict` when either is known by another already.
 */
export async function link(ctx: Context, input: LinkInput): Promise<Member.View> {
  const { member: id, scopes, within } = ctx.actor;
  const provider = await named(ctx, input.provider);
  const member = id === "system" ? undefined : await ctx.table.get(Member.memberKind, id);
  if (provider === undefined || member === undefined) throw missing(provider === undefined ? "provider" : "member");
  if (scopes !== null || within !== undefined || member.kind !== "person") {
    throw new Fault("forbidden", "Only a person, with a token that is neither scoped nor bound, says who it is.");
  }
  if (member.identity !== undefined) throw new Fault("conflict", "You are known by an identity already.");
  const proof = await proved(ctx, provider, input);
  emailOf(provider, proof);
  const identity = { issuer: provider.issuer, subject: proof.subject, provider: provider.id };
  const changes = Member.identifying(ctx, member, identity);
  try {
    await ctx.table.write(
      ...changes,
      ctx.table.insert(redeemedKind, proof.hash, { ttl: proof.expiresAt }),
      Audit.entry(ctx, { verb: "member:update", target: member.id, changes: ["identity"] }),
    );
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause;
    if (cause.index === 2) throw refused(cause);
    const message = cause.index === 0 ? "Somebody is known by this identity already." : "You were changed meanwhile.";
    throw new Fault("conflict", message, { cause });
  }
  return { ...member, identity, generation: member.generation + 1 };
}

const named = (ctx: Context, text: string): Promise<Provider | undefined> =>
  nounOf(text) === "provider" ? ctx.table.get(providerKind, text) : byName(ctx, text);

async function proved(ctx: Context, provider: Provider, input: LinkInput): Promise<Proof> {
  try {
    const token = input.idToken ?? (await exchanged(ctx, provider, input));
    const proof = token === undefined ? undefined : await prove(ctx, provider, token, input.nonce);
    if (proof !== undefined) return proof;
  } catch (cause) {
    if (!(cause instanceof Unfit)) throw cause;
    throw new Fault("unavailable", "The identity provider can't be asked now; try again.", {
      retryAfterSeconds: 30,
      cause,
    });
  }
  throw refused();
}

/** What the provider gives for a code (RFC 6749, 4.1.3; RFC 7636, 4.5); undefined when it gives no ID token. */
async function exchanged(
  ctx: Context,
  { issuer, clientID }: Provider,
  { code = "", codeVerifier = "", redirectURI = "" }: LinkInput,
): Promise<string | undefined> {
  const { token: url } = await discover(ctx, issuer);
  const { allowed } = outside(ctx);
  const form = {
    grant_type: "authorization_code",
    code,
    code_verifier: codeVerifier,
    redirect_uri: redirectURI,
    client_id: clientID,
  };
  try {
    const { id_token: token } = await asking(() => ask(url, { allowed, form }));
    return typeof token === "string" ? token : undefined;
  } catch (error) {
    // A code that is no good and a provider that is away are one here: both are answered with 400 by some.
    if (error instanceof Unfit) return undefined;
    throw error;
  }
}

/** @throws Fault `forbidden` where only some domains may sign in, and this is none of theirs. */
function emailOf({ claims: names, allowedDomains }: Provider, { claims }: Proof): string | undefined {
  const said = own(claims, names.email);
  const email = typeof said === "string" && /^[^\s@]{1,64}@[^\s@]{1,253}$/.test(said) ? said : undefined;
  if (allowedDomains.length === 0) return email;
  const domain = email?.slice(email.lastIndexOf("@") + 1).toLowerCase();
  // What nobody verified, anybody can claim.
  const verified = own(claims, "email_verified") === true;
  if (verified && domain !== undefined && allowedDomains.includes(domain)) return email;
  throw new Fault("forbidden", "Only verified e-mail addresses of some domains may sign in here, and yours is none.");
}

/** The member that the proof names, made where the provider may. @throws Fault `forbidden` where it may not. */
async function memberOf(
  ctx: Context,
  provider: Provider,
  { subject, claims }: Proof,
  email: string | undefined,
): Promise<Member.View> {
  const { issuer } = provider;
  const known = await Member.byIdentity(ctx, issuer, subject);
  if (known !== undefined) return known;
  if (!provider.jit) throw new Fault("forbidden", "You are no member here yet: an owner has to invite you.");
  const said = own(claims, provider.claims.name);
  const name = typeof said === "string" ? said.trim().slice(0, nameMax).trim() : "";
  const { member, changes } = Member.join(ctx, {
    name: name || (email ?? subject).slice(0, nameMax),
    role: provider.defaultRole,
    kind: "person",
    ...(email !== undefined && { email }),
    identity: { issuer, subject, provider: provider.id },
  });
  try {
    const entry = Audit.entry(ctx, { verb: "member:create", target: member.id });
    await Quota.taking(ctx, "members", [...changes, entry]);
    return member;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    // Somebody signed in as the same at once: that one was made.
    const other = await Member.byIdentity(ctx, issuer, subject);
    if (other === undefined) throw refused(error);
    return other;
  }
}

function groupsOf({ claims: names }: Provider, { claims }: Proof): string[] {
  const said = own(claims, names.groups);
  const list = Array.isArray(said) ? said : [said];
  return list.filter((each) => typeof each === "string").slice(0, groupsMax);
}

/** A claim of the token's own: what every object has is none. */
const own = (claims: Proof["claims"], name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;
