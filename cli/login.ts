// How one proves to a tenant's identity provider who one is. What comes back is exchanged for a session of Berth's own.
import type { Configuration } from "openid-client";
import { codeByBrowser } from "./browser.ts";
import type { Client } from "./client.ts";
import { Stop } from "./fault.ts";
import { type Offer, type Proof, refusal, scopesOf } from "./offer.ts";
import { note } from "./output.ts";

/** A new session, as far as it is read here. */
export interface SignedIn {
  token: string;
  expiresAt: string;
}

export interface Wish {
  tenant: string;
  /** Its name; left out where the tenant has one alone. */
  provider?: string | undefined;
  /** By a browser on this machine, in place of a code that is typed on any. */
  browser?: boolean | undefined;
}

/**
 * Signs in by the tenant's provider.
 * @param client one without a token.
 * @throws Stop when there is no such provider, when it refuses, or when nobody confirms in time.
 */
export async function signIn(client: Client, { tenant, provider, browser }: Wish): Promise<SignedIn> {
  const offer = await choose(client, tenant, provider);
  const proof = browser ? await codeByBrowser(offer, await configuration(offer)) : await tokenByDevice(offer);
  const body = { tenant, provider: offer.name, ...proof };
  return (await client.call<SignedIn>("POST", "/v1/sessions", { body })).value;
}

async function choose(client: Client, tenant: string, name: string | undefined): Promise<Offer> {
  const { providers } = await client.get<{ providers: Offer[] }>("/v1/sign-in", { tenant });
  const names = providers.map((each) => each.name).join(", ");
  const found = providers.filter((each) => name === undefined || each.name === name);
  if (found.length > 1) throw new Stop("usage", `Which provider? Add --provider with one of: ${names}.`);
  if (found[0] !== undefined) return found[0];
  const have = names === "" ? "has no identity provider, or is not there" : `has these: ${names}`;
  throw new Stop(
    "missing",
    `${name === undefined ? "" : `There is no provider ${name}. `}The tenant ${tenant} ${have}.`,
  );
}

/** openid-client with what the server told of the provider. It is loaded for this alone: kubectl waits for us each time. */
async function configuration({ issuer, clientID, endpoints }: Offer): Promise<Configuration> {
  if (endpoints === null) throw new Stop("timeout", "The identity provider does not answer now; try again.");
  const oidc = await import("openid-client");
  const metadata = {
    issuer,
    authorization_endpoint: endpoints.authorization,
    token_endpoint: endpoints.token,
    ...(endpoints.device !== undefined && { device_authorization_endpoint: endpoints.device }),
  };
  const made = new oidc.Configuration(metadata, clientID, undefined, oidc.None());
  // Without TLS only on this machine, where nobody else can listen.
  const local = [endpoints.token, endpoints.device ?? endpoints.token].every((text) => {
    const { hostname } = new URL(text);
    return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  });
  if (local) oidc.allowInsecureRequests(made);
  return made;
}

/** The device flow (RFC 8628): a code is confirmed in a browser anywhere. */
async function tokenByDevice(offer: Offer): Promise<Proof> {
  const made = await configuration(offer);
  if (offer.endpoints?.device === undefined) {
    throw new Stop("usage", `${offer.title} has no device flow: add --browser.`);
  }
  const oidc = await import("openid-client");
  try {
    const scope = scopesOf(offer);
    const started = await oidc.initiateDeviceAuthorization(made, { scope });
    note(
      `Open ${started.verification_uri_complete ?? started.verification_uri} and confirm the code ${started.user_code}`,
    );
    const { id_token: idToken } = await oidc.pollDeviceAuthorizationGrant(made, started);
    if (idToken === undefined) throw new Stop("fault", "The identity provider gave no ID token.");
    return { idToken };
  } catch (cause) {
    throw refusal(offer, cause);
  }
}
