import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import type { Stack } from "./stack.ts";

interface Discovery {
  issuer: string;
  jwks_uri: string;
}

/** Needs the cluster `red`. */
export const trust = (stack: Stack) =>
  describe("a cluster's ServiceAccounts, seen from outside", () => {
    test("their tokens are checked by what Berth publishes, without an account anywhere", async () => {
      const kubeconfig = await stack.kubeconfig("red");
      const asked = ["create", "token", "default", "--namespace", "default", "--audience", "vault.example"];
      const { out, err } = await stack.kubectl(kubeconfig, ...asked);
      expect(err).toBe("");
      const token = out.trim();
      const { iss = "" } = decodeJwt(token);
      // The name in tokens is the cloud's; here the same paths are served on loopback.
      const here = (url: string): string => stack.url + new URL(url).pathname;
      const answer = await fetch(here(`${iss}/.well-known/openid-configuration`));
      expect(answer.status).toBe(200);
      const { issuer, jwks_uri } = (await answer.json()) as Discovery;
      expect(issuer).toBe(iss);
      const keys = createRemoteJWKSet(new URL(jwks_uri), {
        [customFetch]: (url: string, options: RequestInit) => fetch(here(url), options),
      });
      const { payload } = await jwtVerify(token, keys, { issuer, audience: "vault.example" });
      expect(payload.sub).toBe("system:serviceaccount:default:default");
      const [head, body, signature = ""] = token.split(".");
      const forged = [head, body, signature.startsWith("A") ? `B${signature.slice(1)}` : `A${signature.slice(1)}`];
      await expect(jwtVerify(forged.join("."), keys, { issuer })).rejects.toThrow(/signature/);
      const own = await stack.kubectl(kubeconfig, "get", "--raw", "/openid/v1/jwks");
      const published = await fetch(here(jwks_uri)).then((each) => each.json());
      expect((JSON.parse(own.out) as { keys: { n: string }[] }).keys[0]?.n).toBe(
        (published as { keys: { n: string }[] }).keys[0]?.n,
      );
    });
  });
