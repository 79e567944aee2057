import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { close, decode, encode, open } from "#core/seal/cipher.ts";

interface Asked {
  KeyId?: string;
  CiphertextBlob?: string;
  EncryptionContext?: Record<string, string>;
}

/**
 * The two calls of AWS's key service that we make, on its wire, over one key in memory. It follows the service's API
 * reference: a context is a set of pairs, all of it must be the same, and a wrong one is told like an altered text.
 */
export async function newKeyService(keyID: string) {
  const master = randomBytes(32);
  const calls: { action: string; context: Record<string, string> }[] = [];
  const bound = (context: Record<string, string> = {}): Buffer =>
    Buffer.from(JSON.stringify([keyID, ...Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))]));
  /** What every call is answered while the service is not well. */
  let ill: [number, object] | undefined;
  const invalid = { __type: "InvalidCiphertextException" };

  function answer(action: string, asked: Asked): [number, object] {
    if (asked.KeyId !== keyID)
      return [400, { __type: action === "Decrypt" ? "IncorrectKeyException" : "NotFoundException" }];
    if (action === "GenerateDataKey") {
      const key = randomBytes(32);
      const { iv, ciphertext } = close(master, key, bound(asked.EncryptionContext));
      const blob = Buffer.from(`${encode(iv)}.${encode(ciphertext)}`).toString("base64");
      return [200, { KeyId: keyID, Plaintext: key.toString("base64"), CiphertextBlob: blob }];
    }
    const [iv = "", ciphertext = ""] = Buffer.from(asked.CiphertextBlob ?? "", "base64")
      .toString()
      .split(".");
    try {
      const key = open(master, { iv: decode(iv), ciphertext: decode(ciphertext) }, bound(asked.EncryptionContext));
      return [200, { KeyId: keyID, Plaintext: key.toString("base64") }];
    } catch {
      return [400, invalid];
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const action = String(request.headers["x-amz-target"]).replace("TrentService.", "");
    const asked = JSON.parse(text) as Asked;
    calls.push({ action, context: asked.EncryptionContext ?? {} });
    const [status, body] = ill ?? answer(action, asked);
    response.writeHead(status, { "Content-Type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
  }
  const server = createServer((request, response) => void serve(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    fall: (answer: [number, object] | undefined) => void (ill = answer),
    close: () => server.close().closeAllConnections(),
  };
}
