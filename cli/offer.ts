// What both flows of signing in know of an identity provider.
import { Stop } from "./fault.ts";

/** A tenant's provider, as `GET /v1/sign-in` tells it. */
export interface Offer {
  name: string;
  title: string;
  issuer: string;
  clientID: string;
  scopes: string[];
  endpoints: { authorization: string; token: string; device?: string } | null;
}

/** What `POST /v1/sessions` takes beside tenant and provider. */
export type Proof = { idToken: string } | { code: string; codeVerifier: string; redirectURI: string; nonce: string };

/** What the provider is asked for; without `openid` there is no ID token. */
export const scopesOf = ({ scopes }: Pick<Offer, "scopes">): string => [...new Set(["openid", ...scopes])].join(" ");

/** What the provider said, in its own words as far as it has some. */
export function refusal({ title }: Pick<Offer, "title">, cause: unknown): Stop {
  if (cause instanceof Stop) return cause;
  const said = cause as { error?: unknown; error_description?: unknown; message?: unknown };
  const why = [said.error_description, said.error, said.message].find((each) => typeof each === "string");
  return new Stop("unauthenticated", `${title} did not let you in: ${String(why ?? "it gave no reason")}`, { cause });
}
