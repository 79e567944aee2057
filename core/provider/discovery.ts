// What providers say of themselves, and their keys: asked for rarely, kept for a while in each process.
import type { JSONWebKeySet } from "jose";
import type { Context } from "../context.ts";
import { Barred, proper } from "./address.ts";
import { ask } from "./fetch.ts";
import { outside } from "./home.ts";
import type { Discovered } from "./schema.ts";

const keptMs = 600_000;
/** How long what failed, and an unknown key, are not asked about again. */
const restMs = 60_000;
const keptMax = 1_000;

/** A provider that does not say what it must. The message is a sentence for who set it up. */
export class Unfit extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Unfit";
  }
}

type Asker = Pick<Context, "home" | "tenant" | "now">;

/** The provider's endpoints and where its keys are. */
export interface Found extends Discovered {
  keys: string;
}

/**
 * The provider's discovery document (OpenID Connect Discovery 1.0, 4). It must name the very same issuer.
 * @param options.anew ask, whatever is kept.
 * @throws Unfit.
 */
export async function discover(ctx: Asker, issuer: string, { anew = false } = {}): Promise<Found> {
  return await kept(ctx, `discovery ${issuer}`, anew ? 0 : keptMs, () => read(ctx, issuer));
}

/**
 * The provider's own keys.
 * @param options.unknown a key was not among them: they are asked for again, at most once a minute.
 * @throws Unfit.
 */
export async function keysOf(ctx: Asker, issuer: string, { unknown = false } = {}): Promise<JSONWebKeySet> {
  const { keys } = await discover(ctx, issuer);
  return await kept(ctx, `keys ${issuer}`, unknown ? restMs : keptMs, async () => {
    const { allowed } = outside(ctx);
    const found = (await asking(() => ask(keys, { allowed })))["keys"];
    if (!Array.isArray(found)) throw new Unfit("its keys are no JSON Web Key Set");
    // A symmetric key proves nothing where all can read it. What is for encryption, jose picks for no signature.
    const usable = found.filter((key: { kty?: unknown } | null) => ["RSA", "EC", "OKP"].includes(String(key?.kty)));
    return { keys: usable as JSONWebKeySet["keys"] };
  });
}

async function read(ctx: Asker, issuer: string): Promise<Found> {
  const { allowed } = outside(ctx);
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const said = await asking(async () => {
    proper(issuer, allowed);
    return await ask(url, { allowed });
  });
  if (said["issuer"] !== issuer) throw new Unfit("its discovery document names another issuer");
  const endpoint = (name: string): string => {
    const text = said[name];
    try {
      if (typeof text === "string") return proper(text, allowed).href;
    } catch (cause) {
      if (!(cause instanceof Barred)) throw cause;
    }
    throw new Unfit(`its discovery document names no ${name} that may be asked`);
  };
  const device =
    said["device_authorization_endpoint"] === undefined ? {} : { device: endpoint("device_authorization_endpoint") };
  return {
    authorization: endpoint("authorization_endpoint"),
    token: endpoint("token_endpoint"),
    keys: endpoint("jwks_uri"),
    ...device,
  };
}

/** @throws Unfit with a sentence that tells nothing of what else is in the network. */
export async function asking<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Unfit) throw cause;
    throw new Unfit(cause instanceof Barred ? cause.message : "it does not answer as a provider does", { cause });
  }
}

interface Kept {
  at: number;
  value: Promise<unknown>;
  failed: boolean;
}
const caches = new WeakMap<object, Map<string, Kept>>();

/** Per home, tenant and what it is, so that one tenant's is never another's; one that failed rests for a minute. */
async function kept<T>(ctx: Asker, what: string, ageMs: number, work: () => Promise<T>): Promise<T> {
  const { home } = outside(ctx);
  const cache = caches.get(home) ?? new Map<string, Kept>();
  caches.set(home, cache);
  const key = `${ctx.tenant} ${what}`;
  const now = Date.parse(ctx.now());
  const before = cache.get(key);
  if (before !== undefined && now - before.at < (before.failed ? Math.min(ageMs, restMs) : ageMs)) {
    return (await before.value) as T;
  }
  const fresh: Kept = { at: now, value: work(), failed: false };
  fresh.value.catch(() => {
    fresh.failed = true;
  });
  cache.delete(key);
  cache.set(key, fresh);
  const oldest = cache.size > keptMax ? cache.keys().next().value : undefined;
  if (oldest !== undefined) cache.delete(oldest);
  return (await fresh.value) as T;
}
