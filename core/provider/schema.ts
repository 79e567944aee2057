import * as z from "zod";
import type { Kind } from "../context.ts";
import { idOf } from "../id.ts";
import * as Member from "../member/index.ts";
import * as Token from "../token/index.ts";

const name = z
  .string()
  .regex(
    /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/,
    "must be 1 to 40 lower-case letters, digits and inner dashes, a letter first",
  );
const title = z.string().trim().min(1).max(100);
/** Printable ASCII without blanks: what a client id, an audience or a scope is made of. */
const word = z
  .string()
  .max(255)
  .regex(/^[\x21-\x7e]+$/, "must be 1 to 255 printable characters without blanks");
const claim = z.string().min(1).max(200);
const claims = z.strictObject({
  name: claim.default("name").describe("The claim that holds what a new member is called."),
  email: claim.default("email").describe("The claim that holds its e-mail."),
  groups: claim.default("groups").describe("The claim that holds its groups, which teams may follow."),
});
const domain = z
  .string()
  .max(253)
  .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, "must be a domain such as example.com, in lower case");
const scopes = z.array(word).min(1).max(20).describe("What the provider is asked for; `openid` is asked for always.");
const defaultRole = z.enum(["viewer", "editor"]).describe("The role of members that come in by themselves.");
const allowedDomains = z
  .array(domain)
  .max(50)
  .describe("Who may sign in: those with a verified e-mail of one of these domains. With none named, everyone.");
const sessionHours = z.number().int().min(1).max(168).describe("How long a session lives.");

/** Where members of a tenant prove who they are. Berth holds no secret of it: it is a public client with PKCE. */
export const Provider = z.object({
  id: idOf("provider"),
  tenant: idOf("tenant"),
  /** Unique in the tenant. */
  name: z.string(),
  title: z.string(),
  /** The issuer identifier, letter for letter as ID tokens name it. */
  issuer: z.string(),
  clientID: z.string(),
  /** Whom ID tokens must be for; left out, the client id. */
  audience: z.string().optional(),
  scopes: z.array(z.string()),
  claims: z.object({ name: z.string(), email: z.string(), groups: z.string() }),
  /** Whether who signs in for the first time becomes a member by that. */
  jit: z.boolean(),
  defaultRole: z.enum(["viewer", "editor"]),
  allowedDomains: z.array(z.string()),
  sessionHours: z.number().int(),
  generation: z.number().int(),
  createdAt: z.iso.datetime(),
});
export type Provider = z.output<typeof Provider>;
export const providerKind: Kind<Provider> = { name: "provider", schema: Provider };
/** Holds a name once per tenant. */
export const nameKind: Kind<{ id: Provider["id"] }> = {
  name: "providerName",
  schema: z.object({ id: idOf("provider") }),
};
/** How many providers a tenant may have. */
export const providersMax = 20;

/** What is asked of a new provider. */
export const CreateInput = z.strictObject({
  name,
  title: title.optional(),
  issuer: z.string().max(1_000),
  clientID: word,
  audience: word.optional(),
  scopes: scopes.default(["openid", "profile", "email"]),
  claims: claims.prefault({}),
  jit: z.boolean().default(false),
  defaultRole: defaultRole.default("viewer"),
  allowedDomains: allowedDomains.default([]),
  sessionHours: sessionHours.default(12),
});
export type CreateInput = z.output<typeof CreateInput>;

/** What may change; what is left out stays. The issuer does not: members are known by it. */
export const UpdateInput = z
  .strictObject({ title, clientID: word, audience: word, scopes, claims, jit: z.boolean(), defaultRole })
  .extend({ allowedDomains, sessionHours })
  .partial()
  .refine((input) => Object.values(input).some((value) => value !== undefined), "must change something");
export type UpdateInput = z.output<typeof UpdateInput>;

export const View = Provider;
export type View = Provider;

/** What a provider says of itself, as far as it is needed. */
export const Discovered = z.object({
  authorization: z.string().describe("Where a browser goes to sign in."),
  token: z.url().describe("Where a code is exchanged."),
  device: z.string().optional().describe("Where a device begins; left out where the provider has no such flow."),
});
export type Discovered = z.output<typeof Discovered>;

/** A provider that was looked at and not made. */
export const Tried = View.omit({ id: true, createdAt: true, generation: true }).extend({ endpoints: Discovered });
export type Tried = z.output<typeof Tried>;

/** What anyone may know of a tenant's provider, to begin to sign in. */
export const Offer = z.object({
  name: z.string(),
  title: z.string(),
  issuer: z.string(),
  clientID: z.string(),
  scopes: z.array(z.string()),
  /** Null while the provider does not say. */
  endpoints: Discovered.nullable(),
});
export type Offer = z.output<typeof Offer>;

const asked = z.string().min(1).max(2_000);
/** A proof of who one is: an ID token, or a code that the provider gives one for. */
const proof = z.strictObject({
  provider: z.string().min(1).max(100).describe("The provider's name or id."),
  idToken: z.string().min(1).max(16_384).optional().describe("An ID token of the provider; it is taken once."),
  nonce: z.string().min(1).max(512).optional().describe("What the ID token must repeat; needed with `code`."),
  code: asked.optional().describe("An authorization code, in place of `idToken`."),
  codeVerifier: z
    .string()
    .regex(/^[A-Za-z0-9._~-]{43,128}$/, "must be 43 to 128 letters, digits, dots, dashes, underscores and tildes")
    .optional()
    .describe("The PKCE verifier of the code."),
  redirectURI: asked.optional().describe("Where the code was sent to."),
});

function whole(input: z.output<typeof proof>, issues: z.RefinementCtx): void {
  const missing = (field: string, why: string): void =>
    issues.addIssue({ code: "custom", path: [field], message: why });
  if ((input.idToken === undefined) === (input.code === undefined)) missing("idToken", "must be given, or a code");
  if (input.code === undefined) return;
  for (const field of ["codeVerifier", "redirectURI", "nonce"] as const)
    if (input[field] === undefined) missing(field, "must be given with a code");
}

/** Proves who a member is that is signed in already. */
export const LinkInput = proof.superRefine(whole);
export type LinkInput = z.output<typeof LinkInput>;

const tenant = z.string().min(1).max(100).describe("The tenant's name or id.");
/** Proves to a tenant who one is. */
export const SignInInput = proof.extend({ tenant }).superRefine(whole);
export type SignInInput = z.output<typeof SignInInput>;

/** A session, and whose it is. */
export const SignedIn = Token.Created.extend({ holder: Member.View });
export type SignedIn = z.output<typeof SignedIn>;

/** An ID token that was taken, under a hash of what was signed; gone when it has expired. */
export const redeemedKind: Kind<{ ttl: number }> = { name: "redeemed", schema: z.object({ ttl: z.number().int() }) };
