// Signing in by a browser on this machine: the code comes back to a port of loopback (RFC 8252, 7.3).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import type { Configuration } from "openid-client";
import { Stop } from "./fault.ts";
import { type Offer, type Proof, refusal, scopesOf } from "./offer.ts";
import { note } from "./output.ts";

const waitMs = 300_000;

/**
 * A code for who signs in in the browser, with all that its exchange needs. The verifier never leaves this process but
 * to Berth, and the state is looked at here, so no other page can bring a code of its own.
 * @throws Stop when the provider refuses, or nobody signs in within 5 minutes.
 */
export async function codeByBrowser(offer: Offer, made: Configuration): Promise<Proof> {
  const oidc = await import("openid-client");
  const codeVerifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    const redirectURI = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
    const url = oidc.buildAuthorizationUrl(made, {
      redirect_uri: redirectURI,
      scope: scopesOf(offer),
      code_challenge: await oidc.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: "S256",
      state,
      nonce,
    });
    note(`Sign in at ${url.href}`);
    openURL(url.href);
    const code = await arrived(server, offer, state);
    return { code, codeVerifier, redirectURI, nonce };
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function arrived(server: Server, offer: Offer, state: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Stop("timeout", "Nobody signed in within 5 minutes.")), waitMs);
    server.on("request", (asked: IncomingMessage, answer: ServerResponse) => {
      const url = new URL(asked.url ?? "/", "http://127.0.0.1");
      const said = url.searchParams;
      // What does not repeat our state did not begin here: it is told nothing, and we go on waiting.
      if (asked.method !== "GET" || url.pathname !== "/callback" || said.get("state") !== state) {
        answer.writeHead(404, { "content-type": "text/plain" }).end("There is nothing here.\n");
        return;
      }
      const code = said.get("code");
      const right = code !== null && (said.get("iss") ?? offer.issuer) === offer.issuer;
      answer.writeHead(right ? 200 : 400, { "content-type": "text/plain; charset=utf-8", connection: "close" });
      answer.end(right ? "You may close this page and go back to the terminal.\n" : "This did not work.\n");
      clearTimeout(late);
      if (right) resolve(code);
      else reject(refusal(offer, { error: said.get("error"), error_description: said.get("error_description") }));
    });
  });
}

/** Opens the page where the machine has something that does; else it was printed, and that has to do. */
function openURL(url: string): void {
  const opener = process.platform === "darwin" ? "open" : "xdg-open";
  const shown = process.platform === "darwin" || process.env["DISPLAY"] || process.env["WAYLAND_DISPLAY"];
  if (!shown || !found(opener)) return;
  const child = spawn(opener, [url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}

function found(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      if (folder === "") return false;
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      // Not there, or not ours to run: the next folder may have it.
      return false;
    }
  });
}
