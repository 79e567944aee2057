// An OpenID Connect provider of a test's own, on loopback: it says what the test says, and counts who asks.
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

export interface Key {
  kid: string;
  alg: string;
  private: CryptoKey;
  public: JWK;
}

export async function newKey(kid: string, alg = "RS256"): Promise<Key> {
  const pair = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, private: pair.privateKey, public: { ...(await exportJWK(pair.publicKey)), kid, alg, use: "sig" } };
}

/** What the provider answers at a path; a text is sent as it is. */
type Answer = { status?: number; type?: string; body: unknown };

export async function newIssuer(first: Key) {
  const server = createServer(
    (asked, answer) =>
      void serve(asked).then(({ status = 200, type, body }) => {
        answer.writeHead(status, { "content-type": type ?? "application/json" });
        answer.end(typeof body === "string" ? body : JSON.stringify(body));
      }),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = {
    url,
    keys: [first],
    /** What was asked for, in order. */
    asked: [] as string[],
    /** The forms that its token endpoint got. */
    forms: [] as Record<string, string>[],
    /** Answers in place of its own, by path. */
    answers: {} as Record<string, Answer>,
    close: () => new Promise((resolve) => server.close(resolve)),
    /** An ID token of it, good in every way but for what is said. */
    token: (at: string, claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, key?: Key) => {
      const by = key ?? issuer.keys[0] ?? first;
      const now = Math.floor(Date.parse(at) / 1000);
      const all = { iss: url, aud: "berth", sub: "ada", iat: now, exp: now + 300, ...claims };
      return new SignJWT(all).setProtectedHeader({ alg: by.alg, kid: by.kid, ...header }).sign(by.private);
    },
  };
  const own = (): Record<string, Answer> => ({
    "/.well-known/openid-configuration": {
      body: {
        issuer: url,
        authorization_endpoint: `${url}/auth`,
        token_endpoint: `${url}/token`,
        device_authorization_endpoint: `${url}/device`,
        jwks_uri: `${url}/jwks`,
      },
    },
    "/jwks": { body: { keys: issuer.keys.map((key) => key.public) } },
  });
  async function serve(asked: IncomingMessage): Promise<Answer> {
    const path = asked.url ?? "";
    issuer.asked.push(path);
    if (asked.method === "POST") issuer.forms.push(Object.fromEntries(new URLSearchParams(await text(asked))));
    return issuer.answers[path] ?? own()[path] ?? { status: 404, body: {} };
  }
  return issuer;
}
export type Issuer = Awaited<ReturnType<typeof newIssuer>>;
