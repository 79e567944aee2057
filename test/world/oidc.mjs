// A real OpenID Connect server, as a process of its own: oidc-provider, with a login that takes whoever a header names.
// Started with a port and the people that it knows, as JSON; it makes a new key at each start.
import { createServer } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

const { port, people } = JSON.parse(process.argv[2] ?? "{}");
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = await generateKeyPair("RS256", { extractable: true });
const kid = `key-${process.pid}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "berth",
      application_type: "native",
      token_endpoint_auth_method: "none",
      redirect_uris: ["http://127.0.0.1/callback"],
      response_types: ["code"],
      grant_types: ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"],
    },
  ],
  jwks: { keys: [{ ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" }] },
  cookies: { keys: ["test"] },
  features: { devInteractions: { enabled: false }, deviceFlow: { enabled: true } },
  pkce: { required: () => true },
  claims: { openid: ["sub"], profile: ["name", "groups"], email: ["email", "email_verified"] },
  // Claims in the ID token itself, as most providers give them.
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  // Everyone agrees to everything that was asked for.
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
});
// It warns of a test's own settings, which are meant.
provider.on("server_error", (_, error) => console.error(error));

const pages = provider.callback();
const server = createServer((request, response) => {
  if (!request.url.startsWith("/interaction/")) return pages(request, response);
  const accountId = String(request.headers["x-user"] ?? "");
  const known = Object.hasOwn(people, accountId);
  // Of a native client consent is asked for each time.
  const result = known
    ? { login: { accountId }, consent: {} }
    : { error: "access_denied", error_description: "nobody" };
  return void provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
});
server.listen(port, "127.0.0.1", () => process.stdout.write("ready\n"));
